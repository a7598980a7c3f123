//! Resets: what is signed, what follows from it, and the list of offences.

use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::*;

fn domain() -> SignDomain {
    SignDomain { chain_id: "a chain".into(), genesis_hash: Hash::repeat_byte(8) }
}

fn reset() -> Reset {
    let checkpoint =
        Checkpoint { resets: 2, height: 300, block_hash: Hash::repeat_byte(1), set_hash: Hash::repeat_byte(2) };
    Reset { number: 3, checkpoint, offences: Hash::repeat_byte(3), committee: Hash::repeat_byte(4) }
}

fn vote(voter: u8, height: Height, block: u8) -> Vote {
    Vote {
        height,
        block_hash: Hash::repeat_byte(block),
        block_epoch: height,
        source_set: 0,
        source_height: 1,
        source_hash: Hash::repeat_byte(9),
        voter: Address::repeat_byte(voter),
        signature: Signature::from([3; 65]),
    }
}

fn double_vote(voter: u8, height: Height) -> Evidence {
    Evidence::DoubleVote(vote(voter, height, 1), vote(voter, height, 2))
}

#[test]
fn every_field_is_signed_under_a_tag_of_its_own() {
    let (reset, message) = (reset(), reset().message(&domain()));
    let deeper = Checkpoint { height: 400, ..reset.checkpoint };
    let others = [
        Reset { number: 4, ..reset },
        Reset { checkpoint: deeper, ..reset },
        Reset { offences: Hash::ZERO, ..reset },
        Reset { committee: Hash::ZERO, ..reset },
    ];
    assert!(others.iter().all(|other| other.message(&domain()) != message));
    assert_ne!(reset.message(&SignDomain { chain_id: "another".into(), ..domain() }), message);
    assert_ne!(reset.message(&domain().after_reset(Hash::ZERO)), message);
    assert_ne!(domain().digest("vigil/checkpoint/1", &reset), message);
}

#[test]
fn votes_round_trip_within_their_limit() {
    let votes = |bytes: usize| ResetVotes {
        reset: reset(),
        signers: vec![1; bytes].into(),
        signature: BlsSignatureBytes::repeat_byte(7),
    };
    let bytes = rlp::encode(&votes(SIGNER_VECTOR_BYTES_MAX));
    assert_eq!(ResetVotes::from_rlp(&bytes), Ok(votes(SIGNER_VECTOR_BYTES_MAX)));
    assert!(ResetVotes::from_rlp(&bytes[..bytes.len() - 1]).is_err());
    assert!(matches!(ResetVotes::from_rlp(&[&bytes[..], &[0]].concat()), Err(RlpError::Trailing { left: 1, .. })));
    let long = rlp::encode(&votes(RESET_VOTES_BYTES_MAX));
    assert!(matches!(ResetVotes::from_rlp(&long), Err(RlpError::TooLong { max: RESET_VOTES_BYTES_MAX, .. })));
    let other =
        AggregatedVotes { checkpoint: reset().checkpoint, ..AggregatedVotes::from_rlp(&checkpoint_votes()).unwrap() };
    assert!(ResetVotes::from_rlp(&rlp::encode(&other)).is_err(), "votes on a checkpoint");
}

fn checkpoint_votes() -> Vec<u8> {
    let (checkpoint, signature) = (reset().checkpoint, BlsSignatureBytes::ZERO);
    rlp::encode(&AggregatedVotes { checkpoint, signers: Bytes::new(), signature })
}

#[test]
fn the_reset_block_names_the_reset_and_the_checkpoint() {
    let base =
        BlockHeader { chain_id: "a chain".into(), height: 300, timestamp: 77, epoch: 9, ..BlockHeader::default() };
    let header = reset().header(&base, Hash::repeat_byte(5));
    assert_eq!((header.height, header.epoch, header.timestamp), (301, 0, 77));
    assert_eq!((header.parent, header.hcc.block_hash), (Hash::repeat_byte(1), Hash::repeat_byte(1)));
    assert!(header.links_directly() && header.hcc.votes.is_empty() && header.signature.is_none());
    let other = Reset { number: 4, ..reset() }.header(&base, Hash::repeat_byte(5));
    assert_ne!(header.hash(), other.hash());
    let (vote, domain) = (vote(1, 302, 1), domain());
    assert_ne!(vote.digest(&domain.after_reset(header.hash())), vote.digest(&domain.after_reset(other.hash())));
}

#[test]
fn offences_are_one_list_whatever_the_order() {
    let all = [double_vote(3, 7), double_vote(1, 5), double_vote(2, 9), double_vote(1, 6)];
    let list = Offences::new(all.clone());
    assert_eq!(list.evidence(), [double_vote(1, 5), double_vote(2, 9), double_vote(3, 7)]);
    assert_eq!(Offences::new(all.into_iter().rev()), list);
    assert_eq!(list.offenders(StakePurpose::Validator), [1, 2, 3].map(Address::repeat_byte).into());
    assert!(list.offenders(StakePurpose::Guardian).is_empty());
    assert_eq!(Offences::from_bytes(&list.to_bytes()), Ok(list.clone()));
    assert_ne!(Offences::default().root(), list.root());
}

#[test]
fn bad_lists_are_refused() {
    let strings =
        |items: &[Evidence]| rlp::encode(&items.iter().map(|e| Bytes::from(e.to_bytes())).collect::<Vec<_>>());
    assert!(Offences::from_bytes(&strings(&[double_vote(2, 5), double_vote(1, 5)])).is_err(), "order");
    assert!(Offences::from_bytes(&strings(&[double_vote(1, 5), double_vote(1, 6)])).is_err(), "twice");
    assert!(Offences::from_bytes(&rlp::encode(&vec![Bytes::from_static(b"x")])).is_err(), "no evidence");
    let good = strings(&[double_vote(1, 5)]);
    assert!(matches!(Offences::from_bytes(&[&good[..], &[0]].concat()), Err(RlpError::Trailing { .. })));
    assert!(matches!(Offences::from_bytes(&vec![0; OFFENCES_BYTES_MAX + 1]), Err(RlpError::TooLong { .. })));
    let many = |count: u8| -> Vec<Evidence> { (0..count).map(|i| double_vote(i, 5)).collect() };
    let full = Offences::new(many(255));
    assert_eq!(Offences::from_bytes(&full.to_bytes()), Ok(full.clone()));
    let mut items: Vec<Bytes> = full.evidence().iter().map(|e| e.to_bytes().into()).collect();
    items.extend([items[0].clone(), items[0].clone()]);
    assert!(Offences::from_bytes(&rlp::encode(&items)).is_err(), "{} of {OFFENDERS_MAX}", items.len());
}

#[test]
fn a_committee_is_named_by_members_and_stakes() {
    let member = |byte, stake| (Address::repeat_byte(byte), U256::from(stake));
    let hash = committee_hash(&[member(1, 5), member(2, 6)]);
    assert_ne!(hash, committee_hash(&[member(1, 5), member(2, 7)]));
    assert_ne!(hash, committee_hash(&[member(1, 5)]));
}
