//! A validator that votes twice is reported by a node, and loses its stake.

use super::{key, options, send, settled_above, start, start_stored, stored, tokens, until};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;
use vigil_consensus::Message;
use vigil_crypto::verify_digest;
use vigil_ledger::queries;
use vigil_net::{Head, NetConfig, NetEvent, NetHandle, Network, PeerAuth};
use vigil_node::Node;
use vigil_primitives::{Address, Bytes, Genesis, Hash, SignDomain, Signature, StakePurpose, Vote};
use vigil_rpc::Backend;
use vigil_store::{Column, Store};

/// Key 1 validates with three quarters of the stake, so it needs nobody; key 6 is the offender. Key `reporter` has an
/// account.
fn genesis(reporter: u8) -> Genesis {
    let sources = [2, 3, 4, 5, reporter];
    super::genesis(&sources, &[(2, 1), (3, 1), (4, 1), (5, 6)], |params| params.checkpoint_interval = 5)
}

struct Offender;

impl PeerAuth for Offender {
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)> {
        Some((key(6).address(), key(6).sign(digest)))
    }

    fn verify(&self, address: &Address, digest: &Hash, signature: &Signature) -> bool {
        verify_digest(address, digest, signature)
    }
}

fn vote(domain: &SignDomain, height: u64, block: u8) -> Bytes {
    let unsigned = Vote {
        height,
        block_hash: Hash::repeat_byte(block),
        block_epoch: height + 1,
        source_set: 0,
        source_height: height - 1,
        source_hash: Hash::repeat_byte(1),
        voter: key(6).address(),
        signature: Signature::none(),
    };
    let signature = key(6).sign(&unsigned.digest(domain));
    Message::Vote(Vote { signature, ..unsigned }).encode().into()
}

/// The offender's connection to a node.
pub(super) async fn join(dir: &Path, node: &Node) -> (NetHandle, Receiver<NetEvent>) {
    let mut net = NetConfig::new(dir).listen_on(std::net::Ipv4Addr::LOCALHOST.into(), 0);
    net.seeds = node.p2p_addresses().iter().map(|a| a.parse().expect("an address")).collect();
    // Blocks of a test come faster than those of a network; it does not mind.
    net.rates.consensus_unproven = (100_000, 10_000);
    let chain = &node.backend().chain;
    let head = Head { height: 0, hash: chain.genesis() };
    Network::start(net, chain.sign_domain(), head, Arc::new(Offender)).await.expect("starts")
}

/// Hears what the node says, and does nothing about it.
pub(super) fn ignore(mut events: Receiver<NetEvent>) {
    tokio::spawn(async move { while events.recv().await.is_some() {} });
}

async fn connect(dir: &Path, node: &Node) -> NetHandle {
    let (net, events) = join(dir, node).await;
    ignore(events);
    net
}

fn slashed_at(node: &Node) -> Option<u64> {
    let state = &node.backend().chain.head().as_parent.state;
    queries::slashed_at(state, StakePurpose::Validator, &key(6).address()).expect("reads")
}

/// Makes the offender vote twice and waits until it is slashed on `node`.
async fn slashed(offender: &NetHandle, seen_by: &Node, node: &Node) {
    let domain = seen_by.backend().chain.sign_domain();
    let height = settled_above(seen_by, 2).await;
    let votes = [vote(&domain, height, 7), vote(&domain, height, 8)];
    let probe = async || {
        for vote in &votes {
            offender.broadcast_consensus(vote.clone()).expect("sent");
        }
        slashed_at(node)
    };
    until("slashed", node, probe).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_vote_costs_the_stake() {
    let [dir, other] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let node = start_stored(options(dir.path(), genesis(1), 1, &[])).await;
    let offender = connect(other.path(), &node).await;
    slashed(&offender, &node, &node).await;
    let head = node.backend().chain.head();
    let (state, supply) = (&head.as_parent.state, &head.as_parent.supply);
    vigil_ledger::check_supply(state, supply).expect("every coin is accounted for");
    assert_eq!(supply.burned.theta, tokens(475_000));
    let reporter = queries::account(state, 0, &key(1).address()).expect("reads").expect("an account");
    assert_eq!(reporter.balance.theta, tokens(2_025_000), "5 %");
    let committee = async || {
        let seen = node.backend().observatory.lock().expect("no panic").validators.clone();
        (seen == [key(1).address()]).then_some(())
    };
    until("out of the committee", &node, committee).await;
    settled_above(&node, head.as_parent.height + 5).await;
    offender.shutdown().await;
    node.stop().await;
}

/// The validator has no account to report with; a follower has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_reports_too() {
    let [dir, following, other] = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let node = start_stored(options(dir.path(), genesis(7), 1, &[])).await;
    let mut follow = options(following.path(), genesis(7), 7, &node.p2p_addresses());
    follow.config.validator_enabled = false;
    let follower = start_stored(follow).await;
    let offender = connect(other.path(), &follower).await;
    slashed(&offender, &follower, &node).await;
    let state = node.backend().chain.head().as_parent.state.clone();
    let reporter = queries::account(&state, 0, &key(7).address()).expect("reads").expect("an account");
    assert_eq!(reporter.balance.theta, tokens(2_025_000), "5 %");
    offender.shutdown().await;
    follower.stop().await;
    node.stop().await;
}

/// Nobody can report the fault until the node has started again: it is in the store before the node stops, as if it had been
/// killed, and the offender is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_before_a_restart_is_reported_after_it() {
    let [dir, other] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let again = || options(dir.path(), genesis(7), 1, &[]);
    let store = stored(&again());
    let faults = |store: &dyn Store| store.scan(Column::Meta, b"fault/", &[], 9).expect("reads").len();
    let node = start(again(), Arc::clone(&store)).await;
    let offender = connect(other.path(), &node).await;
    let domain = node.backend().chain.sign_domain();
    let height = settled_above(&node, 2).await;
    let found = async || {
        for block in [7, 8] {
            offender.broadcast_consensus(vote(&domain, height, block)).expect("sent");
        }
        (faults(store.as_ref()) > 0).then_some(())
    };
    until("found and stored", &node, found).await;
    offender.shutdown().await;
    settled_above(&node, height + 20).await;
    assert_eq!(slashed_at(&node), None, "there is no account to report with");
    node.stop().await;

    let node = start(again(), Arc::clone(&store)).await;
    assert_eq!(faults(store.as_ref()), 1);
    node.backend().broadcast_and_wait(send(7, key(1).address(), 1, 1)).await.expect("settles");
    until("slashed", &node, async || slashed_at(&node)).await;
    until("closed", &node, async || (faults(store.as_ref()) == 0).then_some(())).await;
    let state = node.backend().chain.head().as_parent.state.clone();
    let reporter = queries::account(&state, 0, &key(1).address()).expect("reads").expect("an account");
    assert_eq!(reporter.balance.theta, tokens(25_000), "5 %");
    node.stop().await;
}
