//! Who leaves when the pool is full.

use super::random::{check, roll};
use super::{Net, TxStatus, address, code, hashes, pay, signed, simple};
use crate::pool::evict::LOOKED_AT_MAX;
use crate::{Config, Refused};
use std::cmp::Reverse;
use std::collections::HashMap;
use vigil_primitives::{Hash, U256};

#[test]
fn a_better_price_takes_the_place_of_the_cheapest_that_nothing_follows() {
    let mut net = Net::new(Config { count_max: 4, ..Config::default() });
    let (cheap, follows) = (pay(&[(2, 1)], 1, 100), pay(&[(2, 2)], 1, 300));
    let (older, younger) = (pay(&[(3, 1)], 1, 200), pay(&[(4, 1)], 1, 200));
    for tx in [&cheap, &follows, &older, &younger] {
        assert_eq!(net.pool.insert(0, tx.clone()), Ok(()));
    }
    let refused = net.pool.insert(0, pay(&[(5, 1)], 1, 200)).expect_err("as much is not more");
    assert!(matches!(refused, Refused::Underbid { what: "transactions", got: 5, max: 4, .. }), "{refused}");
    let better = pay(&[(5, 1)], 1, 201);
    assert_eq!(net.pool.insert(0, better.clone()), Ok(()));
    assert_eq!(net.all(), hashes(&[&better, &older, &cheap, &follows]), "the younger of the equal leaves");
    assert_eq!(net.pool.status(&younger.hash()), TxStatus::Abandoned);
    let best = pay(&[(6, 1)], 1, 1_000);
    assert_eq!(net.pool.insert(0, best.clone()), Ok(()));
    assert_eq!(net.all(), hashes(&[&best, &better, &cheap, &follows]), "the cheapest is followed by a better one");
    assert_eq!(net.pool.insert(0, pay(&[(7, 1)], 1, 1_000)), Ok(()));
    assert_eq!(net.pool.insert(0, pay(&[(8, 1)], 1, 1_000)), Ok(()));
    assert_eq!(net.pool.status(&follows.hash()), TxStatus::Abandoned, "then the tail");
    assert_eq!(net.pool.status(&cheap.hash()), TxStatus::Pending);
    check(&net);
    assert_eq!(net.pool.insert(0, pay(&[(2, 2)], 5, 2_000)), Ok(()), "its sequence is free again");
    check(&net);
}

#[test]
fn nobody_evicts_what_he_follows() {
    let mut net = Net::new(Config { count_max: 2, ..Config::default() });
    assert_eq!(net.pool.insert(0, simple(2, 1)), Ok(()));
    assert_eq!(net.pool.insert(0, pay(&[(3, 1)], 1, 500)), Ok(()));
    let refused = net.pool.insert(0, pay(&[(2, 2)], 1, 400)).expect_err("only what it follows is cheaper");
    assert!(matches!(refused, Refused::Underbid { .. }), "{refused}");
    let refused = net.pool.insert(0, pay(&[(2, 2)], 1, 10_000_000_000)).expect_err("it cannot be paid");
    assert_eq!((refused.code(), net.pool.len()), (100_003, 2), "so nothing leaves for it");
}

#[test]
fn many_payers_need_many_places() {
    let mut net = Net::new(Config { count_max: LOOKED_AT_MAX + 1, ..Config::default() });
    for n in 0..=LOOKED_AT_MAX as u16 {
        assert_eq!(net.pool.insert(0, simple(2 + n, 1)), Ok(()));
    }
    let payers: Vec<(u16, u64)> = (20..=20 + LOOKED_AT_MAX as u16).map(|n| (n, 1)).collect();
    let refused = net.pool.insert(0, pay(&payers, 1, 500)).expect_err("more than one may evict");
    assert!(matches!(refused, Refused::Full { what: "transactions", .. }), "{refused}");
    assert_eq!(net.pool.len(), LOOKED_AT_MAX + 1, "and so it evicts nothing");
    assert_eq!(net.pool.insert(0, pay(&payers[1..], 1, 500)), Ok(()));
    assert_eq!(net.pool.len(), 2);
    check(&net);
}

#[test]
fn a_group_that_is_too_large_does_not_shield_others() {
    let members = 2..=2 + LOOKED_AT_MAX as u16;
    let count = members.len();
    let mut net = Net::new(Config { count_max: 2 * count + 1, account_max: 4, ..Config::default() });
    let joined: Vec<(u16, u64)> = members.clone().map(|n| (n, 1)).collect();
    assert_eq!(net.pool.insert(0, pay(&joined, 1, 100)), Ok(()));
    members.for_each(|n| assert_eq!(net.pool.insert(0, simple(n, 2)), Ok(())));
    let alone = pay(&[(30, 1)], 1, 150);
    assert_eq!(net.pool.insert(0, alone.clone()), Ok(()));
    assert_eq!(net.pool.insert(0, pay(&[(31, 1)], 1, 200)), Ok(()), "more tails than are looked at cannot leave");
    assert_eq!(net.pool.status(&alone.hash()), TxStatus::Abandoned);
    check(&net);
}

#[test]
fn what_is_bad_is_refused_as_such_though_there_is_no_room() {
    let mut net = Net::new(Config { count_max: 2, ..Config::default() });
    for tx in [simple(2, 1), pay(&[(3, 1)], 1, 500)] {
        assert_eq!(net.pool.insert(0, tx), Ok(()));
    }
    for (payer, sequence) in [(4, 2), (3, 3), (2, 3)] {
        assert_eq!(code(net.pool.insert(0, pay(&[(payer, sequence)], 1, 100))), 100_002, "a gap");
    }
    let forged = signed(simple(4, 1).tx().clone(), &[5]);
    assert_eq!(code(net.pool.insert(0, forged)), 100_001);
    // What is good and finds no room leaves no trace.
    for price in [100, 99] {
        let refused = net.pool.insert(0, pay(&[(4, 1)], price, 100)).expect_err("as much is not more");
        assert!(matches!(refused, Refused::Underbid { .. }), "{refused}");
    }
    assert_eq!(net.pool.insert(0, pay(&[(4, 1)], 1, 200)), Ok(()));
    check(&net);
}

/// Price, age and accounts of what can leave.
fn tails(net: &Net) -> HashMap<Hash, (U256, Reverse<u64>)> {
    net.pool.tails.iter().map(|(price, arrival, hash)| (*hash, (*price, *arrival))).collect()
}

#[test]
fn limits_hold_and_nothing_leaves_for_something_worse() {
    for seed in 0..4u64 {
        eprintln!("seed {seed}");
        let mut dice = seed;
        let (count_max, bytes_max) = (6 + seed as usize % 2, 6 * simple(2, 1).raw().len());
        let mut net = Net::new(Config { count_max, bytes_max, ..Config::default() });
        let (mut evicted, mut refused) = (0, 0);
        for now in 0..300u64 {
            if now % 8 == 7 {
                let txs = net.pool.candidates(3, usize::MAX, |_| false);
                assert_eq!(net.settle(now, &txs), []);
                check(&net);
            }
            let mut payer = || {
                let n = 2 + roll(&mut dice, 12) as u16;
                let account = net.pool.screen_mut().account(&address(n)).expect("reads").expect("an account");
                (n, account.sequence + 1)
            };
            let (a, b) = (payer(), payer());
            let payers = if now % 7 == 0 && a.0 != b.0 { vec![a, b] } else { vec![a] };
            let tx = pay(&payers, now, 100 + roll(&mut dice, 40) * 10);
            let before = tails(&net);
            let held: Vec<Hash> = net.pool.hashes().copied().collect();
            let result = net.pool.insert(now, tx.clone());
            check(&net);
            assert!(
                net.pool.bytes() <= bytes_max
                    && net.pool.entries.values().map(|e| e.slots.len()).sum::<usize>() <= count_max
            );
            let mut gone: Vec<Hash> = held.into_iter().filter(|hash| net.pool.get(hash).is_none()).collect();
            gone.sort_unstable();
            let mut told = net.pool.take_dropped();
            told.sort_unstable_by_key(|(hash, _)| *hash);
            assert!(told.iter().map(|(hash, _)| hash).eq(&gone), "{told:?}");
            assert!(
                told.iter().all(|(_, reason)| matches!(reason, Refused::Evicted { .. } | Refused::Replaced { .. }))
            );
            if result.is_err() {
                refused += 1;
                assert!(gone.is_empty(), "{result:?}");
                continue;
            }
            evicted += gone.len();
            let price = net.pool.entries[&tx.hash()].price;
            for hash in &gone {
                let worst = before[hash];
                assert!(worst.0 < price, "{} for {price}", worst.0);
                let others = before.iter().filter(|(other, _)| !gone.contains(other));
                let own = |hash: &Hash| {
                    net.pool.entries[hash]
                        .slots
                        .iter()
                        .any(|(other, _)| payers.iter().any(|(n, _)| address(*n) == *other))
                };
                others
                    .for_each(|(other, rank)| assert!(*rank > worst || own(other), "{rank:?} stays, {worst:?} leaves"));
            }
        }
        assert!(evicted > 20 && refused > 20, "seed {seed}: {evicted} {refused}");
    }
}
