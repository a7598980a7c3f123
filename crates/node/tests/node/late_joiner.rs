//! Whole nodes in this process: one that starts late fetches the chain, across a change of the validators.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::{SecretKey, sign_tx};
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, StartOptions};
use vigil_primitives::{
    Bytes, Coins, DepositStake, Genesis, GenesisAccount, GenesisStake, Hash, Signature, Tx, TxInput, TxOutput, U256,
    WEI,
};
use vigil_rpc::{Backend, Version};
use vigil_store::{DirLock, MemoryStore};

/// A probe that fails this often has failed.
const PROBES_MAX: u32 = 6_000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn tokens(n: u64) -> U256 {
    U256::from(n) * U256::from(WEI)
}

/// Key 1 validates with the stake of key 2; key 3 has tokens.
fn genesis() -> Genesis {
    let mut params = Preset::Theta.params();
    params.block_interval_ms = 10;
    params.delta_ms = 50;
    let account = |n: u8| GenesisAccount { address: key(n).address(), theta: tokens(1_000_000), tfuel: tokens(1_000) };
    let stakes = vec![GenesisStake { source: key(2).address(), holder: key(1).address(), amount: tokens(500_000) }];
    assemble(params, 1_700_000_000, vec![account(2), account(3)], stakes).expect("valid")
}

async fn start(dir: &Path, signer: u8, validator_enabled: bool, seeds: &[String]) -> Node {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        p2p_seeds: seeds.to_vec(),
        validator_enabled,
        ..Config::default()
    };
    let (layout, genesis) = (Layout::new(dir), genesis());
    let lock = DirLock::acquire(dir).expect("free");
    let block = GenesisBlock::of(&genesis).expect("valid");
    let key = key(signer);
    let options = StartOptions {
        layout,
        config,
        genesis,
        key,
        fresh_journal: false,
        sent_log: false,
        version: Version::default(),
    };
    Node::start_on(options, lock, Arc::new(MemoryStore::default()), &block).await.expect("starts")
}

async fn settled(node: &Node) -> u64 {
    node.backend().status().await.expect("status").settled_height
}

async fn settled_above(node: &Node, height: u64) -> u64 {
    for _ in 0..PROBES_MAX {
        let settled = settled(node).await;
        if settled > height {
            return settled;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("stuck at {}, {height} was to be passed: {:?}", settled(node).await, node.backend().not_ready().await);
}

async fn hash_at(node: &Node, height: u64) -> Hash {
    node.backend().block_at(height, false).await.expect("read").expect("settled").hash
}

/// Key 3 stakes for key 4, more than a third of all.
fn deposit() -> Bytes {
    let coins = Coins { theta: tokens(600_000), tfuel: U256::ZERO };
    let source = TxInput { address: key(3).address(), coins, sequence: 1, signature: Signature::none() };
    let holder = TxOutput { address: key(4).address(), coins: Coins { theta: U256::ZERO, tfuel: U256::ZERO } };
    let fee = Coins::tfuel(tokens(1));
    let mut tx = Tx::DepositStake(DepositStake { fee, source, holder, purpose: 0 });
    sign_tx("privatenet", &mut tx, 0, &key(3)).expect("slot 0");
    tx.to_raw().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_crosses_a_change_of_the_validators() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let first = start(dirs[0].path(), 1, true, &[]).await;
    let seeds = first.p2p_addresses();
    settled_above(&first, 100).await;
    // The second validator is late too: it has the chain before its stake makes it needed.
    let second = start(dirs[1].path(), 4, true, &seeds).await;
    let height = settled_above(&second, 100).await;
    let (_, header) = first.backend().broadcast_and_wait(deposit()).await.expect("settles");
    assert!(header.height > height, "the change comes after what the second has fetched");
    let height = settled_above(&first, header.height + 100).await;

    let late = start(dirs[2].path(), 5, false, &seeds).await;
    settled_above(&late, height).await;
    for at in [1, header.height, header.height + 1, header.height + 2, header.height + 3, height] {
        assert_eq!(hash_at(&late, at).await, hash_at(&first, at).await, "block {at}");
    }
    for node in [late, second, first] {
        node.stop().await;
    }
}
