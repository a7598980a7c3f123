//! The task with peers that are only there on paper, at addresses that a test cannot come from.

use super::link::Greeting;
use super::*;
use crate::address::Source;
use crate::codec::Frame;
use crate::overlay::Outcome;
use crate::queue::{Channel, Outbox};
use crate::record::tests::record;
use crate::record::{AddressRecord, RECORDS_BYTES_MAX, encode_records};
use crate::strikes::STRIKES_MAX;
use crate::{Role, points};
use libp2p::Multiaddr;
use libp2p::request_response::{Event, OutboundFailure, OutboundRequestId};
use libp2p::swarm::ConnectionId;
use vigil_primitives::{Address, Bytes, Hash, Signature, keccak256};

const HERE: &str = "/ip4/203.0.113.7/tcp/30001";

/// "Signs" for validator 1; a signature is a hash of address and digest.
struct Key;

fn signature(address: &Address, digest: &Hash) -> Signature {
    let mut bytes = [0; 65];
    bytes[..32].copy_from_slice(keccak256([address.as_slice(), digest.as_slice()].concat()).as_slice());
    bytes.into()
}

impl PeerAuth for Key {
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)> {
        Some((member(1), signature(&member(1), digest)))
    }

    fn verify(&self, address: &Address, digest: &Hash, given: &Signature) -> bool {
        *given == signature(address, digest)
    }
}

fn member(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn chain() -> SignDomain {
    SignDomain { chain_id: "testnet".into(), genesis_hash: Hash::repeat_byte(7) }
}

fn at(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

/// A task with this configuration that nobody runs.
fn task(config: NetConfig) -> Task {
    let key = libp2p::identity::Keypair::generate_ed25519();
    let swarm = crate::behaviour::swarm(&config, &chain(), &key).unwrap();
    let (_, commands) = mpsc::channel(1);
    let (events, _) = mpsc::channel(1);
    let ends = Ends { commands, events, ready: Arc::default() };
    Task::new(swarm, config, chain(), Head::default(), Arc::new(Key), ends).unwrap()
}

/// A peer that has said hello, at `address`.
fn peer(task: &mut Task, address: &str) -> PeerId {
    let id = PeerId::random();
    let mut link = Link::new(Peer(1), at(address), false, &task.config.rates, Instant::now());
    link.greeting = Some(Greeting { agent: String::new(), role: Role::Full, validator: None });
    link.outbox.open();
    task.links.insert(id, link);
    id
}

fn score(task: &Task, id: PeerId) -> i32 {
    task.scores.get(&id, Instant::now())
}

fn signed(validator: u8, time: u64) -> AddressRecord {
    let mut record = record(validator, time);
    record.signature = signature(&member(validator), &record.place.digest(&chain()));
    record
}

/// What is under way to a peer and not acknowledged.
fn under_way(task: &Task, id: PeerId) -> Vec<(Channel, OutboundRequestId, Vec<u8>)> {
    let messages = task.links[&id].under_way.iter();
    messages.map(|((channel, request), (bytes, _))| (*channel, *request, bytes.to_vec())).collect()
}

#[tokio::test]
async fn what_was_under_way_on_a_connection_that_closed_goes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    let id = peer(&mut task, HERE);
    task.numbers.put(Peer(1), id);
    task.send_guardian(Peer(1), vec![1].into());
    let [(channel, first, bytes)] = &under_way(&task, id)[..] else { panic!("one message") };
    assert_eq!((*channel, &bytes[..]), (Channel::Guardian, &[1][..]));
    let failed = |request_id, error| {
        let connection_id = ConnectionId::new_unchecked(1);
        Event::OutboundFailure { peer: id, connection_id, request_id, error }
    };
    let broken = || OutboundFailure::Io(io::ErrorKind::ConnectionReset.into());
    task.told(failed(*first, OutboundFailure::ConnectionClosed), Channel::Guardian, Instant::now());
    let [(_, second, again)] = &under_way(&task, id)[..] else { panic!("one message") };
    assert_eq!((first == second, again), (false, bytes), "another request of the same message");
    task.told(failed(*second, broken()), Channel::Guardian, Instant::now());
    assert_eq!(under_way(&task, id), [], "once");
    task.send_guardian(Peer(1), vec![2].into());
    let [(_, third, _)] = under_way(&task, id)[..] else { panic!("one message") };
    task.told(failed(third, broken()), Channel::Guardian, Instant::now());
    let [(_, fourth, _)] = under_way(&task, id)[..] else { panic!("streams of QUIC break first") };
    task.told(failed(fourth, OutboundFailure::Timeout), Channel::Guardian, Instant::now());
    assert_eq!(under_way(&task, id), [], "who does not answer is not asked again");
    let many = (0..100).map(|n| vec![n].into());
    many.for_each(|bytes| task.send_guardian(Peer(1), bytes));
    let before = under_way(&task, id);
    for (channel, request, _) in &before {
        task.told(failed(*request, OutboundFailure::ConnectionClosed), *channel, Instant::now());
    }
    assert_eq!(under_way(&task, id).len(), before.len(), "as many as before are in flight");
}

#[tokio::test]
async fn a_hello_that_was_lost_with_its_connection_is_said_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    let id = peer(&mut task, HERE);
    // The peer's hello came, ours is not answered: nothing may leave.
    task.links.get_mut(&id).unwrap().outbox = Outbox::new();
    let mut lose = |error| {
        let connection_id = ConnectionId::new_unchecked(1);
        let request_id = task.swarm.behaviour_mut().control.send_request(&id, Frame::Message(Bytes::new()));
        task.links.get_mut(&id).unwrap().told = Head { height: 9, ..Head::default() };
        task.control_event(Event::OutboundFailure { peer: id, connection_id, request_id, error }, Instant::now());
        task.links[&id].told == task.head
    };
    assert!(lose(OutboundFailure::Io(io::ErrorKind::ConnectionReset.into())), "a hello tells our head");
    assert!(!lose(OutboundFailure::ConnectionClosed), "once");
}

/// `from` sends the records in one message.
fn send(task: &mut Task, from: PeerId, records: &[AddressRecord]) {
    let frame = Frame::Message(encode_records(records.iter()));
    task.records_received(from, &frame, Instant::now());
}

#[tokio::test]
async fn the_third_banned_identity_bans_its_address_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = NetConfig::new(dir.path());
    let mut task = task(config.clone());
    let here = Source::of(&at(HERE)).unwrap();
    for n in 0..STRIKES_MAX {
        assert!(!task.swarm.behaviour().gate.is_banned(&here), "after {n} bans");
        let id = peer(&mut task, HERE);
        task.penalize(id, points::INVALID, "test");
    }
    assert!(task.swarm.behaviour().gate.is_banned(&here));
    assert!(self::task(config).swarm.behaviour().gate.is_banned(&here), "after a restart");
}

#[tokio::test]
async fn loopback_seeds_and_validators_keep_their_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let seeds = vec![at("/ip4/198.51.100.9/tcp/1")];
    let mut task = task(NetConfig { seeds, ..NetConfig::new(dir.path()) });
    task.set_validators(vec![member(2)], Instant::now());
    let relay = peer(&mut task, "/ip4/192.0.2.1/tcp/1");
    send(&mut task, relay, &[signed(2, unix_seconds())]);
    for address in ["/ip4/127.0.0.1/tcp/1", "/ip4/198.51.100.9/tcp/7", HERE] {
        for _ in 0..3 * STRIKES_MAX {
            let id = peer(&mut task, address);
            task.penalize(id, points::INVALID, "test");
        }
    }
    assert!(task.strikes.banned(unix_seconds()).is_empty());
}

#[tokio::test]
async fn bad_records_are_refused_and_scored() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    task.set_validators(vec![member(2), member(3)], Instant::now());
    let now = unix_seconds();
    let forged = AddressRecord { signature: signed(3, now).signature, ..signed(2, now) };
    let mut redirected = signed(2, now);
    redirected.place.addresses = vec![at("/ip4/198.51.100.1/tcp/1")];
    for (what, record, cost) in [
        ("forged", forged, points::INVALID),
        ("redirected", redirected, points::INVALID),
        ("too old", signed(2, now - 16 * 24 * 3_600), points::FLOOD),
        ("too new", signed(2, now + 3_600), 0),
        ("of nobody", signed(9, now), points::FLOOD),
    ] {
        let from = peer(&mut task, HERE);
        send(&mut task, from, &[record]);
        let banned = task.bans.contains(&from, now);
        let scored = score(&task, from);
        assert!(if cost >= 100 { banned } else { scored == -(cost as i32) && !banned }, "{what}: {scored}");
        assert_eq!(task.overlay.records().count(), 0, "{what}");
    }
    for bytes in [vec![0xff; 9], vec![0xc0], vec![0; RECORDS_BYTES_MAX + 1]] {
        let from = peer(&mut task, HERE);
        task.records_received(from, &Frame::Message(bytes.into()), Instant::now());
        assert_eq!(score(&task, from), -(points::MALFORMED as i32));
    }
    let from = peer(&mut task, HERE);
    task.records_received(from, &Frame::Oversize(1 << 20), Instant::now());
    assert_eq!(score(&task, from), -(points::MALFORMED as i32));
}

#[tokio::test]
async fn a_peer_that_is_ahead_may_know_other_validators() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    let from = peer(&mut task, HERE);
    send(&mut task, from, &[signed(9, unix_seconds())]);
    assert_eq!(score(&task, from), 0, "we do not know any yet");
    task.set_validators(vec![member(2)], Instant::now());
    task.links.get_mut(&from).unwrap().head.height = 1;
    send(&mut task, from, &[signed(9, unix_seconds())]);
    assert_eq!(score(&task, from), 0);
    task.links.get_mut(&from).unwrap().head.height = 0;
    send(&mut task, from, &[signed(9, unix_seconds())]);
    assert_eq!(score(&task, from), -1);
}

#[tokio::test]
async fn news_are_told_once_to_all_but_who_brought_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    task.set_validators(vec![member(2)], Instant::now());
    let (from, other) = (peer(&mut task, HERE), peer(&mut task, HERE));
    let record = signed(2, unix_seconds());
    send(&mut task, from, &[record.clone(), record.clone()]);
    let untold = |task: &Task, id| task.links[&id].untold.len();
    assert_eq!((untold(&task, from), untold(&task, other)), (0, 1));
    task.spread_records(Instant::now());
    assert!(task.links[&other].telling_records && untold(&task, other) == 0);
    send(&mut task, from, &[record]);
    assert_eq!(untold(&task, other), 0, "it was no news");
    assert_eq!(score(&task, from), 0);
}

#[tokio::test]
async fn more_records_than_the_rate_are_a_flood() {
    let dir = tempfile::tempdir().unwrap();
    let rates = crate::Rates { addresses: (2, 0), ..crate::Rates::default() };
    let mut task = task(NetConfig { rates, ..NetConfig::new(dir.path()) });
    let from = peer(&mut task, HERE);
    (0..5).for_each(|_| send(&mut task, from, &[signed(9, unix_seconds())]));
    assert_eq!(score(&task, from), -3);
}

#[tokio::test]
async fn our_own_record_follows_the_set_and_our_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let advertise = vec![at(HERE)];
    let mut task = task(NetConfig { advertise, ..NetConfig::new(dir.path()) });
    let own = |task: &Task| task.overlay.get(&member(1)).map(|record| record.place.clone());
    task.set_validators(vec![member(2)], Instant::now());
    task.spread_records(Instant::now());
    assert_eq!(own(&task), None, "we do not validate");
    task.set_validators(vec![member(1)], Instant::now());
    task.spread_records(Instant::now());
    let first = own(&task).expect("we validate");
    assert_eq!((first.peer, &first.addresses[..]), (*task.swarm.local_peer_id(), &[at(HERE)][..]));
    task.spread_records(Instant::now());
    assert_eq!(own(&task).as_ref(), Some(&first), "nothing is new");
    // Somebody with our key was elsewhere a while ago, or we were: now we are here.
    task.overlay = Overlay::default();
    task.set_validators(vec![member(1)], Instant::now());
    assert_eq!(task.take_record(signed(1, first.time - 60), None, first.time), Outcome::Taken);
    task.spread_records(Instant::now());
    assert_eq!(own(&task).expect("renewed").addresses, [at(HERE)]);
}

#[tokio::test]
async fn two_witnesses_tell_a_node_behind_a_nat_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut task = task(NetConfig::new(dir.path()));
    let witness = |task: &mut Task, from: &str, sees: &str| {
        let id = peer(task, from);
        task.links.get_mut(&id).unwrap().sees_us_at = Some(sees.parse().unwrap());
    };
    witness(&mut task, "/ip4/192.0.2.1/tcp/1", "203.0.113.7");
    assert_eq!(task.seen_at(), None, "one may lie");
    witness(&mut task, "/ip4/192.0.2.1/tcp/2", "203.0.113.7");
    assert_eq!(task.seen_at(), None, "the same one twice");
    witness(&mut task, "/ip4/192.0.2.2/tcp/1", "10.0.0.1");
    witness(&mut task, "/ip4/192.0.2.3/tcp/1", "10.0.0.1");
    assert_eq!(task.seen_at(), None, "not a public address");
    witness(&mut task, "/ip4/192.0.2.4/tcp/1", "203.0.113.7");
    assert_eq!(task.seen_at(), Some("203.0.113.7".parse().unwrap()));
}

#[tokio::test]
async fn a_public_node_does_not_dial_into_its_private_network() {
    let dir = tempfile::tempdir().unwrap();
    let advertise = vec![at("/ip4/198.51.100.1/tcp/1")];
    let mut task = task(NetConfig { advertise, ..NetConfig::new(dir.path()) });
    task.set_validators(vec![member(1), member(2), member(3)], Instant::now());
    let relay = peer(&mut task, "/ip4/192.0.2.1/tcp/1");
    let (mut inward, mut mixed) = (signed(2, unix_seconds()), signed(3, unix_seconds()));
    (inward.place.peer, mixed.place.peer) = (PeerId::random(), PeerId::random());
    inward.place.addresses = vec![at("/ip4/10.0.0.1/tcp/80"), at("/ip4/127.0.0.1/tcp/80")];
    mixed.place.addresses = vec![at("/ip4/169.254.169.254/tcp/80"), at(HERE)];
    for record in [&mut inward, &mut mixed] {
        record.signature = signature(&record.place.validator, &record.place.digest(&chain()));
    }
    send(&mut task, relay, &[inward, mixed.clone()]);
    assert_eq!(task.overlay.records().count(), 2, "others may be nearer");
    let later = Instant::now() + Duration::from_secs(9);
    let dials = task.book.due(false, later, |_| false);
    assert_eq!(dials.iter().map(|dial| dial.get_peer_id()).collect::<Vec<_>>(), [Some(mixed.place.peer)]);
}
