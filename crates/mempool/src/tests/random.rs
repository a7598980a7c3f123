//! Random histories, and how long things take.

use super::{Net, PEOPLE, address, pay, simple};
use crate::{Base, Config};
use std::collections::BTreeSet;
use vigil_primitives::{Address, Hash};

/// What must hold after every call: the indices agree, and a block on the settled head takes everything.
pub(super) fn check(net: &Net) {
    let pool = &net.pool;
    let bytes: usize = pool.entries.values().map(|entry| entry.tx.raw().len()).sum();
    assert_eq!(pool.bytes(), bytes);
    let slots: usize = pool.entries.values().map(|entry| entry.slots.len()).sum();
    assert_eq!(pool.accounts.values().map(|txs| txs.len()).sum::<usize>(), slots);
    for (hash, entry) in &pool.entries {
        assert!(entry.slots.iter().all(|(address, sequence)| pool.accounts[address].get(sequence) == Some(hash)));
    }
    for txs in pool.accounts.values() {
        let sequences: Vec<u64> = txs.keys().copied().collect();
        assert!(sequences.windows(2).all(|pair| pair[0] + 1 == pair[1]), "no gaps: {sequences:?}");
    }
    let last = |(address, _): &(Address, u64)| pool.accounts[address].last_key_value().expect("not empty").1;
    let tails: BTreeSet<&Hash> = pool
        .entries
        .iter()
        .filter(|(hash, e)| e.slots.iter().all(|slot| last(slot) == *hash))
        .map(|(h, _)| h)
        .collect();
    assert_eq!(pool.tails.iter().map(|(_, _, hash)| hash).collect::<BTreeSet<_>>(), tails);
    let all = pool.candidates(usize::MAX, usize::MAX, |_| false);
    assert_eq!(all.len(), pool.len(), "every transaction is reachable");
    net.build(&net.head, &all);
}

/// SplitMix64: enough for choosing.
pub(super) fn roll(seed: &mut u64, sides: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % sides
}

/// Random inserts, replacements, several payers, foreign blocks, expiry.
#[test]
fn the_pool_is_always_a_block() {
    for seed in 0..4u64 {
        eprintln!("seed {seed}");
        let mut dice = seed;
        let mut net = Net::new(Config { expiry_ms: 60, sweep_ms: 7, seen_ms: 20, ..Config::default() });
        let (mut accepted, mut dropped) = (0, 0);
        for now in 0..150u64 {
            let person = |dice: &mut u64| 2 + roll(dice, 5) as u16;
            let next = |net: &mut Net, dice: &mut u64, n: u16| {
                let account = net.pool.screen_mut().account(&address(n)).expect("reads").expect("an account");
                (account.sequence + 1).saturating_sub(roll(dice, 4) / 3).max(1)
            };
            let (a, b) = (person(&mut dice), person(&mut dice));
            let (sa, sb) = (next(&mut net, &mut dice, a), next(&mut net, &mut dice, b));
            let percent = 100 + roll(&mut dice, 3) * 60;
            match roll(&mut dice, 12) {
                0 if a != b => {
                    accepted += usize::from(net.pool.insert(now, pay(&[(a, sa), (b, sb)], now, percent)).is_ok());
                }
                1 => {
                    let count = roll(&mut dice, 4) as usize;
                    let txs = net.pool.candidates(count, usize::MAX, |_| false);
                    dropped += net.settle(now, &txs).len();
                }
                2 => {
                    // A block of somebody else takes the sequence of one of ours.
                    let account = vigil_ledger::queries::account(&net.head.state, net.head.height, &address(a));
                    let sequence = account.expect("reads").expect("an account").sequence + 1;
                    dropped += net.settle(now, &[pay(&[(a, sequence)], 1_000 + now, 100)]).len();
                }
                _ => accepted += usize::from(net.pool.insert(now, pay(&[(a, sa)], now, percent)).is_ok()),
            }
            check(&net);
        }
        assert!(accepted > 40 && dropped > 3, "seed {seed}: {accepted} {dropped}");
    }
}

/// Printed, never asserted.
#[test]
fn speed() {
    let mut net = Net::new(Config { account_max: 10_000, ..Config::default() });
    let txs: Vec<_> = (1..=100).flat_map(|s| (1..=PEOPLE).map(move |n| simple(n, s))).collect();
    let start = std::time::Instant::now();
    txs.iter().for_each(|tx| assert_eq!(net.pool.insert(0, tx.clone()), Ok(())));
    let insert = start.elapsed();
    let start = std::time::Instant::now();
    let picked = net.pool.candidates(2_000, usize::MAX, |_| false);
    let select = start.elapsed();
    assert_eq!(picked.len(), 2_000);
    let (header, outcome) = net.build(&net.head, &picked);
    let hashes: Vec<Hash> = picked.iter().map(|tx| tx.hash()).collect();
    let start = std::time::Instant::now();
    let base = Base { state: outcome.state.clone(), height: header.height };
    net.pool.on_settled(1, base, &hashes, &outcome.touched);
    eprintln!("{} inserts {insert:?}, select 2,000 {select:?}, settle {:?}", txs.len(), start.elapsed());
    assert_eq!(net.pool.len(), 2_000);
}
