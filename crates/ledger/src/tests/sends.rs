//! Sends: the checks that the vectors do not reach.

use super::actors::{Chain, FEE, address, fee, input, output, params, send, signed, stranger, try_on};
use crate::code;
use crate::error::TxError;
use vigil_primitives::{Account, ChainParams, Coins, EMPTY_CODE_HASH, Hash, ReservedFund, Send, Tx, U256};

fn try_send(chain: &Chain, tx: Send, signers: &[u16]) -> Result<(), TxError> {
    chain.try_tx(&signed(&chain.params, Tx::Send(tx), signers))
}

fn refused(result: Result<(), TxError>) -> (u32, String) {
    let error = result.expect_err("must be refused");
    (error.code, error.text)
}

#[test]
fn moves_coins_and_burns_the_fee() {
    let mut chain = Chain::new(params(), 2);
    let coins = Coins::tokens(3, 5);
    chain.step_all(&[send(&chain.params, 1, 1, stranger(1), coins), send(&chain.params, 1, 2, address(2), coins)]);
    assert_eq!(chain.account(&stranger(1)).balance, coins);
    assert_eq!(chain.account(&stranger(1)).last_updated_block_height, 0, "height of the parent");
    assert_eq!(chain.account(&address(1)).sequence, 2);
    assert_eq!(chain.head.supply.burned, Coins::tfuel(U256::from(2 * FEE)));
    assert_eq!(chain.head.supply.minted, Coins::ZERO);
}

#[test]
fn account_limit() {
    let chain = Chain::new(params(), 1);
    let with_outputs = |count: u64| {
        let wei = Coins::tfuel(U256::from(1));
        let outputs: Vec<_> = (0..count).map(|n| output(stranger(n), wei)).collect();
        let fee = Coins::tfuel(U256::from(FEE / 2) * U256::from((count + 1).max(2)));
        let paid = Coins::tfuel(fee.tfuel + U256::from(count));
        try_send(&chain, Send { fee, inputs: vec![input(1, paid, 1)], outputs }, &[1])
    };
    assert_eq!(with_outputs(1), Ok(()));
    assert_eq!(with_outputs(510), Ok(()), "below: 511 accounts");
    assert_eq!(with_outputs(511), Ok(()), "at: 512 accounts");
    let (code, text) = refused(with_outputs(512));
    assert_eq!((code, text.contains("513")), (code::GENERIC, true), "above: {text}");
    assert_eq!(refused(with_outputs(0)).0, code::GENERIC);
}

#[test]
fn amounts_near_the_end_of_256_bits() {
    let chain = Chain::new(params(), 2);
    for coins in [Coins::tfuel(U256::MAX), Coins::theta(U256::MAX), Coins::new(U256::MAX, U256::MAX)] {
        let tx = Send { fee: fee(), inputs: vec![input(1, coins, 1)], outputs: vec![output(address(2), coins)] };
        assert_eq!(refused(try_send(&chain, tx, &[1])).0, code::INSUFFICIENT_FUND);
        let outputs = vec![output(stranger(1), coins), output(stranger(2), coins)];
        let tx = Send { fee: Coins::tokens(0, 1), inputs: vec![input(1, Coins::tokens(0, 1), 1)], outputs };
        let (code, text) = refused(try_send(&chain, tx, &[1]));
        assert_eq!((code, &*text), (code::GENERIC, "amount overflows 256 bits"));
        let inputs = vec![input(1, Coins::tokens(0, 1), 1)];
        let tx = Send { fee: Coins::tfuel(U256::MAX), inputs, outputs: vec![output(address(2), coins)] };
        assert_eq!(refused(try_send(&chain, tx, &[1])).0, code::GENERIC, "fee overflows");
    }
}

#[test]
fn a_balance_never_wraps() {
    let chain = Chain::new(params(), 1);
    let mut view = chain.view();
    view.set_account(Account { balance: Coins::tfuel(U256::MAX), ..Account::new(stranger(1), 0) });
    view.keep().expect("keeps");
    let tx = send(&chain.params, 1, 1, stranger(1), Coins::tokens(0, 1));
    let height = view.height();
    let context = crate::tx::Context::new(&chain.params, &chain.proofs, &tx, height);
    let result = crate::tx::apply(&mut view, crate::tx::Runner::Screen, &context);
    assert!(matches!(result, Err(crate::ApplyError::State(crate::StateError::Overflow(_)))), "{result:?}");
}

#[test]
fn duplicate_addresses() {
    let chain = Chain::new(params(), 2);
    let wei = Coins::tfuel(U256::from(FEE));
    let tx = |inputs, outputs| Send { fee: fee(), inputs, outputs };
    let twice = vec![input(1, wei, 1), input(1, wei, 2)];
    let (_, text) = refused(try_send(&chain, tx(twice, vec![output(stranger(1), wei)]), &[1, 1]));
    assert_eq!(text, format!("getInputs - Duplicated address: {}", address(1)));
    let twice = vec![output(stranger(1), wei), output(stranger(1), wei)];
    let (_, text) = refused(try_send(&chain, tx(vec![input(1, wei, 1)], twice), &[1]));
    assert_eq!(text, format!("getOrMakeOutputs - Duplicated address: {}", stranger(1)));
    let (_, text) = refused(try_send(&chain, tx(vec![input(1, wei, 1)], vec![output(address(1), wei)]), &[1]));
    assert_eq!(text, format!("getOrMakeOutputs - Duplicated address: {}", address(1)), "to oneself");
}

#[test]
fn zero_coins_are_allowed() {
    let mut chain = Chain::new(params(), 2);
    chain.step_all(&[send(&chain.params, 1, 1, stranger(1), Coins::ZERO)]);
    assert_eq!(chain.account(&stranger(1)).balance, Coins::ZERO);
}

#[test]
fn many_payers_need_every_signature() {
    let chain = Chain::new(params(), 3);
    let fee = Coins::tfuel(U256::from(2 * FEE));
    let half = Coins::tfuel(U256::from(FEE));
    let inputs = vec![input(1, half, 1), input(2, half, 1)];
    let tx = Send { fee, inputs, outputs: vec![output(stranger(1), Coins::ZERO), output(stranger(2), Coins::ZERO)] };
    assert_eq!(try_send(&chain, tx.clone(), &[1, 2]), Ok(()));
    assert_eq!(refused(try_send(&chain, tx.clone(), &[1, 3])).0, code::INVALID_SIGNATURE);
    assert_eq!(refused(try_send(&chain, tx, &[1])).0, code::INVALID_SIGNATURE);
}

#[test]
fn order_of_checks_and_texts() {
    let chain = Chain::new(params(), 1);
    let coins = Coins::tokens(10_000_001, 0);
    let (code, text) = refused(chain.try_tx(&send(&chain.params, 1, 3, stranger(1), coins)));
    assert_eq!(code, code::INVALID_SEQUENCE, "before the balance");
    assert_eq!(text, "ValidateInputAdvanced: Got 3, expected 1. (acc.seq=0)");
    let (code, text) = refused(chain.try_tx(&send(&chain.params, 1, 1, stranger(1), coins)));
    assert_eq!(code, code::INSUFFICIENT_FUND);
    let words: Vec<_> = text.split(' ').collect();
    assert_eq!(words[..5], ["Insufficient", "fund:", "balance", "is", "9000000000000000000000000"]);
    assert_eq!((words[5], words[7]), ("ThetaWei,", "TFuelWei,"), "theta-js takes four amounts by these words");
    let (_, text) = refused(chain.try_tx(&send(&chain.params, 9, 1, stranger(1), Coins::ZERO)));
    assert_eq!(text, format!("getInputs - Unknown address: {}", address(9)));
    let low = Coins::tfuel(U256::from(FEE - 1));
    let tx = Send { fee: low, inputs: vec![input(1, low, 1)], outputs: vec![output(stranger(1), Coins::ZERO)] };
    let (code, text) = refused(try_send(&chain, tx, &[1]));
    assert_eq!(code, code::INVALID_FEE);
    assert_eq!(text, format!("Insufficient fee. Transaction fee needs to be at least {FEE} TFuelWei"));
    let tx = Send { fee: fee(), inputs: vec![input(1, fee(), 1)], outputs: vec![output(stranger(1), fee())] };
    let (code, text) = refused(try_send(&chain, tx, &[1]));
    assert_eq!((code, text.starts_with("Input total (0 ThetaWei, ")), (code::GENERIC, true), "{text}");
}

#[test]
fn the_last_sequence_is_the_end() {
    let chain = Chain::new(params(), 1);
    let mut view = chain.view();
    view.set_account(Account { sequence: u64::MAX, ..chain.account(&address(1)) });
    view.keep().expect("keeps");
    for sequence in [0, 1, u64::MAX] {
        let result = try_on(&mut view, &chain, &send(&chain.params, 1, sequence, stranger(1), Coins::ZERO));
        assert_eq!(refused(result).0, code::INVALID_SEQUENCE);
    }
}

#[test]
fn not_to_contracts() {
    let chain = Chain::new(params(), 1);
    let mut view = chain.view();
    view.set_account(Account { code_hash: Hash::repeat_byte(0xde), ..Account::new(stranger(1), 0) });
    view.set_account(Account { code_hash: EMPTY_CODE_HASH, ..Account::new(stranger(2), 0) });
    view.keep().expect("keeps");
    let result = try_on(&mut view, &chain, &send(&chain.params, 1, 1, stranger(1), Coins::ZERO));
    assert!(refused(result).1.contains("through a SendTx transaction is not allowed"));
    assert_eq!(try_on(&mut view, &chain, &send(&chain.params, 1, 1, stranger(2), Coins::ZERO)), Ok(()));
}

/// Loading an account releases what expired more than 5 blocks ago; writing it makes that last.
#[test]
fn expired_funds_come_back() {
    let chain = Chain::new(params(), 1);
    let mut view = chain.view();
    let fund = |end, used| ReservedFund {
        collateral: Coins::tokens(0, 20),
        initial_fund: Coins::tokens(0, 10),
        used_fund: Coins::tokens(0, used),
        resource_ids: vec!["r".into()],
        end_block_height: end,
        reserve_sequence: 1,
        transfer_records: Vec::new(),
    };
    // Parent height 10: 5 + 5 is due, 6 + 5 is not, an end near 2^64 must not wrap.
    view.set_account(Account {
        reserved_funds: vec![fund(5, 4), fund(6, 0), fund(0, 11), fund(u64::MAX, 0)],
        ..Account::new(stranger(1), 0)
    });
    view.keep().expect("keeps");
    view.rebase(chain.head.state.clone(), 10);
    let plain = view.plain_account(&stranger(1)).expect("reads").expect("an account");
    assert_eq!((plain.balance, plain.reserved_funds.len()), (Coins::ZERO, 4));
    let loaded = view.account(&stranger(1)).expect("reads").expect("an account");
    assert_eq!(loaded.balance, Coins::tokens(0, 20 + 6 + 20), "an overspent fund gives its collateral only");
    let ends: Vec<_> = loaded.reserved_funds.iter().map(|f| f.end_block_height).collect();
    assert_eq!(ends, [6, u64::MAX]);
    try_on(&mut view, &chain, &send(&chain.params, 1, 1, stranger(1), Coins::ZERO)).expect("sends");
    let after = view.plain_account(&stranger(1)).expect("reads").expect("an account");
    assert_eq!((after.balance, after.reserved_funds.len()), (loaded.balance, 2), "written");
}

#[test]
fn fees_of_the_old_rules() {
    let mut params: ChainParams = params();
    params.forks.june_2021_fee_adjustment = 100;
    let chain = Chain::new(params, 1);
    let fee = Coins::tfuel(U256::from(1_000_000_000_000u64));
    let tx = Send { fee, inputs: vec![input(1, fee, 1)], outputs: vec![output(stranger(1), Coins::ZERO)] };
    assert_eq!(try_send(&chain, tx, &[1]), Ok(()));
}
