//! A segment after a reset: the reset block is to it what genesis is to a chain, and nothing signed before counts.

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

const BASE: Height = 100;

fn reset_block(number: u64) -> BlockHeader {
    let base = BlockHeader {
        chain_id: "testnet".into(),
        height: BASE,
        timestamp: UNIX_START,
        epoch: 130,
        ..BlockHeader::default()
    };
    let checkpoint = Checkpoint { height: BASE, block_hash: base.hash(), ..Checkpoint::default() };
    Reset { number, checkpoint, ..Reset::default() }.header(&base, Hash::repeat_byte(7))
}

fn start(number: u64) -> (Machine, SignDomain, Vec<Effect>) {
    start_as(1, number)
}

fn start_as(me: usize, number: u64) -> (Machine, SignDomain, Vec<Effect>) {
    let header = reset_block(number);
    let segment = domain().after_reset(header.hash());
    let config = Config { domain: segment.clone(), ..config(Some(me), Rules::default()) };
    let recovered = Recovered {
        journal: JournalState::default(),
        restart: RestartPoint::genesis(&header, equal_set(0..4)),
        pending: Vec::new(),
        certs: Vec::new(),
    };
    let mut machine = Machine::new(config, Box::new(HashKeys(address(me))), recovered);
    let mut effects = Vec::new();
    machine.step(Now { mono: 1_000_000, unix: UNIX_START + 1_000 }, Input::Start, &mut effects);
    (machine, segment, effects)
}

fn vote(domain: &SignDomain, first: Hash) -> Vote {
    let mut vote = Vote {
        height: BASE + 2,
        block_hash: Hash::repeat_byte(3),
        block_epoch: 1,
        source_set: 0,
        source_height: BASE + 1,
        source_hash: first,
        voter: address(2),
        signature: Signature::none(),
    };
    vote.signature = sign_as(&vote.voter, &vote.digest(domain));
    vote
}

#[test]
fn it_begins_in_epoch_one_above_the_reset_block() {
    let (mut machine, segment, mut effects) = start(1);
    assert_eq!(machine.view().epoch, 1);
    assert_eq!(machine.settled(), (BASE + 1, segment.genesis_hash));
    // Member 1 proposes in epoch 1, after an interval: the reset block has an implicit certificate.
    let later = Now { mono: 1_000_000 + INTERVAL, unix: UNIX_START + 1_000 };
    machine.step(later, Input::Timer(TimerId::Propose), &mut effects);
    let [request] = &builds(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((request.height, request.parent), (BASE + 2, segment.genesis_hash));
    assert_eq!((request.hcc.votes.len(), request.hcc.block_hash), (0, segment.genesis_hash));
}

#[test]
fn signatures_of_another_segment_are_none() {
    let (other, genesis) = (domain().after_reset(reset_block(2).hash()), domain());
    for (foreign, good) in [(genesis, false), (other, false), (start(1).1, true)] {
        let (mut machine, segment, _) = start(1);
        let mut effects = Vec::new();
        let message = Message::Vote(vote(&foreign, segment.genesis_hash));
        machine.step(Now::default(), Input::Received { from: PEER, message }, &mut effects);
        assert_eq!(penalties(&effects).is_empty(), good, "{foreign:?}");
    }
}

#[test]
fn headers_of_another_segment_prove_nothing_in_this_one() {
    let segment = start(1).1;
    let header = |state: u8| {
        let hcc = Hcc { votes: Vec::new(), block_hash: domain().genesis_hash };
        let mut header = BlockHeader {
            chain_id: "testnet".into(),
            epoch: 5,
            height: BASE + 2,
            hcc,
            state_root: Hash::repeat_byte(state),
            proposer: address(2),
            ..BlockHeader::default()
        };
        header.signature = sign_as(&header.proposer, &header.sign_digest());
        header
    };
    let evidence = Evidence::DoubleProposal(header(1), header(2));
    let signed = |signer: &Address, digest: &Hash, signature: &Signature| sign_as(signer, digest) == *signature;
    assert_eq!(evidence.verify(&domain(), signed), Ok(()));
    assert!(matches!(evidence.verify(&segment, signed), Err(EvidenceError::OtherGenesis { .. })));
    let twice = |domain: &SignDomain| {
        let a = vote(domain, segment.genesis_hash);
        let mut b = Vote { block_hash: Hash::repeat_byte(4), ..a.clone() };
        b.signature = sign_as(&b.voter, &b.digest(domain));
        Evidence::DoubleVote(a, b)
    };
    assert_eq!(twice(&segment).verify(&segment, signed), Ok(()));
    assert!(twice(&segment).verify(&domain(), signed).is_err() && twice(&domain()).verify(&segment, signed).is_err());
}

/// Who is locked on the reset block says so without a certificate, and is believed.
#[test]
fn a_lock_on_the_reset_block_needs_no_certificate() {
    let (mut voter, segment, _) = start_as(2, 1);
    let first = segment.genesis_hash;
    let mut header = BlockHeader {
        chain_id: "testnet".into(),
        epoch: 1,
        height: BASE + 2,
        parent: first,
        hcc: Hcc { votes: Vec::new(), block_hash: first },
        timestamp: UNIX_START,
        proposer: address(1),
        ..BlockHeader::default()
    };
    header.signature = sign_as(&header.proposer, &header.sign_digest());
    let block = std::sync::Arc::new(Block { header, txs: Vec::new() });
    let (mut effects, mut now) = (Vec::new(), Now { mono: 1_000_000, unix: UNIX_START + 1_000 });
    let proposal = Message::Proposal(Proposal { block: block.clone(), epoch_cert: None });
    voter.step(now, Input::Received { from: PEER, message: proposal }, &mut effects);
    voter.step(now, Input::Executed { block: block.hash(), outcome: Ok(executed(&block)) }, &mut effects);
    assert_eq!(votes(&effects), [block.hash()]);
    now.mono += 100_000;
    voter.step(now, Input::Timer(TimerId::Epoch), &mut effects);
    let said = effects.iter().find_map(|effect| match effect {
        Effect::Broadcast(Message::EpochChange(change)) => Some(change.clone()),
        _ => None,
    });
    let said = said.expect("it wants the next epoch");
    assert_eq!((said.target_epoch, said.lock_hash), (2, first));
    let (mut other, _, _) = start_as(3, 1);
    assert_eq!(other.view().buffered.ecs, 0);
    let message = Message::EpochChange(said);
    other.step(now, Input::Received { from: PEER, message }, &mut Vec::new());
    assert_eq!(other.view().buffered.ecs, 1);
}
