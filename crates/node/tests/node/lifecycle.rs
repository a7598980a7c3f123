//! Whole nodes in this process: one validator settles by itself, stops, starts again, loses its disk or its journal.

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
};
use vigil_rpc::{Backend, Read, StateAt, TxPlace, Version};
use vigil_store::testing::{FailingStore, Failure};
use vigil_store::{DirLock, Identity, MemoryStore, RocksStore, Store};

/// A probe that fails this often has failed.
const PROBES_MAX: u32 = 6_000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn genesis() -> Genesis {
    let mut params = Preset::Theta.params();
    params.block_interval_ms = 20;
    params.delta_ms = 50;
    params.checkpoint_interval = 5;
    let tokens = |n: u64| U256::from(n) * U256::from(WEI);
    let account = |n: u8| GenesisAccount { address: key(n).address(), theta: tokens(1_000_000), tfuel: tokens(1_000) };
    let stakes = vec![GenesisStake { source: key(2).address(), holder: key(1).address(), amount: tokens(500_000) }];
    assemble(params, 1_700_000_000, vec![account(2), account(3)], stakes).expect("valid")
}

async fn start(dir: &Path, store: Arc<dyn Store>, fresh_journal: bool) -> Node {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        ..Config::default()
    };
    let (layout, genesis) = (Layout::new(dir), genesis());
    let lock = DirLock::acquire(dir).expect("free");
    let block = GenesisBlock::of(&genesis).expect("valid");
    let options = StartOptions {
        layout,
        config,
        genesis,
        key: key(1),
        fresh_journal,
        sent_log: true,
        version: Version::default(),
    };
    Node::start_on(options, lock, store, &block).await.expect("starts")
}

async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..PROBES_MAX {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("gave up: {what}");
}

async fn settled(node: &Node) -> u64 {
    node.backend().status().await.expect("status").settled_height
}

async fn settled_above(node: &Node, height: u64) -> u64 {
    until(&format!("settled above {height}"), async || Some(settled(node).await).filter(|h| *h > height)).await
}

fn send(from: u8, to: Address, sequence: u64) -> Bytes {
    let fee = Coins::tfuel(U256::from(WEI));
    let coins = Coins::tfuel(U256::from(2 * WEI));
    let input = TxInput { address: key(from).address(), coins, sequence, signature: Signature::none() };
    let output = TxOutput { address: to, coins: Coins::tfuel(U256::from(WEI)) };
    let mut tx = Tx::Send(Send { fee, inputs: vec![input], outputs: vec![output] });
    sign_tx("privatenet", &mut tx, 0, &key(from)).expect("slot 0");
    tx.to_raw().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_settles_and_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let identity = Identity { schema: 1, genesis: GenesisBlock::of(&genesis()).expect("valid").hash() };
    let open = || Arc::new(RocksStore::open(&dir.path().join("db"), identity).expect("opens"));
    let node = start(dir.path(), open(), false).await;
    let to = Address::repeat_byte(9);
    let (hash, header) = node.backend().broadcast_and_wait(send(3, to, 1)).await.expect("settles");
    let height = settled_above(&node, header.height + 5).await;
    node.stop().await;

    let node = start(dir.path(), open(), false).await;
    assert!(settled(&node).await >= height, "nothing settled is lost");
    match node.backend().transaction(hash).await.expect("read") {
        TxPlace::InBlock { height, settled: true, .. } => assert_eq!(height, header.height),
        other => panic!("{other:?}"),
    }
    settled_above(&node, height + 3).await;
    let again = node.backend().broadcast(send(3, to, 1)).await.expect_err("used sequence").to_string();
    assert!(again.contains("Got 1, expected 2"), "{again}");
    node.backend().broadcast_and_wait(send(3, to, 2)).await.expect("settles");
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
    until("it says something", async || Some(()).filter(|()| sent().lines().count() > before)).await;
    node.stop().await;
    let mut votes = std::collections::BTreeMap::new();
    for line in sent().lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if message["kind"] == "vote" {
            let known = votes.insert(message["height"].as_u64(), message["hash"].clone());
            assert!(known.is_none_or(|hash| hash == message["hash"]), "two votes at {}", message["height"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_voting_says_why_and_heals() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let node = start(dir.path(), store.clone(), false).await;
    settled_above(&node, 2).await;
    store.fail_after(0, Failure::DiskFull);
    let reason =
        until("the fault", async || node.backend().not_ready().await.filter(|r| r.contains("disk full"))).await;
    assert!(reason.contains("not voting"), "{reason}");
    let height = settled(&node).await;
    store.heal();
    settled_above(&node, height + 2).await;
    until("the fault is over", async || {
        Some(()).filter(|()| true).and(match node.backend().not_ready().await {
            Some(reason) if reason.contains("disk full") => None,
            _ => Some(()),
        })
    })
    .await;
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
