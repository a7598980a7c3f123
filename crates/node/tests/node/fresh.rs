//! Nodes whose journal is lost (`docs/decisions/0007-journal-rollback.md`).

use super::{contradicts_nothing, key, options, said, settled, settled_above, start_stored, stored, until};
use serde_json::Value;
use std::path::Path;
use vigil_node::layout::Layout;
use vigil_node::{Node, NodeError, StartOptions};

/// Keys 1 and 2 validate with the same stake: both must vote for every block.
fn with(dir: &Path, signer: u8, seeds: &[String], fresh_journal: bool) -> StartOptions {
    let genesis = super::genesis(&[3], &[(3, 1), (3, 2)], |_| ());
    StartOptions { fresh_journal, ..options(dir, genesis, signer, seeds) }
}

async fn start(dir: &Path, signer: u8, seeds: &[String], fresh_journal: bool) -> Node {
    start_stored(with(dir, signer, seeds, fresh_journal)).await
}

fn epochs<'s>(said: &'s [Value], kind: &'s str) -> impl Iterator<Item = u64> + 's {
    said.iter().filter(move |line| line["kind"] == kind).filter_map(|line| line["epoch"].as_u64())
}

/// Waits until a node that is alone has said twice that it wants the next epoch. True if it had proposed in this one.
async fn is_left_with_a_proposal(node: &Node, dir: &Path) -> bool {
    let before = said(dir).len();
    let again = async || {
        let changes: Vec<u64> = epochs(&said(dir)[before..], "ec").collect();
        changes.len() >= 2 && changes[0] == changes[changes.len() - 1]
    };
    until("it wants the next epoch", node, async || again().await.then_some(())).await;
    let said = said(dir);
    epochs(&said, "proposal").last().map(|epoch| epoch + 1) == epochs(&said, "ec").last()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_holds_binds_a_fresh_journal() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let [one, two] = dirs.each_ref().map(|dir| dir.path());
    let node = start(one, 1, &[], false).await;
    let seeds = node.p2p_addresses();
    loop {
        let other = start(two, 2, &seeds, false).await;
        settled_above(&other, settled(&node).await + 2).await;
        other.stop().await;
        if is_left_with_a_proposal(&node, one).await {
            break;
        }
    }
    node.stop().await;
    std::fs::remove_file(Layout::new(one).journal(&key(1).address())).expect("removed");

    let before = said(one).len();
    let node = start(one, 1, &[], true).await;
    until("it is heard again", &node, async || epochs(&said(one)[before..], "ec").next()).await;
    contradicts_nothing(one);
    let other = start(two, 2, &node.p2p_addresses(), false).await;
    settled_above(&node, settled(&other).await + 3).await;
    node.stop().await;
    other.stop().await;
    contradicts_nothing(one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_word_outlives_a_start_that_failed() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let [one, two] = dirs.each_ref().map(|dir| dir.path());
    let other = start(one, 1, &[], false).await;
    let seeds = other.p2p_addresses();
    let node = start(two, 2, &seeds, false).await;
    settled_above(&node, 3).await;
    node.stop().await;
    std::fs::remove_file(Layout::new(two).journal(&key(2).address())).expect("removed");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut failing = with(two, 2, &seeds, true);
    failing.config.rpc_enabled = true;
    failing.config.rpc_port = taken.local_addr().expect("bound").port();
    let store = stored(&failing);
    let error = super::try_start(failing, store).await.err().expect("the port is taken");
    assert!(matches!(error, NodeError::Listen { .. }), "{error}");

    let node = start(two, 2, &seeds, false).await;
    settled_above(&node, settled(&other).await + 3).await;
    node.stop().await;
    other.stop().await;
    contradicts_nothing(two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_database_a_fresh_journal_waits_for_the_others() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let [one, two] = dirs.each_ref().map(|dir| dir.path());
    let other = start(one, 1, &[], false).await;
    let node = start(two, 2, &other.p2p_addresses(), false).await;
    settled_above(&node, 3).await;
    node.stop().await;
    std::fs::remove_file(Layout::new(two).journal(&key(2).address())).expect("removed");
    std::fs::remove_dir_all(Layout::new(two).db()).expect("removed");
    std::fs::remove_file(two.join("peers.json")).expect("removed"); // alone for now

    let before = said(two).len();
    let node = start(two, 2, &[], true).await;
    until("it is heard again", &node, async || epochs(&said(two)[before..], "ec").next()).await;
    node.stop().await;
    let more: Vec<_> = said(two).split_off(before);
    assert!(more.iter().all(|line| line["kind"] == "ec"), "{more:?}");
    let node = start(two, 2, &other.p2p_addresses(), false).await;
    settled_above(&node, settled(&other).await + 3).await;
    node.stop().await;
    other.stop().await;
}
