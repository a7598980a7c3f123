//! Parts of a node, each opened from what the operator gave.

use super::NodeError;
use crate::chain::{Chain, ExecutedBlock};
use crate::engine::{JournalRefusal, Signer};
use crate::executor::OnSettled;
use crate::guardians::{self, Guardians, settled_checkpoint};
use crate::health::{Fault, Health};
use crate::keys::NodeKeys;
use crate::sync_driver::ChainNews;
use crate::{Config, layout::Layout};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use vigil_consensus::{Floor, JournalState, Recovered};
use vigil_net::{Head, Multiaddr, NetConfig, NetEvent, NetHandle, Network, Role};
use vigil_primitives::{Address, FinalityCert, Height};

/// Block intervals that the chain may stand still before the node says so; and at least this long.
const STANDSTILL_INTERVALS: u32 = 20;
const STANDSTILL_MIN: Duration = Duration::from_secs(15);
/// Below this many peers the network looks for more.
const DISCOVERY_PEERS: usize = 24;

pub(super) fn health(chain: &Chain, recovered: &Recovered) -> Health {
    let interval = Duration::from_millis(chain.params().block_interval_ms);
    let health = Health::new(
        recovered.restart.validators().members().len() > 1,
        STANDSTILL_MIN.max(interval * STANDSTILL_INTERVALS),
    );
    let head = chain.head();
    health.settled(head.as_parent.height, head.as_parent.timestamp);
    health
}

/// Opens the journal. A journal that must not be used is a fault, not an error: the node follows the chain and says why
/// it does not sign.
pub(super) fn signer(
    config: &Config,
    layout: &Layout,
    chain: &Chain,
    recovered: &Recovered,
    health: &Health,
    me: Address,
    fresh: bool,
) -> Result<Option<(Signer, JournalState)>, NodeError> {
    if !config.validator_enabled {
        return Ok(None);
    }
    let lost = fresh.then(|| stored_blocks(recovered));
    match Signer::open(layout, me, &chain.genesis(), chain.has_signed(&me)?, lost) {
        Ok((signer, state)) => {
            chain.begin_signing(me, signer.signed())?;
            tell_if_database_is_older(chain, &state)?;
            Ok(Some((signer, state)))
        }
        Err(refusal @ JournalRefusal::Exists { .. }) => Err(refusal.into()),
        Err(refusal) => {
            health.raise(Fault::NotSigning, refusal.to_string());
            Ok(None)
        }
    }
}

/// What a lost journal may have held by the blocks of the database: each is stored before it is voted for or proposed.
/// The epoch after the settled head counts too: the next one begins only when a quorum was heard. The sources of blocks
/// above it are the machine's to find.
fn stored_blocks(recovered: &Recovered) -> Floor {
    let head = recovered.restart.head();
    let (source_set, source_height) = (head.hcc_set, head.hcc_height);
    let head = Floor { epoch: head.epoch + 1, height: head.height, hash: head.hash, source_set, source_height };
    recovered.pending.iter().fold(head, |floor, (block, _)| {
        let (epoch, height) = (block.header.epoch, block.header.height);
        floor.raised_to(Floor { epoch, height, hash: block.hash(), ..Floor::default() })
    })
}

/// A database that lacks what its key voted for is an older copy, or new. That does no harm as long as the journal is the
/// newest: blocks come again, and nothing is signed against the journal.
fn tell_if_database_is_older(chain: &Chain, journal: &JournalState) -> Result<(), NodeError> {
    if let Some(vote) = &journal.last_vote
        && chain.block_bytes(&vote.block_hash)?.is_none()
    {
        let (settled, voted) = (chain.head().as_parent.height, vote.height);
        tracing::warn!(settled, voted, "the chain database is older than the signing journal: fetching blocks again");
    }
    Ok(())
}

pub(super) async fn network(
    config: &Config,
    layout: &Layout,
    chain: &Chain,
    keys: NodeKeys,
) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NodeError> {
    let net = net_config(config, layout)?;
    let head = chain.head();
    let head = Head { height: head.as_parent.height, hash: head.hash };
    Ok(Network::start(net, chain.sign_domain(), head, Arc::new(keys)).await?)
}

fn net_config(config: &Config, layout: &Layout) -> Result<NetConfig, NodeError> {
    let mut net = NetConfig::new(layout.root()).listen_on(config.p2p_address, config.p2p_port);
    if !config.p2p_quic {
        net.listen.truncate(1);
    }
    net.seeds = addresses("p2p.seeds", &config.p2p_seeds)?;
    net.advertise = addresses("p2p.advertise", &config.p2p_advertise)?;
    net.per_address_max = config.p2p_peers_per_address_max;
    net.max_peers = config.p2p_peers_max;
    net.discovery = config.p2p_discovery;
    // Peers name addresses too: without discovery they are not dialled.
    net.target_peers = if config.p2p_discovery { DISCOVERY_PEERS.min(config.p2p_peers_max) } else { 0 };
    net.role = if config.validator_enabled { Role::Validator } else { Role::Full };
    Ok(net)
}

fn addresses(key: &'static str, texts: &[String]) -> Result<Vec<Multiaddr>, NodeError> {
    let read = |text: &String| text.parse().map_err(|_| NodeError::Multiaddress { key, got: text.clone() });
    texts.iter().map(read).collect()
}

/// What happens after each settlement besides storing it.
pub(super) fn on_settled(
    chain: Arc<Chain>,
    net: NetHandle,
    news: mpsc::UnboundedSender<ChainNews>,
    guardians: Guardians,
    settled: watch::Sender<Height>,
) -> OnSettled {
    Box::new(move |blocks| {
        let Some(head) = blocks.last() else { return };
        tell_guardians(&chain, blocks, &guardians);
        let txs: u64 = blocks.iter().map(|b| b.tx_hashes.len() as u64).sum();
        metrics::counter!("vigil_txs_settled_total").increment(txs);
        metrics::counter!("vigil_blocks_settled_total").increment(blocks.len() as u64);
        metrics::gauge!("vigil_settled_height").set(head.as_parent.height as f64);
        for block in blocks {
            let latency = block.executed_at.elapsed();
            metrics::histogram!("vigil_settle_seconds").record(latency.as_secs_f64());
        }
        settled.send_replace(head.as_parent.height);
        let head = Head { height: head.as_parent.height, hash: head.hash };
        let _net_is_busy = net.publish_status(head);
        let _net_loop_is_gone = news.send(ChainNews::Settled(head));
    })
}

/// Checkpoints among settled blocks, and what they prove.
fn tell_guardians(chain: &Chain, blocks: &[Arc<ExecutedBlock>], guardians: &Guardians) {
    let mut checkpoints = Vec::new();
    for block in blocks {
        match settled_checkpoint(chain, block.hash, &block.block.header) {
            Ok(found) => checkpoints.extend(found),
            Err(error) => tracing::error!(%error, hash = %block.hash, "no guardians of a settled checkpoint"),
        }
    }
    let carried = blocks.iter().filter_map(|block| block.block.header.finality.as_deref());
    let proven: Vec<FinalityCert> = carried.cloned().collect();
    if !checkpoints.is_empty() || !proven.is_empty() {
        guardians.tell(guardians::Event::Settled { checkpoints, proven });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_consensus::{Executed, RestartPoint, ValidatorSet};
    use vigil_primitives::{Block, BlockHeader};

    fn block(height: Height) -> (Arc<Block>, Executed) {
        let header = BlockHeader { height, epoch: height + 1, ..BlockHeader::default() };
        (Arc::new(Block { header, txs: Vec::new() }), Executed::default())
    }

    #[test]
    fn a_lost_journal_may_have_held_votes_for_all_stored_blocks() {
        let set = ValidatorSet::new([(Address::ZERO, 1)]).expect("a set");
        let pending = [1, 3, 4].map(block).to_vec();
        let hash = pending[2].0.hash();
        let (journal, certs) = (JournalState::default(), Vec::new());
        let restart = RestartPoint::genesis(&BlockHeader::default(), set);
        let floor = stored_blocks(&Recovered { journal, restart, pending, certs });
        assert_eq!(floor, Floor { epoch: 5, height: 4, hash, ..Floor::default() });
    }

    #[test]
    fn without_discovery_no_peers_are_looked_for() {
        let net = |discovery| {
            let config = Config { p2p_discovery: discovery, p2p_peers_max: 9, ..Config::default() };
            net_config(&config, &Layout::new("/nowhere")).expect("no addresses to read")
        };
        assert_eq!((net(true).discovery, net(true).target_peers), (true, 9));
        assert_eq!((net(false).discovery, net(false).target_peers), (false, 0));
    }
}
