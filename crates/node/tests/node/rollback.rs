//! Whole nodes in this process, whose files are put back to what they were (`docs/decisions/0007-journal-rollback.md`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::SecretKey;
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, StartOptions};
use vigil_primitives::{Genesis, GenesisAccount, GenesisStake, U256, WEI};
use vigil_rpc::{Backend, Version};
use vigil_store::{DirLock, Identity, RocksStore};

/// A probe that fails this often has failed.
const PROBES_MAX: u32 = 6_000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

/// Keys 1 and 2 validate with the same stake: both must vote for every block.
fn genesis() -> Genesis {
    let mut params = Preset::Theta.params();
    params.block_interval_ms = 20;
    params.delta_ms = 50;
    let tokens = |n: u64| U256::from(n) * U256::from(WEI);
    let source = GenesisAccount { address: key(3).address(), theta: tokens(2_000_000), tfuel: tokens(1_000) };
    let stake = |n| GenesisStake { source: key(3).address(), holder: key(n).address(), amount: tokens(500_000) };
    assemble(params, 1_700_000_000, vec![source], vec![stake(1), stake(2)]).expect("valid")
}

async fn start(dir: &Path, signer: u8, seeds: &[String], fresh_journal: bool) -> Node {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        p2p_seeds: seeds.to_vec(),
        ..Config::default()
    };
    let (layout, genesis, key) = (Layout::new(dir), genesis(), key(signer));
    let lock = DirLock::acquire(dir).expect("free");
    let block = GenesisBlock::of(&genesis).expect("valid");
    let identity = Identity { schema: 1, genesis: block.hash() };
    let store = Arc::new(RocksStore::open(&layout.db(), identity).expect("opens"));
    let options =
        StartOptions { layout, config, genesis, key, fresh_journal, sent_log: true, version: Version::default() };
    Node::start_on(options, lock, store, &block).await.expect("starts")
}

async fn settled(node: &Node) -> u64 {
    node.backend().status().await.expect("status").settled_height
}

async fn until(what: &str, node: &Node, mut probe: impl AsyncFnMut() -> bool) {
    for _ in 0..PROBES_MAX {
        if probe().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("gave up: {what}; at {}: {:?}", settled(node).await, node.backend().not_ready().await);
}

async fn settled_above(node: &Node, height: u64) {
    until(&format!("settled above {height}"), node, async || settled(node).await > height).await;
}

/// The reason for not signing.
async fn refused(node: &Node) -> String {
    let reason = async || node.backend().not_ready().await.filter(|why| why.starts_with("journal rolled back"));
    until("it does not sign", node, async || reason().await.is_some()).await;
    reason().await.expect("just seen")
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

/// Everything that left the node contradicts nothing that left it before.
fn contradicts_nothing(dir: &Path) {
    let mut votes = BTreeMap::new();
    for line in fs::read_to_string(Layout::new(dir).sent_log()).expect("written").lines() {
        let said: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if said["kind"] == "vote" {
            let known = votes.insert(said["height"].as_u64(), said["hash"].clone());
            assert!(known.is_none_or(|hash| hash == said["hash"]), "two votes at {}", said["height"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_is_noticed() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let [one, two, old] = dirs.each_ref().map(|dir| dir.path());
    let other = start(one, 1, &[], false).await;
    let seeds = other.p2p_addresses();
    let node = start(two, 2, &seeds, false).await;
    settled_above(&node, 3).await;
    node.stop().await;
    copy(two, old);
    let newest = old.join("newest");

    // The whole folder, as a backup of the machine puts it back: the other node tells.
    let node = start(two, 2, &seeds, false).await;
    settled_above(&node, settled(&node).await + 5).await;
    node.stop().await;
    copy(two, &newest);
    restore(old, two, "journal");
    restore(old, two, "db");
    let node = start(two, 2, &seeds, false).await;
    let why = refused(&node).await;
    assert!(why.contains("Peers hold") && why.contains("--fresh-journal"), "{why}");
    node.stop().await;
    // It stays so, without a word of the others.
    let node = start(two, 2, &[], false).await;
    assert_eq!(refused(&node).await, why);
    node.stop().await;

    // The journal alone: the database tells.
    restore(&newest, two, "db");
    restore(old, two, "journal");
    let node = start(two, 2, &seeds, false).await;
    let why = refused(&node).await;
    assert!(why.contains("the chain database knows") && why.contains("--fresh-journal"), "{why}");
    let height = settled(&other).await;
    node.stop().await;

    // The database alone is fetched again, under the newest journal.
    restore(old, two, "db");
    restore(&newest, two, "journal");
    let node = start(two, 2, &seeds, false).await;
    settled_above(&node, height + 3).await;
    node.stop().await;
    contradicts_nothing(two);
    other.stop().await;
}
