//! Guardian sets, checkpoints and their votes.

use crate::samples::Samples;
use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::*;

fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

fn member(byte: u8, weight: u128) -> GuardianMember {
    GuardianMember { address: address(byte), key: BlsKeyBytes::repeat_byte(byte), weight }
}

fn guardian(byte: u8, stakes: &[(u128, bool)]) -> Guardian {
    let stake = |(i, (amount, withdrawn)): (usize, &(u128, bool))| Stake {
        source: address(i as u8),
        amount: U256::from(*amount),
        withdrawn: *withdrawn,
        return_height: ACTIVE_RETURN_HEIGHT,
    };
    let stakes = stakes.iter().enumerate().map(stake).collect();
    Guardian { holder: StakeHolder { holder: address(byte), stakes }, bls_pubkey: vec![byte; 48].into() }
}

#[test]
fn a_set_has_who_has_active_stake() {
    let without_key = Guardian { bls_pubkey: Bytes::new(), ..guardian(4, &[(9, false)]) };
    let pool = GuardianPool {
        sorted_guardians: vec![
            guardian(1, &[(5, false), (7, true), (2, false)]),
            guardian(2, &[(8, true)]),
            guardian(3, &[(u128::MAX, false), (1, false)]),
            without_key,
        ],
    };
    let set = GuardianSet::of_pool(&pool);
    assert_eq!(set.members(), [member(1, 7), member(3, GUARDIAN_WEIGHT_MAX)]);
    assert_eq!((set.len(), set.total()), (2, 7 + GUARDIAN_WEIGHT_MAX));
    assert_eq!((set.position(&address(3)), set.position(&address(2))), (Some(1), None));
    assert_eq!(set.weight_of(&[255, 0]), 7);
    assert!(GuardianSet::default().is_empty() && !GuardianSet::default().is_quorum(0));
}

#[test]
fn a_quorum_is_strictly_more_than_two_thirds() {
    let set = GuardianSet::new(vec![member(1, 3), member(2, 3), member(3, 3)]);
    assert!(!set.is_quorum(6) && set.is_quorum(7));
    let full = (0..=255).map(|byte| member(byte, u128::MAX));
    let set = GuardianSet::new(full.collect());
    assert!(!set.is_quorum(GUARDIAN_WEIGHT_MAX * 170) && set.is_quorum(GUARDIAN_WEIGHT_MAX * 171));
}

#[test]
fn a_set_is_sorted_and_bounded() {
    let many = |n: usize| -> Vec<GuardianMember> {
        let address = |i: usize| Address::left_padding_from(&(i as u64 * 7_919 % 65_537).to_be_bytes());
        let weight = |i: usize| if i < 10 { 1 } else { 2 };
        (0..n).map(|i| GuardianMember { address: address(i), weight: weight(i), ..member(0, 0) }).collect()
    };
    assert_eq!(GuardianSet::new(many(GUARDIANS_MAX)).len(), GUARDIANS_MAX);
    let set = GuardianSet::new(many(GUARDIANS_MAX + 5));
    assert_eq!(set.len(), GUARDIANS_MAX);
    assert_eq!(set.members().iter().filter(|m| m.weight == 1).count(), 5, "the lightest are left out");
    assert!(set.members().is_sorted_by_key(|m| m.address));
    let mut shuffled = many(100);
    shuffled.reverse();
    assert_eq!(GuardianSet::new(shuffled), GuardianSet::new(many(100)));
}

#[test]
fn the_hash_covers_every_field() {
    let base = vec![member(1, 10), member(2, 10)];
    let hash = |change: fn(&mut Vec<GuardianMember>)| {
        let mut members = base.clone();
        change(&mut members);
        GuardianSet::new(members).hash()
    };
    let hashes = [
        hash(|_| ()),
        hash(|m| m[1].weight = 11),
        hash(|m| m[1].key = BlsKeyBytes::repeat_byte(9)),
        hash(|m| m[1].address = address(9)),
        hash(|m| m.truncate(1)),
    ];
    let different: std::collections::BTreeSet<Hash> = hashes.into_iter().collect();
    assert_eq!(different.len(), hashes.len());
}

#[test]
fn a_message_names_chain_and_checkpoint() {
    let base = Samples::new(3).votes().checkpoint;
    let domain = |id: &str, genesis| SignDomain { chain_id: id.into(), genesis_hash: Hash::repeat_byte(genesis) };
    let messages = [
        base.message(&domain("a", 1)),
        base.message(&domain("b", 1)),
        base.message(&domain("a", 2)),
        Checkpoint { resets: base.resets ^ 1, ..base }.message(&domain("a", 1)),
        Checkpoint { height: base.height ^ 1, ..base }.message(&domain("a", 1)),
        Checkpoint { block_hash: base.set_hash, ..base }.message(&domain("a", 1)),
        Checkpoint { set_hash: base.block_hash, ..base }.message(&domain("a", 1)),
    ];
    let different: std::collections::BTreeSet<Hash> = messages.into_iter().collect();
    assert_eq!(different.len(), messages.len());
}

#[test]
fn votes_are_bounded_on_the_wire_and_in_headers() {
    let votes = |len: usize| {
        let signature = BlsSignatureBytes::repeat_byte(7);
        AggregatedVotes { checkpoint: Checkpoint::default(), signers: vec![3; len].into(), signature }
    };
    let fits = votes(SIGNER_VECTOR_BYTES_MAX);
    assert_eq!(AggregatedVotes::from_rlp(&rlp::encode(&fits)), Ok(fits.clone()));
    let long = rlp::encode(&votes(AGGREGATED_VOTES_BYTES_MAX));
    assert!(matches!(AggregatedVotes::from_rlp(&long), Err(RlpError::TooLong { .. })));
    let header = |finality| BlockHeader { finality: Some(Box::new(finality)), ..Samples::new(8).header() };
    let decode =
        |header: &BlockHeader| rlp::decode_exact::<BlockHeader>("header", &rlp::encode(header), BLOCK_BYTES_MAX);
    assert_eq!(decode(&header(fits.clone())), Ok(header(fits)));
    assert!(decode(&header(votes(SIGNER_VECTOR_BYTES_MAX + 1))).is_err());
}

#[test]
fn a_certificate_is_part_of_what_the_proposer_signs() {
    let header = Samples::new(9).header();
    let with = BlockHeader { finality: Some(Box::new(Samples::new(1).votes())), ..header.clone() };
    let without = BlockHeader { finality: None, ..header };
    assert_ne!(with.hash(), without.hash());
    assert_ne!(with.sign_digest(), without.sign_digest());
    for header in [with, without] {
        let bytes = rlp::encode(&header);
        assert_eq!(rlp::decode_exact("header", &bytes, BLOCK_BYTES_MAX), Ok(header));
        let cut = bytes.len() - 1;
        assert!(rlp::decode_exact::<BlockHeader>("header", &bytes[..cut], BLOCK_BYTES_MAX).is_err());
    }
}
