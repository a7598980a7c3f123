//! Whole nodes in this process.

mod late_joiner;
mod lifecycle;
mod rollback;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::SecretKey;
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{Preset, assemble};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, StartOptions};
use vigil_primitives::{ChainParams, Genesis, GenesisAccount, GenesisStake, U256, WEI};
use vigil_rpc::{Backend, Version};
use vigil_store::{DirLock, Store};

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
    assemble(params, 1_700_000_000, accounts, stakes).expect("valid")
}

fn options(dir: &Path, genesis: Genesis, signer: u8, seeds: &[String]) -> StartOptions {
    let config = Config {
        rpc_enabled: false,
        metrics_enabled: false,
        p2p_address: std::net::Ipv4Addr::LOCALHOST.into(),
        p2p_port: 0,
        p2p_seeds: seeds.to_vec(),
        ..Config::default()
    };
    let (layout, key, version) = (Layout::new(dir), key(signer), Version::default());
    StartOptions { layout, config, genesis, key, fresh_journal: false, sent_log: true, version }
}

async fn start(options: StartOptions, store: Arc<dyn Store>) -> Node {
    let lock = DirLock::acquire(options.layout.root()).expect("free");
    let block = GenesisBlock::of(&options.genesis).expect("valid");
    Node::start_on(options, lock, store, &block).await.expect("starts")
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

/// Reads what left a node: no two votes at a height.
fn contradicts_nothing(dir: &Path) {
    let mut votes = std::collections::BTreeMap::new();
    for line in std::fs::read_to_string(Layout::new(dir).sent_log()).expect("written").lines() {
        let said: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if said["kind"] == "vote" {
            let known = votes.insert(said["height"].as_u64(), said["hash"].clone());
            assert!(known.is_none_or(|hash| hash == said["hash"]), "two votes at {}", said["height"]);
        }
    }
}
