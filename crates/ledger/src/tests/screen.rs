//! The mempool's view.

use super::actors::{Chain, FEE, address, deposit, fee, input, key, params, send, signed, stranger};
use crate::{ApplyError, Screen, code, debited};
use std::sync::Arc;
use vigil_crypto::{TxDomain, VerifiedTx, verify_tx};
use vigil_primitives::{Coinbase, Coins, ReleaseFund, Send, Tx, TxInput, TxOutput, U256, keccak256};
use vigil_testkit::ethereum::{EthTx, type_12};

fn screen(chain: &Chain) -> Screen {
    Screen::new(
        Arc::new(chain.params.clone()),
        Arc::new(chain.proofs.clone()),
        chain.head.state.clone(),
        chain.head.height,
    )
}

fn code_of(screen: &mut Screen, tx: &VerifiedTx) -> u32 {
    match screen.check_and_apply(tx) {
        Ok(()) => 0,
        Err(ApplyError::Refused(error)) => error.code,
        Err(ApplyError::State(error)) => panic!("{error}"),
    }
}

#[test]
fn sequences_need_no_waiting() {
    let chain = Chain::new(params(), 2);
    let mut screen = screen(&chain);
    let tx = |sequence| send(&chain.params, 1, sequence, stranger(1), Coins::tokens(0, 20_000_000));
    assert_eq!(code_of(&mut screen, &tx(2)), code::INVALID_SEQUENCE, "a gap");
    assert_eq!(code_of(&mut screen, &tx(1)), 0);
    assert_eq!(code_of(&mut screen, &tx(1)), code::INVALID_SEQUENCE, "used");
    assert_eq!(code_of(&mut screen, &tx(2)), 0);
    assert_eq!(code_of(&mut screen, &tx(3)), code::INSUFFICIENT_FUND, "60 of 50 million");
    let account = screen.account(&address(1)).expect("reads").expect("an account");
    assert_eq!((account.sequence, account.balance.tfuel < Coins::tokens(0, 10_000_000).tfuel), (2, true));
    screen.forget(&address(1));
    assert_eq!(code_of(&mut screen, &tx(1)), 0, "as at the start");
}

#[test]
fn credits_do_not_count() {
    let mut chain = Chain::new(params(), 2);
    let mut screen = screen(&chain);
    let gift = send(&chain.params, 1, 1, address(3), Coins::tokens(0, 5));
    let spend = send(&chain.params, 3, 1, stranger(1), Coins::tokens(0, 1));
    assert_eq!(code_of(&mut screen, &gift), 0);
    assert_eq!(code_of(&mut screen, &spend), code::GENERIC, "unknown until it is settled");
    chain.step_all(&[gift]);
    screen.settle(chain.head.state.clone(), chain.head.height);
    screen.forget(&address(3));
    assert_eq!(code_of(&mut screen, &spend), 0);
    // Debits of accounts that were not forgotten stay.
    assert_eq!(code_of(&mut screen, &send(&chain.params, 1, 2, stranger(1), Coins::ZERO)), 0);
}

#[test]
fn only_proposers_make_coinbases() {
    let chain = Chain::new(params(), 1);
    let mut screen = screen(&chain);
    let coinbase = Coinbase { proposer: input(1, Coins::ZERO, 0), outputs: Vec::new(), block_height: 0 };
    match screen.check_and_apply(&signed(&chain.params, Tx::Coinbase(coinbase), &[1])) {
        Err(ApplyError::Refused(error)) => {
            assert_eq!((error.code, &*error.text), (100_005, "Unauthorized transaction, should skip"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn types_of_later_issues_are_refused_by_name() {
    let chain = Chain::new(params(), 1);
    let source = input(1, Coins::ZERO, 1);
    let release = ReleaseFund { fee: Coins::tfuel(U256::from(FEE)), source, reserve_sequence: 1 };
    let tx = signed(&chain.params, Tx::ReleaseFund(release), &[1]);
    let error = chain.try_tx(&tx).expect_err("later");
    assert_eq!((error.code, &*error.text), (100_000, "tx type not supported yet"));
}

/// A typed transaction of account 1.
fn ethereum(chain: &Chain) -> Arc<VerifiedTx> {
    let domain = TxDomain { chain_id: chain.params.chain_id.clone(), forks: chain.params.forks.clone() };
    let price = U256::from(4_000_000_000_000u64);
    let tx = EthTx { eth_type: 2, chain_id: domain.eth_number().0, max_fee_per_gas: price, ..EthTx::default() };
    let signature = key(1).sign(&keccak256(tx.unsigned()));
    let raw = type_12(&tx.signed(signature.as_array().expect("65 bytes")));
    let verified = verify_tx(&domain, raw.into()).expect("a transaction");
    assert!(verified.all_valid());
    Arc::new(verified)
}

#[test]
fn the_sender_of_an_ethereum_transaction_pays() {
    let chain = Chain::new(params(), 1);
    let tx = ethereum(&chain);
    assert_eq!(debited(tx.tx()), [address(1)]);
    assert_eq!(screen(&chain).effective_gas_price(tx.tx()), U256::from(4_000_000_000_000u64));
}

#[test]
fn a_pool_change_in_the_screen_is_not_kept() {
    let chain = Chain::new(params(), 2);
    let mut screen = screen(&chain);
    let tx = |sequence| deposit(&chain.params, 2, sequence, address(2), Coins::tokens(4_000_000, 0).theta);
    assert_eq!(code_of(&mut screen, &tx(1)), 0);
    assert_eq!(code_of(&mut screen, &tx(2)), 0);
    assert_eq!(code_of(&mut screen, &tx(3)), code::INSUFFICIENT_FUND, "the coins are taken all the same");
}

#[test]
fn prices() {
    let chain = Chain::new(params(), 1);
    let screen = screen(&chain);
    let send = |inputs: usize, outputs: usize| {
        Tx::Send(Send {
            fee: fee(),
            inputs: vec![TxInput::default(); inputs],
            outputs: vec![TxOutput::default(); outputs],
        })
    };
    let price = |tx: &Tx| screen.effective_gas_price(tx);
    assert_eq!(price(&send(1, 1)), U256::from(FEE / 80_000));
    assert_eq!(price(&send(1, 0)), U256::from(FEE / 80_000), "at least two accounts");
    assert_eq!(price(&send(2, 2)), U256::from(FEE / 160_000));
}
