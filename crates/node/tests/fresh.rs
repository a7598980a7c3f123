//! Whole nodes in this process whose journal is lost (`docs/decisions/0007-journal-rollback.md`).

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::SecretKey;
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, NodeError, StartOptions};
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
    (params.block_interval_ms, params.delta_ms) = (20, 50);
    let tokens = |n: u64| U256::from(n) * U256::from(WEI);
    let source = GenesisAccount { address: key(3).address(), theta: tokens(2_000_000), tfuel: tokens(1_000) };
    let stake = |n| GenesisStake { source: key(3).address(), holder: key(n).address(), amount: tokens(500_000) };
    assemble(params, 1_700_000_000, vec![source], vec![stake(1), stake(2)]).expect("valid")
}

fn options(dir: &Path, signer: u8, seeds: &[String], fresh_journal: bool) -> StartOptions {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        p2p_seeds: seeds.to_vec(),
        ..Config::default()
    };
    let (layout, genesis, key, version) = (Layout::new(dir), genesis(), key(signer), Version::default());
    StartOptions { layout, config, genesis, key, fresh_journal, sent_log: true, version }
}

async fn try_start(options: StartOptions) -> Result<Node, NodeError> {
    let lock = DirLock::acquire(options.layout.root()).expect("free");
    let block = GenesisBlock::of(&options.genesis).expect("valid");
    let identity = Identity { schema: 1, genesis: block.hash() };
    let store = Arc::new(RocksStore::open(&options.layout.db(), identity).expect("opens"));
    Node::start_on(options, lock, store, &block).await
}

async fn start(dir: &Path, signer: u8, seeds: &[String], fresh_journal: bool) -> Node {
    try_start(options(dir, signer, seeds, fresh_journal)).await.expect("starts")
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

async fn settled(node: &Node) -> u64 {
    node.backend().status().await.expect("status").settled_height
}

async fn settled_above(node: &Node, height: u64) {
    until(&format!("settled above {height}"), node, async || settled(node).await > height).await;
}

/// Everything that left the node, oldest first.
fn said(dir: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(Layout::new(dir).sent_log()).unwrap_or_default();
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn epochs<'s>(said: &'s [Value], kind: &'s str) -> impl Iterator<Item = u64> + 's {
    said.iter().filter(move |line| line["kind"] == kind).filter_map(|line| line["epoch"].as_u64())
}

/// One proposal an epoch; one vote a height.
fn contradicts_nothing(dir: &Path) {
    let mut signed = BTreeMap::new();
    for line in said(dir) {
        let place = match line["kind"].as_str() {
            Some("vote") => format!("vote at height {}", line["height"]),
            Some("proposal") => format!("proposal in epoch {}", line["epoch"]),
            _ => continue,
        };
        let known = signed.insert(place.clone(), line["hash"].clone());
        assert!(known.is_none_or(|hash| hash == line["hash"]), "a second {place}");
    }
}

/// Waits until a node that is alone has said twice that it wants the next epoch. True if it had proposed in this one.
async fn is_left_with_a_proposal(node: &Node, dir: &Path) -> bool {
    let before = said(dir).len();
    let again = async || {
        let changes: Vec<u64> = epochs(&said(dir)[before..], "ec").collect();
        changes.len() >= 2 && changes[0] == changes[changes.len() - 1]
    };
    until("it wants the next epoch", node, again).await;
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
    until("it is heard again", &node, async || epochs(&said(one)[before..], "ec").next().is_some()).await;
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
    let mut failing = options(two, 2, &seeds, true);
    failing.config.rpc_enabled = true;
    failing.config.rpc_port = taken.local_addr().expect("bound").port();
    let error = try_start(failing).await.err().expect("the port is taken");
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

    let before = said(two).len();
    let node = start(two, 2, &[], true).await;
    until("it is heard again", &node, async || epochs(&said(two)[before..], "ec").next().is_some()).await;
    node.stop().await;
    let more: Vec<_> = said(two).split_off(before);
    assert!(more.iter().all(|line| line["kind"] == "ec"), "{more:?}");
    let node = start(two, 2, &other.p2p_addresses(), false).await;
    settled_above(&node, settled(&other).await + 3).await;
    node.stop().await;
    other.stop().await;
}
