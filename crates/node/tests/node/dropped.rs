//! Who waits for a transaction learns at once that it left the mempool, and why.

use super::{options, send, start, until};
use std::sync::Arc;
use std::time::Duration;
use vigil_node::Node;
use vigil_primitives::{Address, Bytes, keccak256};
use vigil_rpc::{Backend, TxPlace};
use vigil_store::MemoryStore;

/// Who is told nothing for so long is told nothing.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
const TO: Address = Address::repeat_byte(9);

/// What who waits for `first` is told when `second` comes.
async fn told(node: &Node, first: Bytes, second: Bytes) -> String {
    let then = async {
        let hash = keccak256(&first);
        let pending = async || match node.backend().transaction(hash).await.expect("read") {
            TxPlace::Pending => Some(()),
            _ => None,
        };
        until("it is in the mempool", node, pending).await;
        node.backend().broadcast(second).await.expect("pays more");
    };
    let waits = tokio::time::timeout(GIVE_UP_AFTER, node.backend().broadcast_and_wait(first.clone()));
    let (outcome, ()) = tokio::join!(waits, then);
    outcome.expect("it is told").expect_err("nothing settles").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_why_a_transaction_left() {
    let dir = tempfile::tempdir().expect("temporary folder");
    // One of two validators: nothing settles. There is room for one transaction.
    let genesis = super::genesis(&[3, 4], &[(3, 1), (3, 2)], |_| ());
    let mut options = options(dir.path(), genesis, 1, &[]);
    options.config.mempool_txs_max = 1;
    let node = start(options, Arc::new(MemoryStore::default())).await;
    let evicted = told(&node, send(3, TO, 1, 1), send(4, TO, 1, 2)).await;
    assert!(evicted.contains("took its place"), "{evicted}");
    let replaced = told(&node, send(3, TO, 1, 4), send(3, TO, 1, 8)).await;
    assert!(replaced.contains("replaced by"), "{replaced}");
    node.stop().await;
}
