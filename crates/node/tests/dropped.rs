//! Who waits for a transaction learns at once that it left the mempool, and why.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::{SecretKey, sign_tx};
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, StartOptions};
use vigil_primitives::{
    Address, Bytes, Coins, Genesis, GenesisAccount, GenesisStake, Send, Signature, Tx, TxInput, TxOutput, U256, WEI,
    keccak256,
};
use vigil_rpc::{Backend, TxPlace, Version};
use vigil_store::{DirLock, MemoryStore};

/// A probe that fails this often has failed.
const PROBES_MAX: u32 = 6_000;
/// Who is told nothing for so long is told nothing.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

/// Keys 1 and 2 validate with the same stake: one of them alone settles nothing.
fn genesis() -> Genesis {
    let tokens = |n: u64| U256::from(n) * U256::from(WEI);
    let account = |n| GenesisAccount { address: key(n).address(), theta: tokens(2_000_000), tfuel: tokens(1_000) };
    let stake = |n| GenesisStake { source: key(3).address(), holder: key(n).address(), amount: tokens(500_000) };
    let accounts = vec![account(3), account(4)];
    assemble(Preset::Theta.params(), 1_700_000_000, accounts, vec![stake(1), stake(2)]).expect("valid")
}

/// The first validator alone, with a mempool for one transaction.
async fn start(dir: &Path) -> Node {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        mempool_txs_max: 1,
        ..Config::default()
    };
    let (layout, genesis, key) = (Layout::new(dir), genesis(), key(1));
    let lock = DirLock::acquire(dir).expect("free");
    let block = GenesisBlock::of(&genesis).expect("valid");
    let version = Version::default();
    let options = StartOptions { layout, config, genesis, key, fresh_journal: false, sent_log: true, version };
    Node::start_on(options, lock, Arc::new(MemoryStore::new()), &block).await.expect("starts")
}

/// Sends one token and pays so many of them for it.
fn send(from: u8, fee: u64) -> Bytes {
    let tokens = |n: u64| Coins::tfuel(U256::from(n) * U256::from(WEI));
    let input =
        TxInput { address: key(from).address(), coins: tokens(1 + fee), sequence: 1, signature: Signature::none() };
    let output = TxOutput { address: Address::repeat_byte(9), coins: tokens(1) };
    let mut tx = Tx::Send(Send { fee: tokens(fee), inputs: vec![input], outputs: vec![output] });
    sign_tx("privatenet", &mut tx, 0, &key(from)).expect("slot 0");
    tx.to_raw().into()
}

async fn until_pending(node: &Node, raw: &Bytes) {
    for _ in 0..PROBES_MAX {
        if matches!(node.backend().transaction(keccak256(raw)).await.expect("read"), TxPlace::Pending) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not get into the mempool");
}

/// What who waits for `first` is told when `second` comes.
async fn told(node: &Node, first: Bytes, second: Bytes) -> String {
    let then = async {
        until_pending(node, &first).await;
        node.backend().broadcast(second).await.expect("pays more");
    };
    let waits = tokio::time::timeout(GIVE_UP_AFTER, node.backend().broadcast_and_wait(first.clone()));
    let (outcome, ()) = tokio::join!(waits, then);
    outcome.expect("it is told").expect_err("nothing settles").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_why_a_transaction_left() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = start(dir.path()).await;
    let evicted = told(&node, send(3, 1), send(4, 2)).await;
    assert!(evicted.contains("took its place"), "{evicted}");
    let replaced = told(&node, send(3, 4), send(3, 8)).await;
    assert!(replaced.contains("replaced by"), "{replaced}");
    node.stop().await;
}
