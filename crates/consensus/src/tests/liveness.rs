//! Whole networks: progress with all, with one silent, after partitions; followers and late joiners.

use super::net::*;
use crate::Rules;

#[test]
fn four_honest_settle_a_block_an_interval() {
    let mut net = Net::equal(4);
    net.run_until(20_000);
    // §1.16: a block every 508 ms with delays up to 10 ms.
    assert!(net.lowest_settled() >= 36, "settled {}", net.lowest_settled());
    assert_eq!(net.machine(0).view().backoff, crate::BACKOFF_MIN);
}

#[test]
fn seven_honest_settle() {
    let mut net = Net::equal(7);
    net.run_until(20_000);
    assert!(net.lowest_settled() >= 36, "settled {}", net.lowest_settled());
}

#[test]
fn one_silent_of_four_and_two_of_seven_slow_it_down_only() {
    for (validators, silent) in [(4, vec![2]), (7, vec![0, 3]), (7, vec![3, 4])] {
        let mut net = Net::equal(validators);
        net.silent.extend(silent.clone());
        net.run_until(60_000);
        // §1.16: 0.7 blocks an epoch, 5 Δ a block.
        assert!(net.lowest_settled() >= 35, "{silent:?} silent of {validators}: settled {}", net.lowest_settled());
    }
}

#[test]
fn weighted_committee_settles_with_silent_weight_below_a_third() {
    let stakes = [5u128, 4, 3, 3, 2, 2, 1];
    let set = crate::ValidatorSet::new(stakes.iter().enumerate().map(|(i, s)| (address(i), *s))).expect("a set");
    let mut net = Net::new(set, 7, Rules::default());
    net.silent.extend([0, 6]);
    net.run_until(60_000);
    assert!(net.lowest_settled() >= 30, "settled {}", net.lowest_settled());
}

#[test]
fn without_a_quorum_nothing_settles_and_it_resumes() {
    let mut net = Net::equal(4);
    net.run_until(5_000);
    let before = net.lowest_settled();
    for a in 0..4 {
        for b in 0..4 {
            if (a < 2) != (b < 2) {
                net.cut.insert((a, b));
            }
        }
    }
    net.run_until(6_000);
    let at_cut = net.lowest_settled();
    net.run_until(60_000);
    assert!(net.lowest_settled() <= at_cut + 1 && at_cut > 0 && before > 0);
    net.cut.clear();
    net.run_until(90_000);
    assert!(net.lowest_settled() >= at_cut + 20, "settled {} after {at_cut}", net.lowest_settled());
}

#[test]
fn a_node_that_was_cut_off_catches_up_by_itself() {
    let mut net = Net::equal(4);
    net.run_until(3_000);
    for other in 0..3 {
        net.cut.extend([(other, 3), (3, other)]);
    }
    net.run_until(30_000);
    assert!(net.settled_height(3) + 10 < net.settled_height(0));
    net.cut.clear();
    net.run_until(45_000);
    assert!(net.settled_height(3) + 3 >= net.settled_height(0), "{} {}", net.settled_height(3), net.settled_height(0));
}

#[test]
fn followers_settle_and_never_sign() {
    let mut net = Net::with_followers(equal_set(0..4), 4, 2);
    net.run_until(20_000);
    assert!(net.lowest_settled() >= 35, "settled {}", net.lowest_settled());
    assert!(net.nodes[4..].iter().all(|node| node.disk.journal.is_empty()));
}

#[test]
fn a_single_validator_is_a_chain() {
    let mut net = Net::equal(1);
    net.run_until(10_000);
    assert!(net.lowest_settled() >= 15, "settled {}", net.lowest_settled());
}

#[test]
fn the_same_run_twice_is_the_same() {
    let run = || {
        let mut net = Net::equal(4);
        net.silent.insert(1);
        net.run_until(30_000);
        net.nodes.into_iter().map(|node| node.settled).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
