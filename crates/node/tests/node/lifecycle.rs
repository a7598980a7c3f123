//! One validator settles by itself, stops, starts again, loses its disk or its journal.

use super::{contradicts_nothing, key, options, send, settled, settled_above, until};
use std::path::Path;
use std::sync::Arc;
use vigil_node::layout::Layout;
use vigil_node::{Node, StartOptions};
use vigil_primitives::{Address, Coins, Genesis, U256, WEI};
use vigil_rpc::{Backend, Read, StateAt, TxPlace};
use vigil_store::testing::{FailingStore, Failure};
use vigil_store::{MemoryStore, Store};

/// Key 1 validates with the stake of key 2; key 3 has tokens.
fn genesis() -> Genesis {
    super::genesis(&[2, 3], &[(2, 1)], |params| params.checkpoint_interval = 5)
}

async fn start(dir: &Path, store: Arc<dyn Store>, fresh_journal: bool) -> Node {
    super::start(StartOptions { fresh_journal, ..options(dir, genesis(), 1, &[]) }, store).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_settles_and_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let open = || super::stored(&options(dir.path(), genesis(), 1, &[]));
    let node = start(dir.path(), open(), false).await;
    let to = Address::repeat_byte(9);
    let (hash, header) = node.backend().broadcast_and_wait(send(3, to, 1, 1)).await.expect("settles");
    let height = settled_above(&node, header.height + 5).await;
    node.stop().await;

    let node = start(dir.path(), open(), false).await;
    assert!(settled(&node).await >= height, "nothing settled is lost");
    match node.backend().transaction(hash).await.expect("read") {
        TxPlace::InBlock { height, status, .. } if status.is_settled() => assert_eq!(height, header.height),
        other => panic!("{other:?}"),
    }
    settled_above(&node, height + 3).await;
    let again = node.backend().broadcast(send(3, to, 1, 1)).await.expect_err("used sequence").to_string();
    assert!(again.contains("Got 1, expected 2"), "{again}");
    node.backend().broadcast_and_wait(send(3, to, 2, 1)).await.expect("settles");
    match node.backend().account(to, StateAt::Settled).await.expect("read") {
        Read::Found(account) => assert_eq!(account.balance, Coins::tfuel(U256::from(2 * WEI))),
        other => panic!("{other:?}"),
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_database_with_its_journal_never_votes_twice() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = start(dir.path(), Arc::new(MemoryStore::default()), false).await;
    settled_above(&node, 3).await;
    node.stop().await;
    let sent = || std::fs::read_to_string(Layout::new(dir.path()).sent_log()).expect("written");
    let before = sent().lines().count();
    let node = start(dir.path(), Arc::new(MemoryStore::default()), false).await;
    // Alone it cannot get its chain back, and must not vote below its last vote. What it says now is an epoch change.
    until("it says something", &node, async || Some(()).filter(|()| sent().lines().count() > before)).await;
    node.stop().await;
    contradicts_nothing(dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_voting_says_why_and_heals() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let node = start(dir.path(), store.clone(), false).await;
    settled_above(&node, 2).await;
    store.fail_after(0, Failure::DiskFull);
    let reason =
        until("the fault", &node, async || node.backend().not_ready().await.filter(|r| r.contains("disk full"))).await;
    assert!(reason.contains("not voting"), "{reason}");
    let height = settled(&node).await;
    store.heal();
    settled_above(&node, height + 2).await;
    let over = async || node.backend().not_ready().await.is_none_or(|reason| !reason.contains("disk full"));
    until("the fault is over", &node, async || over().await.then_some(())).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_journal_means_following_until_the_operator_says_otherwise() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let node = start(dir.path(), Arc::clone(&store), false).await;
    let height = settled_above(&node, 2).await;
    node.stop().await;
    std::fs::remove_file(layout.journal(&key(1).address())).expect("removed");

    let node = start(dir.path(), Arc::clone(&store), false).await;
    let reason = node.backend().not_ready().await.expect("not ready");
    assert!(reason.starts_with("journal missing: not signing"), "{reason}");
    let before = std::fs::read_to_string(layout.sent_log()).expect("written");
    node.stop().await;
    assert_eq!(std::fs::read_to_string(layout.sent_log()).expect("written"), before, "nothing was signed");

    let node = start(dir.path(), store, true).await;
    settled_above(&node, height).await;
    node.stop().await;
}
