//! What guardians earn: by lot, for certificates.

use super::actors::{Chain, address, distribute, input, params, signed, stranger};
use super::guards::{chain, guarded, guardian, guardian_person, guardian_source};
use crate::{BlockError, execute_block, minted_per_block};
use vigil_primitives::{BlockHeader, ChainParams, Coinbase, Coins, Tx, TxOutput, U256};
use vigil_trie::ordered_root;

fn earned(chain: &Chain, n: u16) -> U256 {
    chain.account(&guardian_source(n)).balance.tfuel
}

fn budget(chain: &Chain) -> U256 {
    let genesis = crate::queries::genesis_supply(&chain.head.state).expect("reads").tfuel;
    let interval = U256::from(chain.params.checkpoint_interval);
    minted_per_block(&chain.params, genesis).expect("fits") * interval
}

#[test]
fn nothing_without_a_certificate() {
    // Validator 1 has a million, the guardians together as much.
    let mut chain = chain(&[500, 500]);
    chain.run_to(10);
    assert_eq!((earned(&chain, 0), earned(&chain, 1)), (U256::ZERO, U256::ZERO));
    let half = budget(&chain) / U256::from(2);
    assert_eq!(chain.head.supply.minted.tfuel, half * U256::from(2), "two checkpoints, the validator's half each");
}

#[test]
fn few_guardians_win_every_slot() {
    let mut chain = chain(&[500, 250, 250]);
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0, 1]);
    chain.run_to(9);
    chain.step_with(Some(cert), &[]);
    // Ten winners expected, so each of the two that signed wins each of the five slots, and halves each pot.
    let pot = budget(&chain) / U256::from(2) / U256::from(5);
    let each = pot / U256::from(2) * U256::from(5);
    assert_eq!([0, 1, 2].map(|n| earned(&chain, n)), [each, each, U256::ZERO]);
}

#[test]
fn a_prize_goes_to_one_source_as_large_stakes_more_often() {
    // Guardian 0 has a thousand tokens of its source and a thousand of person 2.
    let mut chain = Chain::of(&guarded(ChainParams { checkpoint_interval: 40, ..params() }, 2, &[1]));
    chain.step_all(&[chain.joins(2, 1, 0)]);
    chain.run_to(40);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0]);
    chain.run_to(79);
    let before = chain.account(&address(2)).balance.tfuel;
    chain.step_with(Some(cert), &[]);
    let two = chain.account(&address(2)).balance.tfuel - before;
    let pot = budget(&chain) / U256::from(501) / U256::from(40);
    let (one, two) = (earned(&chain, 0) / pot, two / pot);
    assert_eq!(one + two, U256::from(40), "each slot's pot is paid to one of both");
    assert!(one > U256::from(8) && two > U256::from(8), "{one} {two}");
}

#[test]
fn a_beneficiary_gets_its_share() {
    let mut genesis = guarded(params(), 1, &[1_000]);
    let person = guardian_person(0);
    let account =
        vigil_primitives::GenesisAccount { address: guardian(0), theta: U256::ZERO, tfuel: Coins::tokens(0, 1).tfuel };
    genesis.accounts.push(account);
    let mut chain = Chain::of(&genesis);
    chain.step_all(&[distribute(&chain.params, person, 1, stranger(5), 1_000)]);
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0]);
    chain.run_to(9);
    chain.step_with(Some(cert), &[]);
    let (kept, given) = (earned(&chain, 0), chain.account(&stranger(5)).balance.tfuel);
    let tenth = (kept + given) / U256::from(10);
    assert!(tenth - given < U256::from(5), "truncated in each of five slots: {tenth} {given}");
    assert!(!given.is_zero());
}

#[test]
fn winners_without_stake_get_nothing() {
    let mut chain = chain(&[10]);
    chain.step_all(&[chain.joins(2, 1, 5)]);
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0, 5]);
    chain.step_all(&[chain.leaves(2, 2, 5)]);
    chain.run_to(9);
    let before = chain.account(&address(2)).balance.tfuel;
    chain.step_with(Some(cert), &[]);
    assert!(chain.account(&address(2)).balance.tfuel == before);
    assert!(!earned(&chain, 0).is_zero(), "half of each pot");
}

/// Every node computes the winners: the proposer cannot leave one out, add one, or choose amounts.
#[test]
fn an_omitted_winner_is_refused() {
    let mut chain = chain(&[10, 10, 10]);
    chain.run_to(5);
    let cert = chain.votes(&chain.set(), chain.checkpoint(), &[0, 1, 2]);
    chain.run_to(9);
    let built = chain.build_with(Some(cert), &[]);
    let Tx::Coinbase(good) = built.txs[0].tx().clone() else { panic!("a coinbase") };
    assert_eq!(good.outputs.len(), 4);
    let with = |outputs: Vec<TxOutput>, header: &BlockHeader| {
        let tx = Coinbase { proposer: input(1, Coins::ZERO, 0), outputs, block_height: 9 };
        let txs = [signed(&chain.params, Tx::Coinbase(tx), &[1])];
        let header = BlockHeader { tx_root: ordered_root(txs.iter().map(|tx| tx.raw())), ..header.clone() };
        execute_block(&chain.env(), &chain.head, &header, &txs).map(|_| ())
    };
    let header = &built.block.header;
    with(good.outputs.clone(), header).expect("as it must be");
    for winner in 0..4 {
        let mut fewer = good.outputs.clone();
        fewer.remove(winner);
        assert!(matches!(with(fewer, header), Err(BlockError::Tx { index: 0, .. })), "{winner} is left out");
    }
    let mut more = good.outputs.clone();
    more[1].coins.tfuel += U256::from(1);
    assert!(matches!(with(more, header), Err(BlockError::Tx { .. })), "a wei more");
    let without = BlockHeader { finality: None, ..header.clone() };
    assert!(matches!(with(good.outputs.clone(), &without), Err(BlockError::Tx { .. })), "no certificate, no prize");
}

/// Which signatures are merged, and how often, changes nothing for those who take part anyway.
#[test]
fn the_aggregate_is_not_worth_choosing() {
    let thousands: Vec<u64> = (0..24).map(|n| 10 + n).collect();
    let mut chain =
        Chain::of(&guarded(ChainParams { bls_scheme: "proof-of-possession".into(), ..params() }, 1, &thousands));
    chain.run_to(5);
    let (set, checkpoint) = (chain.set(), chain.checkpoint());
    chain.run_to(9);
    let outputs = |entries: &[(u16, u8)]| {
        let cert = chain.weighted_votes(&set, checkpoint, entries);
        let built = chain.build_with(Some(cert), &[]);
        assert_eq!(built.refused_certificate, None);
        let Tx::Coinbase(coinbase) = built.txs[0].tx().clone() else { panic!("a coinbase") };
        coinbase.outputs
    };
    let once: Vec<(u16, u8)> = (0..24).map(|n| (n, 1)).collect();
    let often: Vec<(u16, u8)> = (0..24).map(|n| (n, 1 + (n % 5) as u8)).collect();
    assert_eq!(outputs(&once), outputs(&often));
    assert!(outputs(&once).len() > 10);
}
