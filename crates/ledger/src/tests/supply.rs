//! Random blocks: no coin appears or vanishes, and a receiver always agrees with the builder.
//! Guardians come and go, finalize most checkpoints, and vote twice now and then; so do validators.

use super::actors::{Chain, address, deposit, distribute, params, send, signed, stranger, withdraw};
use super::guards::{guarded, guardian};
use crate::{SupplyError, check_supply};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Checkpoint, Coins, Evidence, FinalityCert, GuardianSet, Hash, Send, Tx, U256};

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
    let tx = match dice.roll(13) {
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
        9 => chain.joins(from, sequence, dice.roll(4) as u16),
        10 => chain.leaves(from, sequence, dice.roll(4) as u16),
        11 => {
            let height = (chain.head.height + 1).saturating_sub(dice.roll(6));
            chain.report(from, sequence, &chain.double_vote(dice.person(), height))
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

/// What is known of the last checkpoint: the set, and the checkpoint itself.
type Seen = Option<(GuardianSet, Checkpoint)>;

/// The certificate of the last checkpoint, or one with too few signers.
fn certificate(dice: &mut Dice, chain: &Chain, seen: &Seen) -> Option<FinalityCert> {
    let (set, checkpoint) = seen.as_ref()?;
    let signers: Vec<u16> = members(set).into_iter().filter(|_| dice.roll(8) != 0).collect();
    (!signers.is_empty()).then(|| chain.votes(set, *checkpoint, &signers))
}

/// A report of a guardian that also voted for another block.
fn double_checkpoint(dice: &mut Dice, chain: &Chain, seen: &Seen, sequence: u64) -> Option<Arc<VerifiedTx>> {
    let (set, checkpoint) = seen.as_ref()?;
    let members = members(set);
    let faulty = *members.get(dice.roll(members.len() as u64) as usize)?;
    let rival = Checkpoint { block_hash: Hash::repeat_byte(dice.roll(256) as u8), ..*checkpoint };
    let votes = (chain.votes(set, *checkpoint, &members), chain.votes(set, rival, &[faulty]));
    let evidence = Evidence::GuardianDoubleVote(guardian(faulty), Box::new(votes));
    Some(chain.report(PEOPLE, sequence, &evidence))
}

fn members(set: &GuardianSet) -> Vec<u16> {
    (0..4).filter(|n| set.position(&guardian(*n)).is_some()).collect()
}

#[test]
fn every_coin_is_accounted_for_after_every_block() {
    let (mut certified, mut slashed) = (0, 0);
    for seed in 0..6u64 {
        eprintln!("seed {seed}");
        let mut dice = Dice(seed);
        let mut chain = Chain::of(&guarded(params(), PEOPLE, &[300, 200, 100]));
        let (mut taken, mut dropped, mut changes) = (0, 0, 0);
        let mut seen: Seen = None;
        for _block in 0..60 {
            let people = 1..=PEOPLE;
            let mut sequences: Vec<u64> = people.map(|n| chain.account(&address(n)).sequence + 1).collect();
            let count = dice.roll(12);
            let mut txs = Vec::new();
            if dice.roll(10) == 0 {
                txs.extend(double_checkpoint(&mut dice, &chain, &seen, sequences[usize::from(PEOPLE) - 1]));
            }
            txs.extend((0..count).map(|_| transaction(&mut dice, &chain, &mut sequences)));
            let cert = certificate(&mut dice, &chain, &seen);
            let built = chain.step_with(cert, &txs);
            if chain.head.height.is_multiple_of(chain.params.checkpoint_interval) {
                seen = (!chain.set().is_empty()).then(|| (chain.set(), chain.checkpoint()));
            }
            taken += built.txs.len();
            dropped += built.dropped.len();
            changes += usize::from(built.outcome.validators_changed);
            certified += usize::from(built.block.header.finality.is_some());
            slashed += built.txs.iter().filter(|tx| matches!(tx.tx(), Tx::Slash(_))).count();
        }
        assert!(taken > 60 && dropped > 60 && changes > 3, "seed {seed}: {taken} {dropped} {changes}");
        assert!(!chain.head.supply.minted.is_zero() && !chain.head.supply.burned.tfuel.is_zero());
    }
    eprintln!("{certified} certificates, {slashed} slashes");
    assert!(certified > 20 && slashed > 20, "{certified} {slashed}");
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
