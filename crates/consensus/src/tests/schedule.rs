//! Turns: equal stakes go round, unequal ones in proportion, waits are bounded.

use super::net::*;
use crate::schedule::ScheduleCheckpoint;
use crate::*;
use proptest::prelude::*;

#[test]
fn equal_stakes_are_the_epoch_modulo_the_members() {
    for members in [1usize, 2, 3, 4, 7, 31] {
        let set = equal_set(0..members);
        let mut schedule = Schedule::new(&set, 0);
        for epoch in 0..200u64 {
            assert_eq!(schedule.proposer(&set, epoch), Some(address(epoch as usize % members)));
        }
        let mut later = Schedule::new(&set, 10);
        assert_eq!(later.proposer(&set, 9), None);
        assert_eq!(later.proposer(&set, 10), Some(address(0)));
    }
}

#[test]
fn known_turns_of_unequal_stakes() {
    let set = ValidatorSet::new([(address(0), 5), (address(1), 1), (address(2), 1)]).expect("a set");
    let mut schedule = Schedule::new(&set, 0);
    let turns: Vec<usize> =
        (0..7).map(|epoch| set.position(&schedule.proposer(&set, epoch).expect("near")).expect("a member")).collect();
    assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0], "nginx' example of smooth weighted round robin");
}

#[test]
fn far_epochs_are_not_computed() {
    let set = equal_set(0..4);
    let mut schedule = Schedule::new(&set, 0);
    assert_eq!(schedule.proposer(&set, SCHEDULE_STEPS_MAX), None);
    assert_eq!(schedule.proposer(&set, u64::MAX), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn turns_are_in_proportion_and_waits_bounded(stakes in prop::collection::vec(1u128..40, 1..12)) {
        let set = ValidatorSet::new(stakes.iter().enumerate().map(|(i, s)| (address(i), *s))).expect("a set");
        let mut schedule = Schedule::new(&set, 0);
        let total = set.total() as u64;
        let picks: Vec<usize> = (0..2 * total)
            .map(|e| set.position(&schedule.proposer(&set, e).expect("near")).expect("a member"))
            .collect();
        for (i, stake) in stakes.iter().enumerate() {
            let turns: Vec<usize> = (0..picks.len()).filter(|t| picks[*t] == i).collect();
            prop_assert_eq!(turns.len() as u128, 2 * stake, "a whole round gives each its weight");
            let longest = turns.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
            prop_assert!((longest as u128) < 2 * set.total().div_ceil(*stake) + 1);
        }
    }

    #[test]
    fn a_checkpoint_goes_on_where_it_was(stakes in prop::collection::vec(1u128..1000, 1..12), at in 0u64..300) {
        let set = ValidatorSet::new(stakes.iter().enumerate().map(|(i, s)| (address(i), *s))).expect("a set");
        let mut whole = Schedule::new(&set, 0);
        let mut cut = Schedule::new(&set, 0);
        cut.proposer(&set, at + 5);
        cut.advance(&set, at);
        let bytes = vigil_primitives::rlp::encode(&cut.checkpoint());
        let checkpoint: ScheduleCheckpoint =
            vigil_primitives::rlp::decode_exact("checkpoint", &bytes, 4096).expect("round trip");
        let mut restored = checkpoint.restore(&set).expect("fits");
        for epoch in at..at + 100 {
            let expected = whole.proposer(&set, epoch);
            prop_assert_eq!(cut.proposer(&set, epoch), expected);
            prop_assert_eq!(restored.proposer(&set, epoch), expected);
        }
    }

    #[test]
    fn thresholds_are_strict(stakes in prop::collection::vec(1u128..1000, 1..31), mask in any::<u32>()) {
        let set = ValidatorSet::new(stakes.iter().enumerate().map(|(i, s)| (address(i), *s))).expect("a set");
        let chosen: Vec<_> = (0..stakes.len()).filter(|i| mask >> i & 1 == 1).map(address).collect();
        let weight: u128 = (0..stakes.len()).filter(|i| mask >> i & 1 == 1).map(|i| stakes[i]).sum();
        prop_assert_eq!(set.weight_of(&chosen), weight);
        let total: u128 = stakes.iter().sum();
        prop_assert_eq!(set.is_quorum(weight), weight * 3 > total * 2);
        prop_assert_eq!(set.is_amp(weight), weight * 3 > total);
    }
}

#[test]
fn sets_are_checked() {
    let one = |stake| (address(1), stake);
    assert_eq!(ValidatorSet::new([]), Err(ValidatorSetError::Empty));
    assert_eq!(ValidatorSet::new([one(0)]), Err(ValidatorSetError::NoStake(address(1))));
    assert_eq!(ValidatorSet::new([one(1), one(2)]), Err(ValidatorSetError::Duplicate(address(1))));
    assert_eq!(ValidatorSet::new([one(1 << 120)]), Err(ValidatorSetError::StakeOverflow));
    assert!(ValidatorSet::new([one((1 << 120) - 1)]).is_ok());
    let many = |n: usize| ValidatorSet::new((0..n).map(|i| (address(i), 1)));
    assert!(many(31).is_ok());
    assert_eq!(many(32), Err(ValidatorSetError::TooMany { got: 32 }));
}
