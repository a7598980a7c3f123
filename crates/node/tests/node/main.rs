//! Whole nodes in this process.

mod contracts;
mod dropped;
mod duplicates;
mod finality_rpc;
mod fresh;
mod guardian_slashing;
mod guardians;
mod late_joiner;
mod lifecycle;
mod rollback;
mod slashing;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_accel::Engine;
use vigil_crypto::{SecretKey, sign_tx};
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, NodeError, StartOptions};
use vigil_primitives::{
    Address, Bytes, ChainParams, Coins, Genesis, GenesisAccount, GenesisStake, Send, Signature, Tx, TxInput, TxOutput,
    U256, WEI,
};
use vigil_rpc::{Backend, Version};
use vigil_store::{DirLock, Identity, RocksStore, Store};

/// A probe that fails this often has failed.
const PROBES_MAX: u32 = 6_000;

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn tokens(n: u64) -> U256 {
    U256::from(n) * U256::from(WEI)
}

/// A chain of blocks every few milliseconds. Keys of `sources` have tokens; `stakes`: source and holder.
fn genesis(sources: &[u8], stakes: &[(u8, u8)], change: impl FnOnce(&mut ChainParams)) -> Genesis {
    let mut params = Preset::Theta.params();
    (params.block_interval_ms, params.delta_ms) = (20, 50);
    change(&mut params);
    let account =
        |n: &u8| GenesisAccount { address: key(*n).address(), theta: tokens(2_000_000), tfuel: tokens(1_000) };
    let stake = |(source, holder): &(u8, u8)| GenesisStake {
        source: key(*source).address(),
        holder: key(*holder).address(),
        amount: tokens(500_000),
    };
    let (accounts, stakes) = (sources.iter().map(account).collect(), stakes.iter().map(stake).collect());
    assemble(params, 1_700_000_000, accounts, stakes, Vec::new()).expect("valid")
}

fn options(dir: &Path, genesis: Genesis, signer: u8, seeds: &[String]) -> StartOptions {
    let config = Config {
        rpc_enabled: false,
        eth_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        p2p_seeds: seeds.to_vec(),
        ..Config::default()
    };
    let (layout, key, version) = (Layout::new(dir), key(signer), Version::default());
    StartOptions {
        layout,
        config,
        genesis,
        key,
        guardians: Vec::new(),
        fresh_journal: false,
        sent_log: true,
        engine: Engine::small(),
        version,
    }
}

async fn try_start(options: StartOptions, store: Arc<dyn Store>) -> Result<Node, NodeError> {
    let lock = DirLock::acquire(options.layout.root()).expect("free");
    let block = GenesisBlock::of(&options.genesis).expect("valid");
    Node::start_on(options, lock, store, &block).await
}

async fn start(options: StartOptions, store: Arc<dyn Store>) -> Node {
    try_start(options, store).await.expect("starts")
}

/// The database in the data directory.
fn stored(options: &StartOptions) -> Arc<dyn Store> {
    let genesis = GenesisBlock::of(&options.genesis).expect("valid").hash();
    Arc::new(RocksStore::open(&options.layout.db(), Identity { schema: 2, genesis }).expect("opens"))
}

async fn start_stored(options: StartOptions) -> Node {
    let store = stored(&options);
    start(options, store).await
}

async fn until<T>(what: &str, node: &Node, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..PROBES_MAX {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("gave up: {what}; at {}: {:?}", settled(node).await, node.backend().not_ready().await);
}

async fn settled(node: &Node) -> u64 {
    node.backend().status().await.expect("status").settled_height
}

async fn settled_above(node: &Node, height: u64) -> u64 {
    let probe = async || Some(settled(node).await).filter(|settled| *settled > height);
    until(&format!("settled above {height}"), node, probe).await
}

/// A transaction of one token, paying `fee` tokens.
fn send(from: u8, to: Address, sequence: u64, fee: u64) -> Bytes {
    let [fee, coins, one] = [fee, 1 + fee, 1].map(|n| Coins::tfuel(tokens(n)));
    let input = TxInput { address: key(from).address(), coins, sequence, signature: Signature::none() };
    let output = TxOutput { address: to, coins: one };
    let mut tx = Tx::Send(Send { fee, inputs: vec![input], outputs: vec![output] });
    sign_tx("privatenet", &mut tx, 0, &key(from)).expect("slot 0");
    tx.to_raw().into()
}

/// Everything that left the node, oldest first.
fn said(dir: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(Layout::new(dir).sent_log()).unwrap_or_default();
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
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
