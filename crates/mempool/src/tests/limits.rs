//! Limits at, below and above, and what a sender must not be able to make us do.

use super::random::check;
use super::{FEE, Net, PEOPLE, address, code, pay, signed, simple};
use crate::{Config, Refused};
use vigil_primitives::{Address, Coins, Send, Tx, TxInput, TxOutput, U256};

#[test]
fn limits() {
    let mut net = Net::new(Config { count_max: 3, account_max: 2, ..Config::default() });
    let full = |result| matches!(result, Err(Refused::Full { .. } | Refused::Underbid { .. }));
    assert_eq!(net.pool.insert(0, simple(2, 1)), Ok(()));
    assert_eq!(net.pool.insert(0, simple(2, 2)), Ok(()), "at the limit of the account");
    assert!(full(net.pool.insert(0, simple(2, 3))), "above");
    assert_eq!(net.pool.insert(0, simple(3, 1)), Ok(()), "at the limit of all");
    assert!(full(net.pool.insert(0, simple(4, 1))), "above");
    assert_eq!(net.pool.insert(0, pay(&[(3, 1)], 1, 200)), Ok(()), "a replacement needs no room");
    let bytes_max = simple(2, 1).raw().len();
    let mut net = Net::new(Config { bytes_max, ..Config::default() });
    assert_eq!(net.pool.insert(0, simple(2, 1)), Ok(()), "at the limit of bytes");
    assert!(full(net.pool.insert(0, simple(3, 1))), "above");
    net.settle(1, &[simple(2, 1)]);
    assert_eq!(net.pool.insert(1, simple(3, 1)), Ok(()), "there is room again");
}

#[test]
fn a_transaction_counts_for_each_payer() {
    let mut net = Net::new(Config { count_max: 3, ..Config::default() });
    assert_eq!(net.pool.insert(0, pay(&[(2, 1), (3, 1)], 1, 100)), Ok(()));
    let refused = net.pool.insert(0, pay(&[(4, 1), (5, 1)], 1, 100));
    assert!(matches!(refused, Err(Refused::Underbid { what: "transactions", got: 4, max: 3, .. })), "{refused:?}");
    assert_eq!(net.pool.insert(0, simple(4, 1)), Ok(()));
    net.settle(1, &[pay(&[(2, 1), (3, 1)], 1, 100)]);
    assert_eq!(net.pool.insert(1, pay(&[(5, 1), (6, 1)], 1, 100)), Ok(()), "there is room again");
}

/// Small ones cannot be replaced by large ones beyond the limit.
#[test]
fn replacements_keep_to_the_limit_of_bytes() {
    let small = simple(2, 1);
    let fee = U256::from(FEE / 100) * U256::from(1_000);
    let outputs = (0..8).map(|n| TxOutput { address: Address::repeat_byte(n), coins: Coins::ZERO }).collect();
    let inputs = vec![TxInput { address: address(2), coins: Coins::tfuel(fee), sequence: 1, ..TxInput::default() }];
    let large = signed(Tx::Send(Send { fee: Coins::tfuel(fee), inputs, outputs }), &[2]);
    for (spare, fits) in [(0, true), (1, false)] {
        let mut net = Net::new(Config { bytes_max: large.raw().len() - spare, ..Config::default() });
        assert_eq!(net.pool.insert(0, small.clone()), Ok(()));
        let result = net.pool.insert(0, large.clone());
        assert_eq!(result.is_ok(), fits, "{result:?}");
        assert_eq!(net.pool.get(&small.hash()).is_some(), !fits);
        check(&net);
    }
}

/// A refused replacement costs its sender nothing, so it must not cost us the judgement of a whole pool.
#[test]
fn replacements_among_many_are_refused_at_once() {
    let mut net = Net::new(Config { replacement_group_max: 2, ..Config::default() });
    let full = |result| matches!(result, Err(Refused::Full { got: 3, max: 2, .. }));
    for sequence in 1..=2 {
        assert_eq!(net.pool.insert(0, simple(2, sequence)), Ok(()));
    }
    assert_eq!(net.pool.insert(0, pay(&[(2, 1)], 1, 200)), Ok(()), "at");
    assert_eq!(net.pool.insert(0, pay(&[(2, 3), (3, 1)], 1, 100)), Ok(()));
    assert!(full(net.pool.insert(0, pay(&[(2, 1)], 1, 400))), "above");
    assert_eq!(net.pool.insert(0, simple(4, 1)), Ok(()));
    assert_eq!(net.pool.insert(0, pay(&[(4, 1)], 1, 200)), Ok(()), "others are free");
}

#[test]
fn old_deadlines_do_not_pile_up_behind_one_that_waits() {
    let mut net = Net::new(Config::default());
    assert_eq!(net.pool.insert(0, simple(2, 1)), Ok(()));
    for round in 1..=6 {
        let txs: Vec<_> = (3..=PEOPLE).map(|n| simple(n, round)).collect();
        txs.iter().for_each(|tx| assert_eq!(net.pool.insert(round, tx.clone()), Ok(())));
        net.settle(round, &txs);
    }
    assert!(net.pool.deadlines.len() <= 2 * usize::from(PEOPLE) + 64, "{}", net.pool.deadlines.len());
    net.pool.expire(Config::default().expiry_ms);
    assert!(net.pool.is_empty(), "its own deadline is kept");
}

/// Each that expires at a time of its own must not cost a judgement of its account each.
#[test]
fn what_expires_leaves_together() {
    let mut net = Net::new(Config { expiry_ms: 1_000, sweep_ms: 100, ..Config::default() });
    for n in 0..10 {
        assert_eq!(net.pool.insert(u64::from(n), simple(2 + n, 1)), Ok(()));
    }
    net.pool.expire(1_000);
    assert_eq!(net.pool.len(), 9, "the first, at its time");
    net.pool.expire(1_099);
    assert_eq!(net.pool.len(), 9, "the next sweep is not yet");
    net.pool.expire(1_100);
    assert!(net.pool.is_empty());
}

#[test]
fn the_seen_cache_is_bounded() {
    let mut net = Net::new(Config { seen_max: 2, ..Config::default() });
    let txs: Vec<_> = (2..=4).map(|n| simple(n, 1)).collect();
    txs.iter().for_each(|tx| assert_eq!(net.pool.insert(0, tx.clone()), Ok(())));
    net.settle(1, &txs);
    assert_eq!(code(net.pool.insert(1, txs[0].clone())), 100_002, "forgotten: judged, not seen");
    assert_eq!(net.pool.insert(1, txs[1].clone()), Err(Refused::Seen));
    assert_eq!(code(net.pool.insert(60_000, txs[1].clone())), 100_002, "after 60 s");
}
