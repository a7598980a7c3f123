//! Random blocks: no coin appears or vanishes, and a receiver always agrees with the builder.

use super::actors::{Chain, address, deposit, distribute, params, send, signed, stranger, withdraw};
use crate::{SupplyError, check_supply};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Coins, Send, Tx, U256};

const PEOPLE: u16 = 6;

/// SplitMix64: enough for choosing.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn person(&mut self) -> u16 {
        1 + self.roll(u64::from(PEOPLE)) as u16
    }

    fn wei(&mut self) -> U256 {
        match self.roll(12) {
            0 => U256::MAX,
            1 => U256::MAX - U256::from(self.roll(1_000)),
            2 => U256::ZERO,
            3 => Coins::tokens(100_000_000, 0).theta,
            _ => U256::from(self.roll(u64::MAX)) * U256::from(1 + self.roll(100_000)),
        }
    }

    fn coins(&mut self) -> Coins {
        Coins::new(self.wei(), self.wei())
    }
}

/// A transaction that may be good; `sequences` are the next ones if every good guess is taken.
fn transaction(dice: &mut Dice, chain: &Chain, sequences: &mut [u64]) -> Arc<VerifiedTx> {
    let from = dice.person();
    let next = &mut sequences[usize::from(from) - 1];
    let sequence = if dice.roll(8) == 0 { dice.roll(4) } else { *next };
    let params = &chain.params;
    let tx = match dice.roll(10) {
        0..=3 => send(params, from, sequence, address(dice.person()), dice.coins()),
        4 => send(params, from, sequence, stranger(dice.roll(50)), dice.coins()),
        5 => {
            let amount = Coins::tokens(150_000 + dice.roll(500_000), 0).theta;
            deposit(params, from, sequence, address(dice.person()), amount)
        }
        6 => withdraw(params, from, sequence, address(dice.person())),
        7 => distribute(params, from, sequence, address(dice.person()), dice.roll(1_100)),
        8 => {
            // Fee and sum are guesses.
            let good = send(params, from, sequence, stranger(1), dice.coins());
            let Tx::Send(body) = good.tx().clone() else { return good };
            signed(params, Tx::Send(Send { fee: dice.coins(), ..body }), &[from])
        }
        _ => {
            // The wrong key.
            let good = send(params, from, sequence, stranger(2), dice.coins());
            signed(params, good.tx().clone(), &[dice.person()])
        }
    };
    if chain.try_tx(&tx).is_ok() {
        *next += 1;
    }
    tx
}

#[test]
fn every_coin_is_accounted_for_after_every_block() {
    for seed in 0..6u64 {
        eprintln!("seed {seed}");
        let mut dice = Dice(seed);
        let mut chain = Chain::new(params(), PEOPLE);
        let (mut taken, mut dropped, mut changes) = (0, 0, 0);
        for _block in 0..40 {
            let people = 1..=PEOPLE;
            let mut sequences: Vec<u64> = people.map(|n| chain.account(&address(n)).sequence + 1).collect();
            let count = dice.roll(12);
            let txs: Vec<_> = (0..count).map(|_| transaction(&mut dice, &chain, &mut sequences)).collect();
            let built = chain.step(&txs);
            taken += built.txs.len();
            dropped += built.dropped.len();
            changes += usize::from(built.outcome.validators_changed);
        }
        assert!(taken > 40 && dropped > 40 && changes > 3, "seed {seed}: {taken} {dropped} {changes}");
        assert!(!chain.head.supply.minted.is_zero() && !chain.head.supply.burned.is_zero());
    }
}

#[test]
fn a_wei_that_is_not_there_is_found() {
    let chain = Chain::new(params(), 1);
    let (state, mut supply) = (&chain.head.state, chain.head.supply);
    assert!(check_supply(state, &supply).is_ok());
    supply.minted.theta = U256::from(1);
    assert!(matches!(check_supply(state, &supply), Err(SupplyError::Mismatch { .. })));
    supply.minted = Coins::ZERO;
    supply.burned.tfuel = U256::MAX;
    let error = check_supply(state, &supply).expect_err("more burned than there was");
    assert!(error.to_string().ends_with("below zero"), "{error}");
}
