//! A node that starts late fetches the chain, across a change of the validators.

use super::{key, options, settled_above, tokens};
use std::path::Path;
use std::sync::Arc;
use vigil_crypto::sign_tx;
use vigil_node::Node;
use vigil_primitives::{Bytes, Coins, DepositStake, Hash, Signature, Tx, TxInput, TxOutput, U256};
use vigil_rpc::Backend;
use vigil_store::MemoryStore;

/// Key 1 validates with the stake of key 2; key 3 has tokens.
async fn start(dir: &Path, signer: u8, validator_enabled: bool, seeds: &[String]) -> Node {
    let genesis = super::genesis(&[2, 3], &[(2, 1)], |params| params.block_interval_ms = 10);
    let mut options = options(dir, genesis, signer, seeds);
    options.config.validator_enabled = validator_enabled;
    super::start(options, Arc::new(MemoryStore::default())).await
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
    let height = settled_above(&first, header.height + 400).await;

    let late = start(dirs[2].path(), 5, false, &seeds).await;
    settled_above(&late, height).await;
    for at in [1, header.height, header.height + 1, header.height + 2, header.height + 3, height] {
        assert_eq!(hash_at(&late, at).await, hash_at(&first, at).await, "block {at}");
    }
    for peer in first.backend().net.peers().await.expect("runs") {
        assert!(peer.score >= 0, "{} was fined for its haste", peer.id);
    }
    for node in [late, second, first] {
        node.stop().await;
    }
}
