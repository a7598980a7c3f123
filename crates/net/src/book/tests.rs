use super::*;
use crate::record::tests::record;

const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

fn address(n: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{n}").parse().unwrap()
}

fn book(seeds: &[Multiaddr], now: Instant) -> (Book, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Book::load(dir.path().join("peers.json"), PeerId::random(), seeds, BACKOFF, now).unwrap(), dir)
}

fn nobody(_: &PeerId) -> bool {
    false
}

#[test]
fn backs_off_from_2_to_30_seconds() {
    let mut now = Instant::now();
    let (mut book, _dir) = book(&[address(1)], now);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let dial = book.due(false, now, nobody).pop().expect("due");
        book.failed(dial.connection_id());
        let start = now;
        while book.due(false, now, nobody).is_empty() {
            now += Duration::from_secs(1);
            if now - start > Duration::from_secs(60) {
                panic!("never due again");
            }
        }
        waits.push((now - start).as_secs());
        // The probe above started a dial of its own: take it back.
        let target = &mut book.targets[0];
        target.failures -= 1;
        target.next = now;
        target.dial = None;
    }
    assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn a_dial_under_way_is_not_repeated_and_hello_resets_the_wait() {
    let now = Instant::now();
    let (mut book, _dir) = book(&[address(1)], now);
    let peer = PeerId::random();
    let dial = book.due(false, now, nobody).pop().unwrap();
    let later = now + Duration::from_secs(100);
    assert!(book.due(false, later, nobody).is_empty());
    book.established(dial.connection_id(), peer);
    book.ready(&peer);
    assert!(book.is_seed(&peer));
    assert!(book.due(false, later, |id| *id == peer).is_empty(), "connected");
    book.lost(&peer, later);
    assert!(book.due(false, later + Duration::from_secs(1), nobody).is_empty());
    assert_eq!(book.due(false, later + Duration::from_secs(2), nobody).len(), 1);
}

#[test]
fn learnt_peers_are_dialled_only_when_more_are_wanted_and_forgotten_when_dead() {
    let mut now = Instant::now();
    let (mut book, _dir) = book(&[], now);
    book.learn(PeerId::random(), [address(1)], now);
    assert!(book.due(false, now, nobody).is_empty());
    for _ in 0..FAILURES_UNKNOWN_MAX {
        let dial = book.due(true, now, nobody).pop().unwrap();
        book.failed(dial.connection_id());
        now += BACKOFF.1;
    }
    assert!(book.targets.is_empty());
}

#[test]
fn hearsay_moves_neither_seeds_nor_validators_and_pushes_nothing_out() {
    let now = Instant::now();
    let (mut book, _dir) = book(&[], now);
    let peers @ [seed, validator, other] = [(); 3].map(|()| PeerId::random());
    book.add_seed(address(1).with(Protocol::P2p(seed)), now);
    book.set_validators([(validator, vec![address(2)])].into_iter(), now);
    book.learn(other, [address(3)], now);
    for peer in peers {
        book.learn(peer, (1..=20).map(|n| address(10_000 + n)), now);
    }
    let known =
        |book: &Book| peers.map(|peer| book.targets.iter().find(|t| t.peer == Some(peer)).unwrap().addresses.clone());
    let [of_seed, of_validator, of_other] = known(&book);
    assert_eq!((of_seed, of_validator), (vec![address(1).with(Protocol::P2p(seed))], vec![address(2)]));
    assert_eq!((of_other[0].clone(), of_other.len()), (address(3), ADDRESSES_MAX));
    book.told_by_itself(other, [address(4)], now);
    assert_eq!(known(&book)[2][..2], [address(4), address(3)]);
}

#[test]
fn we_do_not_dial_ourselves() {
    let now = Instant::now();
    let (mut book, _dir) = book(&[address(1)], now);
    let local = book.local;
    book.learn(local, [address(2)], now);
    book.add_seed(address(3).with(Protocol::P2p(local)), now);
    let dial = book.due(true, now, nobody).pop().unwrap();
    book.is_us(dial.connection_id());
    assert!(book.targets.is_empty());
}

#[test]
fn another_chain_waits_ten_minutes() {
    let now = Instant::now();
    let (mut book, _dir) = book(&[], now);
    let peer = PeerId::random();
    book.add_seed(address(1).with(Protocol::P2p(peer)), now);
    book.refuse(&peer, now);
    assert!(book.due(true, now + REFUSED_FOR - Duration::from_secs(1), nobody).is_empty());
    assert_eq!(book.due(true, now + REFUSED_FOR, nobody).len(), 1);
}

#[test]
fn peers_that_were_reached_survive_a_restart() {
    let now = Instant::now();
    let (mut book, dir) = book(&[], now);
    let (reached, heard_of) = (PeerId::random(), PeerId::random());
    book.learn(reached, [address(1).with(Protocol::P2p(reached))], now);
    book.learn(heard_of, [address(2)], now);
    book.ready(&reached);
    let records = [record(1, 7), record(2, 8)];
    book.save(records.iter()).unwrap();
    let again = Book::load(dir.path().join("peers.json"), PeerId::random(), &[], BACKOFF, now).unwrap();
    let targets: Vec<_> = again.targets.iter().map(|target| (target.peer.unwrap(), target.addresses.clone())).collect();
    assert_eq!(targets, [(reached, vec![address(1)])]);
    assert_eq!(again.saved_records(), records);
}

#[test]
fn files_without_records_and_with_broken_ones_are_read() {
    let now = Instant::now();
    let peer = PeerId::random();
    let good = hex::encode(record(1, 7).encode());
    for (text, records) in [
        (format!(r#"{{"{peer}": ["/ip4/127.0.0.1/tcp/1"]}}"#), vec![]),
        (
            format!(r#"{{"peers": {{"{peer}": ["/ip4/127.0.0.1/tcp/1"]}}, "records": ["zz", "00", "{good}"]}}"#),
            vec![record(1, 7)],
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.json");
        std::fs::write(&path, text).unwrap();
        let book = Book::load(path, PeerId::random(), &[], BACKOFF, now).unwrap();
        assert_eq!(book.targets[0].peer, Some(peer));
        assert_eq!(book.saved_records(), records);
    }
}

#[test]
fn validators_are_always_wanted_and_others_are_not() {
    let mut now = Instant::now();
    let (mut book, _dir) = book(&[], now);
    book.local = PeerId::from_bytes(&[0, 0]).unwrap();
    let peers = [PeerId::random(), PeerId::random()];
    book.learn(peers[0], [address(1)], now);
    book.set_validators([(peers[0], vec![address(2)]), (book.local, vec![address(3)])].into_iter(), now);
    book.set_validators([(peers[0], vec![address(2)]), (peers[1], vec![])].into_iter(), now);
    assert_eq!(book.targets.len(), 1, "neither ourselves nor one without a usable address");
    assert_eq!(book.targets[0].addresses, [address(2), address(1)]);
    for _ in 0..3 * FAILURES_UNKNOWN_MAX {
        let dial = book.due(false, now, nobody).pop().expect("a validator is not forgotten");
        book.failed(dial.connection_id());
        now += UNPROVEN_BACKOFF_MAX;
    }
    book.set_validators(std::iter::empty(), now);
    assert!(book.due(false, now, nobody).is_empty(), "no validator any more");
}

#[test]
fn of_two_validators_one_waits_for_the_others_dial() {
    let now = Instant::now();
    for (local, waits) in
        [(PeerId::from_bytes(&[0, 0]).unwrap(), false), (PeerId::from_bytes(&[0, 1, 255]).unwrap(), true)]
    {
        let (mut book, _dir) = book(&[], now);
        book.local = local;
        book.set_validators([(PeerId::from_bytes(&[0, 1, 7]).unwrap(), vec![address(1)])].into_iter(), now);
        assert_eq!(book.due(false, now, nobody).is_empty(), waits);
        assert_eq!(book.due(false, now + HEAD_START, nobody).len(), usize::from(waits));
    }
}

/// A validator that names a victim's address, and another one every time it is asked, makes us dial seldom.
#[test]
fn news_of_a_validator_do_not_shorten_the_wait() {
    let (start, peer) = (Instant::now(), PeerId::random());
    let (mut book, _dir) = book(&[], start);
    let (mut dials, mut now) = (0, start);
    while now < start + Duration::from_secs(3_600) {
        book.set_validators([(peer, vec![address((now - start).as_secs() as u16 + 1)])].into_iter(), now);
        for dial in book.due(false, now, nobody) {
            dials += 1;
            book.failed(dial.connection_id());
        }
        now += Duration::from_secs(1);
    }
    assert!((10..25).contains(&dials), "{dials} dials in an hour");
    assert_eq!(book.targets[0].addresses.len(), ADDRESSES_MAX);
}

#[test]
fn the_book_is_bounded() {
    let now = Instant::now();
    let (mut book, _dir) = book(&[], now);
    for n in 0..LEARNT_MAX as u16 + 5 {
        book.learn(PeerId::random(), [address(n + 1)], now);
    }
    assert_eq!(book.targets.len(), LEARNT_MAX);
    let peer = book.targets[0].peer.unwrap();
    book.learn(peer, (1..=20).map(|n| address(10_000 + n)), now);
    assert_eq!(book.targets[0].addresses.len(), ADDRESSES_MAX);
    assert_eq!(book.due(true, now, nobody).len(), LEARNT_DIALS_MAX);
    let validators: Vec<_> = book.targets.iter().map(|target| (target.peer.unwrap(), vec![])).collect();
    book.set_validators(validators.into_iter(), now);
    assert_eq!(book.due(true, now, nobody).len(), DIALS_MAX);
}
