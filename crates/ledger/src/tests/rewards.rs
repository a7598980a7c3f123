//! Rewards and the coinbase.

use super::actors::{Chain, address, deposit, distribute, input, output, params, send, signed, stranger};
use crate::{BlockError, execute_block, is_reward_height, minted_per_block};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{ChainParams, Coinbase, Coins, Tx, TxOutput, U256};
use vigil_trie::ordered_root;

fn coinbase(chain: &Chain, signer: u16, outputs: Vec<TxOutput>, block_height: u64) -> Arc<VerifiedTx> {
    let tx = Coinbase { proposer: input(signer, Coins::ZERO, 0), outputs, block_height };
    signed(&chain.params, Tx::Coinbase(tx), &[signer])
}

/// Executes a block with these transactions; the roots of a block that must be refused do not matter.
fn execute(chain: &Chain, txs: &[Arc<VerifiedTx>]) -> Result<(), BlockError> {
    let mut header = chain.header();
    header.tx_root = ordered_root(txs.iter().map(|tx| tx.raw()));
    match execute_block(&chain.env(), &chain.head, &header, txs) {
        Err(BlockError::StateRoot { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

#[test]
fn minting_per_block() {
    let params = ChainParams::default();
    // 5 billion at 5 % a year, a block a second: 250 million over 31,557,600 blocks.
    let supply = Coins::tokens(0, 5_000_000_000).tfuel;
    assert_eq!(minted_per_block(&params, supply), Some(U256::from(7_922_021_953_507_237_559u64)));
    let limit = (U256::from(1) << 128) - U256::from(1);
    let params = ChainParams { inflation_basis_points: 10_000, block_interval_ms: 60_000, ..params };
    assert!(minted_per_block(&params, limit).is_some());
    assert_eq!(minted_per_block(&params, U256::MAX), None, "no wrap");
    assert_eq!(minted_per_block(&params, U256::ZERO), Some(U256::ZERO));
    let heights: Vec<u64> = (0..=11).filter(|h| is_reward_height(&super::actors::params(), *h)).collect();
    assert_eq!(heights, [5, 10]);
}

#[test]
fn paid_by_stake_at_checkpoints() {
    let mut chain = Chain::new(params(), 3);
    let third = Coins::tokens(500_000, 0).theta;
    chain.step_all(&[deposit(&chain.params, 2, 1, address(1), third)]);
    chain.run_to(4);
    assert_eq!(chain.head.supply.minted, Coins::ZERO);
    let before: Vec<U256> = (1..=3).map(|n| chain.account(&address(n)).balance.tfuel).collect();
    let built = chain.step(&[]);
    assert!(matches!(built.txs[0].tx(), Tx::Coinbase(_)));
    let genesis = Coins::tokens(0, 150_000_000).tfuel;
    let budget = minted_per_block(&chain.params, genesis).expect("fits") * U256::from(5);
    let earned: Vec<U256> =
        (1..=3).map(|n| chain.account(&address(n)).balance.tfuel - before[n as usize - 1]).collect();
    let part = |n: u64| budget * U256::from(n) / U256::from(3);
    assert_eq!(earned, [part(2), part(1), U256::ZERO]);
    assert_eq!(chain.head.supply.minted, Coins::tfuel(part(2) + part(1)), "what is not distributed is not minted");
}

#[test]
fn a_distribution_shares_the_reward() {
    let mut chain = Chain::new(params(), 1);
    chain.step_all(&[distribute(&chain.params, 1, 1, stranger(1), 1_000)]);
    chain.run_to(5);
    let minted = chain.head.supply.minted.tfuel;
    assert_eq!(chain.account(&stranger(1)).balance.tfuel, minted / U256::from(10));
    let over = distribute(&chain.params, 1, 2, stranger(1), 1_001);
    assert_eq!(chain.try_tx(&over).expect_err("over 10 %").code, crate::code::GENERIC);
    chain.step_all(&[distribute(&chain.params, 1, 2, stranger(2), 0)]);
    chain.run_to(10);
    assert_eq!(chain.account(&stranger(1)).balance.tfuel, minted / U256::from(10), "the rule is gone");
}

#[test]
fn the_coinbase_is_exact() {
    let mut chain = Chain::new(params(), 2);
    chain.run_to(3);
    let early = coinbase(&chain, 1, Vec::new(), 3);
    assert!(matches!(execute(&chain, &[early]), Err(BlockError::Tx { index: 0, .. })), "not at height 4");
    chain.run_to(4);
    assert!(matches!(execute(&chain, &[]), Err(BlockError::CoinbaseMissing { height: 5 })));

    let built = chain.build(&[]);
    let Tx::Coinbase(good) = built.txs[0].tx().clone() else { panic!("a coinbase") };
    assert_eq!(good.block_height, 4, "height of the parent");
    let with = |outputs: Vec<TxOutput>| execute(&chain, &[coinbase(&chain, 1, outputs, 4)]);
    assert!(with(good.outputs.clone()).is_ok());
    let refused = |result: Result<(), BlockError>| matches!(result, Err(BlockError::Tx { .. }));
    assert!(refused(with(Vec::new())), "nothing");
    let mut more = good.outputs.clone();
    more[0].coins.tfuel += U256::from(1);
    assert!(refused(with(more)), "a wei too much");
    let mut theta = good.outputs.clone();
    theta[0].coins.theta = U256::from(1);
    assert!(refused(with(theta)), "the stake token is never minted");
    let twice = [good.outputs.clone(), good.outputs.clone()].concat();
    assert!(refused(with(twice)), "twice the same address");
    let mut extra = good.outputs.clone();
    extra.push(output(stranger(1), Coins::ZERO));
    assert!(refused(with(extra)), "one too many");
    assert!(refused(execute(&chain, &[coinbase(&chain, 2, good.outputs.clone(), 4)])), "not the proposer");
    assert!(refused(execute(&chain, &[coinbase(&chain, 1, good.outputs.clone(), 5)])), "wrong height");

    let first = coinbase(&chain, 1, good.outputs.clone(), 4);
    assert!(refused(execute(&chain, &[first.clone(), first.clone()])), "one a block");
    let payment = send(&chain.params, 2, 1, stranger(1), Coins::ZERO);
    let late = execute(&chain, &[payment, first]);
    assert!(matches!(late, Err(BlockError::CoinbaseMissing { .. })), "must be first");
}

#[test]
fn order_of_outputs_is_free() {
    let mut chain = Chain::new(params(), 2);
    chain.step_all(&[deposit(&chain.params, 2, 1, address(1), Coins::tokens(200_000, 0).theta)]);
    chain.run_to(4);
    let built = chain.build(&[]);
    let Tx::Coinbase(good) = built.txs[0].tx() else { panic!("a coinbase") };
    let mut outputs = good.outputs.clone();
    assert_eq!(outputs.len(), 2);
    outputs.reverse();
    assert!(execute(&chain, &[coinbase(&chain, 1, outputs, 4)]).is_ok());
}

#[test]
fn withdrawn_stake_earns_nothing() {
    let mut chain = Chain::new(params(), 2);
    chain.step_all(&[deposit(&chain.params, 2, 1, address(1), Coins::tokens(1_000_000, 0).theta)]);
    chain.step_all(&[super::actors::withdraw(&chain.params, 2, 2, address(1))]);
    chain.run_to(4);
    let before = chain.account(&address(2)).balance.tfuel;
    chain.run_to(5);
    assert_eq!(chain.account(&address(2)).balance.tfuel, before);
}
