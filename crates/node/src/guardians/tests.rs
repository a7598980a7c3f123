//! Seats on a chain that has settled nothing yet, and journals that are lost or cannot be written.

use super::host::Work;
use super::*;
use crate::chain::{Chain, GenesisBlock};
use crate::engine::Clock;
use crate::genesis::{Preset, assemble};
use crate::health::Health;
use crate::keys::NodeKeys;
use crate::layout::Layout;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_accel::Engine;
use vigil_consensus::finality::{Effect, Input, Journal, Record, SettledCheckpoint};
use vigil_crypto::{SecretKey, bls};
use vigil_net::{Head, NetConfig, Network, PeerId};
use vigil_primitives::{Address, Checkpoint, GenesisAccount, GenesisStake, GuardianSet, Hash, U256, WEI};
use vigil_store::MemoryStore;

fn key() -> SecretKey {
    SecretKey::from_bytes(&[1; 32]).expect("a key")
}

fn chain() -> Chain {
    let [theta, tfuel, amount] = [2_000_000, 1_000, 500_000].map(|n: u64| U256::from(n) * U256::from(WEI));
    let (address, source, holder) = (key().address(), key().address(), key().address());
    let (account, stake) = (GenesisAccount { address, theta, tfuel }, GenesisStake { source, holder, amount });
    let genesis = assemble(Preset::Theta.params(), 1, vec![account], vec![stake], Vec::new()).expect("valid");
    let block = GenesisBlock::of(&genesis).expect("valid");
    Chain::open(Arc::new(MemoryStore::default()), &genesis, &block, 1).expect("opens").0
}

fn health() -> Arc<Health> {
    Arc::new(Health::new(false, Duration::from_secs(3_600)))
}

fn id(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Guardians 1 and 2.
fn seats(dir: &Path, chain: &Chain, silence: &mut Silence, fresh: bool) -> Vec<Seat> {
    let guardian = |n| (id(n), bls::SecretKey::from_bytes(&[n; 32]).expect("a key"));
    open_seats(&Layout::new(dir), chain, silence, id(9), &PeerId::random(), [1, 2].map(guardian).into(), fresh)
        .expect("opens")
}

/// Nothing could be voted on, so nothing was: with a vote for a block that nobody has, it would be silent for ever.
#[test]
fn a_journal_lost_before_the_first_checkpoint_begins_empty() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (chain, health) = (chain(), health());
    let mut silence = Silence::new(Arc::clone(&health));
    drop(seats(dir.path(), &chain, &mut silence, false));
    std::fs::remove_file(Layout::new(dir.path()).guardian_journal(&id(1))).expect("removed");
    let found = seats(dir.path(), &chain, &mut silence, true);
    let votes: Vec<Journal> = found.iter().filter_map(|seat| Some(seat.journal.as_ref()?.votes())).collect();
    assert_eq!(votes, [Journal::default(); 2]);
    assert_eq!(health.reason(0), None);
}

async fn work(dir: &Path, health: &Arc<Health>) -> Work {
    let chain = Arc::new(chain());
    let net = NetConfig::new(dir).listen_on(std::net::Ipv4Addr::LOCALHOST.into(), 0);
    let (head, keys) = (Head { height: 0, hash: chain.genesis() }, NodeKeys::new(key(), Engine::small()));
    let (net, _) = Network::start(net, chain.sign_domain(), head, Arc::new(keys)).await.expect("starts");
    let mut silence = Silence::new(Arc::clone(health));
    let seats = seats(dir, &chain, &mut silence, false);
    let host = Host {
        guardians: Guardians::new().0,
        seats,
        set: newest_set(&chain).expect("readable"),
        verifier: Arc::new(Verifier::new(Engine::small(), chain.scheme())),
        chain,
        net,
        health: Arc::clone(health),
        silence,
        offences: tokio::sync::mpsc::channel(1).0,
        clock: Clock::start(),
    };
    host.at_work()
}

/// The time of the next attempt has come.
fn try_again(work: &mut Work) {
    work.host.seats[0].waiting.as_mut().expect("it waits").at = 0;
    work.on_timers();
}

#[tokio::test]
async fn a_seat_that_waits_for_its_journal_holds_up_nobody() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let health = health();
    let mut work = work(dir.path(), &health).await;
    let (path, away) = (Layout::new(dir.path()).guardian_journal(&id(1)), dir.path().join("away"));
    work.host.seats[0].journal.as_mut().expect("a journal").journal = None;
    std::fs::rename(&path, &away).expect("moved");

    let vote = Checkpoint { height: 100, block_hash: Hash::repeat_byte(1), ..Checkpoint::default() };
    for seat in [0, 1] {
        work.perform_all(seat, vec![Effect::Journal(Record::Vote(vote)), Effect::SetTimer(u64::MAX)]);
    }
    let timers = |work: &Work| work.host.seats.iter().map(|seat| seat.timer).collect::<Vec<_>>();
    assert_eq!(timers(&work), [None, Some(u64::MAX)], "what follows the vote is put off");
    let voted = |work: &Work, seat: usize| work.host.seats[seat].journal.as_ref().expect("a journal").votes().last;
    assert_eq!((voted(&work, 0), voted(&work, 1)), (None, Some(vote)));
    assert!(health.reason(0).expect("a reason").contains("cannot write its journal"));

    let set = Arc::new(GuardianSet::default());
    let settled = SettledCheckpoint { height: 100, block_hash: vote.block_hash, set };
    work.queue.extend([0, 1].map(|seat| (seat, Input::Settled(vec![settled.clone()]))));
    work.drain();
    try_again(&mut work);
    work.drain();
    let voting = |work: &Work| {
        let heights = work.host.seats.iter().map(|seat| seat.machine.view().voting.map(|checkpoint| checkpoint.height));
        heights.collect::<Vec<_>>()
    };
    assert_eq!(voting(&work), [None, Some(100)], "the journal is still away");

    std::fs::rename(&away, &path).expect("moved");
    try_again(&mut work);
    assert_eq!((voted(&work, 0), timers(&work)[0], health.reason(0)), (Some(vote), Some(u64::MAX), None));
    work.drain();
    assert_eq!(voting(&work), [Some(100); 2], "what it was told meanwhile");
    assert!(work.host.seats[0].waiting.is_none());
}
