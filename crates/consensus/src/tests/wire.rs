//! Messages: round trips, limits, and that no input makes the decoder panic.

use super::bench::*;
use crate::*;
use proptest::prelude::*;
use std::sync::Arc;
use vigil_primitives::*;

fn samples() -> Vec<Message> {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    let cc = Arc::new(bench.cc(a));
    let block = Arc::new(bench.blocks[&b].clone());
    let changes = vec![bench.change(0, 5, a, b), bench.change(1, 6, g, a), bench.change(2, 5, a, g)];
    vec![
        Message::Vote(bench.vote(2, &a)),
        Message::EpochChange(bench.change(1, 4, a, b)),
        Message::EpochChange(bench.genesis_change(1, 4)),
        Message::Proposal(Proposal { block: block.clone(), epoch_cert: None }),
        Message::Proposal(Proposal { block: block.clone(), epoch_cert: Some(EpochCert::Commit(cc.clone())) }),
        Message::Proposal(Proposal { block: block.clone(), epoch_cert: Some(EpochCert::Changes(changes.clone())) }),
        Message::EpochCert(EpochCert::Commit(cc.clone())),
        Message::EpochCert(EpochCert::Changes(changes)),
        Message::CertReq(a),
        Message::Certificate(cc),
        Message::BlockReq(b),
        Message::Block(block),
    ]
}

#[test]
fn messages_round_trip_and_truncations_are_refused() {
    for message in samples() {
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Ok(message.clone()), "{}", message.kind());
        for end in 0..bytes.len() {
            assert!(Message::decode(&bytes[..end]).is_err(), "{} cut at {end}", message.kind());
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Message::decode(&longer).is_err(), "{} with a byte more", message.kind());
    }
}

#[test]
fn the_largest_messages_fit_their_limits() {
    let vote = Vote {
        height: u64::MAX,
        block_hash: Hash::repeat_byte(0xff),
        block_epoch: u64::MAX,
        source_set: u64::MAX,
        source_height: u64::MAX,
        source_hash: Hash::repeat_byte(0xff),
        voter: Address::repeat_byte(0xff),
        signature: Signature::from([0xff; 65]),
    };
    assert!(rlp::encode(&vote).len() <= VOTE_BYTES_MAX);
    let hcc = |i: u8| Arc::new(Hcc { votes: vec![vote.clone(); VALIDATORS_MAX], block_hash: Hash::repeat_byte(i) });
    assert!(rlp::encode(hcc(1).as_ref()).len() <= HCC_BYTES_MAX);
    let change = |i: u8| EpochChange {
        target_epoch: u64::MAX,
        lock_height: u64::MAX,
        lock_hash: Hash::repeat_byte(i),
        last_vote_height: u64::MAX,
        last_vote_hash: Hash::repeat_byte(0xff),
        voter: Address::repeat_byte(i),
        signature: Signature::from([0xff; 65]),
        lock_cc: Some(hcc(i)),
    };
    let message = Message::EpochChange(change(7));
    assert!(message.encode().len() <= EPOCH_CHANGE_BYTES_MAX);
    let all = Message::EpochCert(EpochCert::Changes((1..=VALIDATORS_MAX as u8).map(change).collect()));
    assert!(all.encode().len() <= EPOCH_CERT_BYTES_MAX);
    assert_eq!(Message::decode(&all.encode()), Ok(all));
    let too_many = Message::EpochCert(EpochCert::Changes((1..=VALIDATORS_MAX as u8 + 1).map(change).collect()));
    assert!(Message::decode(&too_many.encode()).is_err());
    let fat = Hcc { votes: vec![vote; VALIDATORS_MAX + 1], block_hash: Hash::ZERO };
    assert!(Message::decode(&Message::Certificate(Arc::new(fat)).encode()).is_err());
}

#[test]
fn signed_bytes_are_bound_to_kind_and_chain() {
    let bench = Bench::new(4, 3);
    let change = bench.genesis_change(0, 3);
    let here = super::net::domain();
    let there = SignDomain { chain_id: "othernet".into(), ..here.clone() };
    let other_genesis = SignDomain { genesis_hash: Hash::ZERO, ..here.clone() };
    assert_ne!(change.digest(&here), change.digest(&there));
    assert_ne!(change.digest(&here), change.digest(&other_genesis));
    let mut unsigned = change.clone();
    unsigned.signature = Signature::none();
    unsigned.lock_cc = None;
    assert_eq!(change.digest(&here), unsigned.digest(&here));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Message::decode(&bytes);
        let _ = JournalRecord::from_bytes(&bytes);
        let _ = RestartPoint::from_bytes(&bytes);
        let _ = Evidence::from_bytes(&bytes);
    }

    #[test]
    fn flipped_bytes_never_panic_the_machine(kind in 0usize..12, at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = samples()[kind].encode();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(message) = Message::decode(&bytes) {
            // What decodes is the one encoding of what it means.
            prop_assert_eq!(message.encode(), bytes);
            let mut bench = Bench::new(4, 3);
            bench.input(Input::Received { from: PEER, message });
            prop_assert!(bench.epoch() <= 6, "nothing in the samples leads further");
        }
    }
}
