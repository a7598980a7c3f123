//! Nodes whose files are put back to what they were (`docs/decisions/0007-journal-rollback.md`).

use super::{contradicts_nothing, options, settled, settled_above, start_stored, until};
use std::fs;
use std::path::Path;
use vigil_node::Node;
use vigil_node::layout::Layout;
use vigil_rpc::Backend;

/// Keys 1 and 2 validate with the same stake: both must vote for every block.
async fn start(dir: &Path, signer: u8, seeds: &[String]) -> Node {
    start_stored(options(dir, super::genesis(&[3], &[(3, 1), (3, 2)], |_| ()), signer, seeds)).await
}

/// The reason for not signing.
async fn refused(node: &Node) -> String {
    let reason = async || node.backend().not_ready().await.filter(|why| why.starts_with("journal rolled back"));
    until("it does not sign", node, reason).await
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).expect("copied");
        return;
    }
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("read") {
        let entry = entry.expect("read");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

fn restore(copy_of: &Path, dir: &Path, what: &str) {
    fs::remove_dir_all(dir.join(what)).expect("removed");
    copy(&copy_of.join(what), &dir.join(what));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_is_noticed() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let [one, two, old] = dirs.each_ref().map(|dir| dir.path());
    let other = start(one, 1, &[]).await;
    let seeds = other.p2p_addresses();
    let node = start(two, 2, &seeds).await;
    settled_above(&node, 3).await;
    node.stop().await;
    copy(two, old);
    let newest = old.join("newest");

    // The whole folder, as a backup of the machine puts it back: the other node tells.
    let node = start(two, 2, &seeds).await;
    settled_above(&node, settled(&node).await + 5).await;
    node.stop().await;
    contradicts_nothing(two);
    copy(two, &newest);
    restore(old, two, "journal");
    restore(old, two, "db");
    let node = start(two, 2, &seeds).await;
    let why = refused(&node).await;
    assert!(why.contains("Peers hold") && why.contains("--fresh-journal"), "{why}");
    node.stop().await;
    // It stays so, without a word of the others.
    let node = start(two, 2, &[]).await;
    assert_eq!(refused(&node).await, why);
    node.stop().await;
    // Before it was told it may have contradicted itself: nothing in its folder could say so.
    fs::remove_file(Layout::new(two).sent_log()).expect("removed");

    // The journal alone: the database tells.
    restore(&newest, two, "db");
    restore(old, two, "journal");
    let node = start(two, 2, &seeds).await;
    let why = refused(&node).await;
    assert!(why.contains("the chain database knows") && why.contains("--fresh-journal"), "{why}");
    let height = settled(&other).await;
    node.stop().await;

    // The database alone is fetched again, under the newest journal.
    restore(old, two, "db");
    restore(&newest, two, "journal");
    let node = start(two, 2, &seeds).await;
    settled_above(&node, height + 3).await;
    node.stop().await;
    contradicts_nothing(two);
    other.stop().await;
}
