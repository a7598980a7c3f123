//! L1 to L4, the parent of a proposal, parking and fetching.

use super::bench::*;
use super::net::*;
use crate::*;
use std::sync::Arc;
use vigil_primitives::*;

fn built(request: &BuildRequest) -> Input {
    let header = BlockHeader {
        chain_id: "testnet".into(),
        epoch: request.epoch,
        height: request.height,
        parent: request.parent,
        hcc: request.hcc.as_ref().clone(),
        timestamp: request.min_timestamp,
        proposer: request.proposer,
        ..BlockHeader::default()
    };
    Input::Built {
        epoch: request.epoch,
        block: Box::new(Block { header, txs: Vec::new() }),
        executed: Executed::default(),
    }
}

fn proposals(effects: &[Effect]) -> Vec<Proposal> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Broadcast(Message::Proposal(proposal)) => Some(proposal.clone()),
        _ => None,
    });
    sent.collect()
}

#[test]
fn l2_proposes_after_the_interval_journals_and_votes() {
    let mut bench = Bench::new(4, 1);
    let g = bench.genesis();
    let request = builds(&bench.wait(INTERVAL, TimerId::Propose)).pop().expect("its turn");
    assert_eq!((request.epoch, request.height, request.parent, request.allow_set_change), (1, 1, g, true));
    assert!(builds(&bench.wait(INTERVAL, TimerId::Propose)).is_empty(), "once");
    let effects = bench.input(built(&request));
    let kinds: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Journal(JournalRecord::Proposal { .. }) => Some("journal proposal"),
            Effect::StoreOwn(_) => Some("store"),
            Effect::Broadcast(Message::Proposal(_)) => Some("proposal"),
            Effect::Journal(JournalRecord::Vote { .. }) => Some("journal vote"),
            Effect::Broadcast(Message::Vote(_)) => Some("vote"),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, ["journal proposal", "store", "proposal", "journal vote", "vote"]);
    let proposal = proposals(&effects).pop().expect("sent");
    assert_eq!(proposal.epoch_cert, None, "genesis is of the epoch before");
    let mut other = Bench::new(4, 3);
    assert_eq!(votes(&other.give(Message::Proposal(proposal.clone()))), [proposal.block.hash()]);
    assert!(proposals(&bench.input(built(&request))).is_empty(), "a second answer changes nothing");
}

#[test]
fn l2_counts_the_interval_from_the_parents_arrival() {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.now.mono += INTERVAL - 100;
    assert!(builds(&bench.certify(&a)).is_empty(), "too early");
    assert_eq!(builds(&bench.wait(100, TimerId::Propose)).len(), 1);
}

#[test]
fn l3_waits_two_delta_or_for_all() {
    for early in [false, true] {
        let mut bench = Bench::new(4, 2);
        let entered = bench.now.mono;
        let mut effects = bench.enter(2, 2);
        assert!(early || builds(&effects).len() == 1, "all three others told: no wait");
        if early {
            bench = Bench::new(4, 2);
            effects = bench.give(Message::EpochChange(bench.genesis_change(0, 2)));
            effects.extend(bench.give(Message::EpochChange(bench.genesis_change(1, 2))));
            assert_eq!((bench.epoch(), builds(&effects).len()), (2, 0));
            let wait = 2 * DELTA * 5 / 4;
            assert!(builds(&bench.wait(wait - 1, TimerId::Propose)).is_empty());
            effects = bench.wait(1, TimerId::Propose);
            assert_eq!(bench.now.mono, entered + wait);
        }
        let request = builds(&effects).pop().expect("L3");
        assert!(!request.allow_set_change, "only under L2");
        let proposal = proposals(&bench.input(built(&request))).pop().expect("sent");
        assert!(matches!(proposal.epoch_cert, Some(EpochCert::Changes(_))));
        // Who is still in epoch 1 enters by it and votes.
        let mut late = Bench::new(4, 3);
        assert_eq!(votes(&late.give(Message::Proposal(proposal.clone()))), [proposal.block.hash()]);
    }
}

#[test]
fn l3_fetches_the_lock_it_is_told_and_builds_on_it() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let change = bench.change(0, 3, a, a);
    let effects = bench.give(Message::EpochChange(change));
    assert_eq!(requests(&effects), [(PEER, a)], "lock and last vote are one block, asked for at once");
    assert_eq!(bench.epoch(), 2, "its certificate counts");
    let mut effects = bench.give(Message::EpochChange(bench.genesis_change(1, 3)));
    effects.extend(bench.give(Message::EpochChange(bench.genesis_change(2, 3))));
    assert_eq!((bench.epoch(), builds(&effects).len()), (3, 0), "all told, but the block of the lock is missing");
    let request = builds(&bench.feed(&a)).pop().expect("now it is there");
    assert_eq!((request.parent, request.hcc.block_hash, request.height), (a, a, 2));
}

#[test]
fn l3_does_not_wait_for_ever_for_a_lock() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    for (voter, lock) in [(0, a), (1, g), (2, g)] {
        let change = bench.change(voter, 3, lock, lock);
        bench.give(Message::EpochChange(change));
    }
    let wait = 2 * DELTA * bench.machine.view().backoff / 1000;
    assert!(builds(&bench.wait(wait - 1, TimerId::Propose)).is_empty());
    let request = builds(&bench.wait(1, TimerId::Propose)).pop().expect("without it");
    assert_eq!(request.parent, g);
}

#[test]
fn l3_climbs_over_a_last_vote_it_holds() {
    let mut bench = Bench::new(4, 1);
    let g = bench.genesis();
    // Two blocks of others without a certificate; member 0 voted for the higher one.
    let x1 = bench.block(2, g, g);
    let x2 = bench.block(3, x1, g);
    bench.enter(4, 1);
    bench.feed(&x1);
    bench.feed(&x2);
    let effects = bench.enter_with(5, 1, x2);
    let request = builds(&effects).pop().expect("its turn");
    assert_eq!((request.parent, request.height, request.hcc.block_hash), (x2, 3, g));
    let sent = bench.input(built(&request));
    let ahead: Vec<Hash> = sent
        .iter()
        .filter_map(|effect| match effect {
            Effect::Broadcast(Message::Block(block)) => Some(block.hash()),
            _ => None,
        })
        .collect();
    assert_eq!(ahead, [x1, x2], "uncertified ancestors go ahead");
}

#[test]
fn l3_does_not_climb_for_a_bare_number() {
    let mut bench = Bench::new(4, 1);
    let g = bench.genesis();
    let x1 = bench.block(2, g, g);
    let ghost = bench.block(3, x1, g);
    bench.enter(4, 1);
    bench.feed(&x1);
    let mut effects = Vec::new();
    for voter in [0, 2, 3] {
        let mut change = bench.change(voter, 5, g, ghost);
        change.last_vote_height = 1 << 20;
        change.signature = sign_as(&change.voter, &change.digest(&domain()));
        effects.extend(bench.give(Message::EpochChange(change)));
    }
    let request = builds(&effects).pop().expect("its turn");
    assert_eq!(request.parent, g);
}

#[test]
fn unknown_parents_are_parked_and_fetched() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    let effects = bench.propose(&b);
    assert_eq!(requests(&effects), [(PEER, a)]);
    assert_eq!(bench.machine.view().buffered.parked, 1);
    let effects = bench.feed(&a);
    assert_eq!(votes(&effects), [b], "its certificate had already brought epoch 2");
    assert_eq!(bench.machine.view().buffered.parked, 0);
}

#[test]
fn requests_are_repeated_at_other_peers_and_given_up() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let other = Input::Received { from: Peer(80), message: Message::CertReq(g) };
    bench.input(other);
    bench.certify(&a);
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.extend(requests(&bench.wait(4 * DELTA, TimerId::Fetch)).into_iter().map(|(peer, _)| peer));
    }
    assert_eq!(asked.len() as u32, FETCH_ATTEMPTS_MAX - 1);
    assert!(asked.contains(&PEER) && asked.contains(&Peer(80)));
    assert_eq!(bench.machine.view().buffered.fetching, 0);
    assert_eq!(requests(&bench.certify(&a)).len(), 1, "named again, asked again");
}

#[test]
fn a_peer_that_is_gone_is_not_asked_again() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.input(Input::Received { from: Peer(80), message: Message::CertReq(g) });
    assert_eq!(requests(&bench.certify(&a)), [(PEER, a)]);
    assert_eq!(requests(&bench.input(Input::Disconnected(PEER))), [(Peer(80), a)], "at once");
    assert_eq!(requests(&bench.wait(4 * DELTA, TimerId::Fetch)), [(Peer(80), a)]);
}

#[test]
fn a_future_proposal_is_parked_two_epochs_ahead_at_most() {
    let mut bench = Bench::new(4, 2);
    let g = bench.genesis();
    let near = bench.block(3, g, g);
    let far = bench.block(4, g, g);
    bench.propose(&near);
    bench.propose(&far);
    assert_eq!(bench.machine.view().buffered.parked, 1);
    assert_eq!(votes(&bench.enter(3, 2)), [near], "parked blocks are handled on entering");
}

#[test]
fn requests_are_answered_from_memory_or_the_store() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    let block = Arc::new(bench.blocks[&a].clone());
    let effects = bench.give(Message::BlockReq(a));
    assert!(matches!(&effects[..], [Effect::Send { to: PEER, message: Message::Block(b) }] if *b == block));
    let effects = bench.give(Message::CertReq(a));
    assert!(matches!(&effects[..], [Effect::Send { to: PEER, message: Message::Certificate(c) }] if c.block_hash == a));
    let effects = bench.give(Message::BlockReq(g));
    assert!(matches!(effects[..], [Effect::Lookup { to: PEER, lookup: Lookup::Block(hash) }] if hash == g));
}
