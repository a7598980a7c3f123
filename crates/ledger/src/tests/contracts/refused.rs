//! What is in no block, and how much fits into one.

use super::super::actors::{send, stranger};
use super::*;
use crate::{ApplyError, BlockError, Parent, Screen, State, code, execute_block};
use vigil_trie::{ScalarHasher, ordered_root_with};

fn error(chain: &Chain, tx: &VerifiedTx) -> (u32, String) {
    let error = chain.try_tx(tx).expect_err("refused");
    (error.code, error.text.to_string())
}

fn typed(eth_type: u8, gas_limit: u64, price: U256, tip: U256) -> EthTx {
    let to = Some(stranger(1));
    EthTx { eth_type, gas_limit, max_fee_per_gas: price, max_priority_fee_per_gas: tip, to, ..EthTx::default() }
}

#[test]
fn limits_of_a_transaction() {
    let chain = chain();
    let price = U256::from(PRICE);
    let call = |gas| Call::new(2, 1, Some(stranger(1)), Vec::new()).gas(gas);
    let code_of = |call: &Call| chain.try_tx(&call.sign(&chain.params)).map_err(|error| error.code);
    assert_eq!(code_of(&call(20_000_000)), Ok(()));
    assert_eq!(code_of(&call(20_000_001)), Err(code::GAS_LIMIT));
    assert_eq!(code_of(&call(u64::MAX)), Err(code::GAS_LIMIT));
    assert_eq!(code_of(&call(21_000)), Ok(()));
    assert_eq!(code_of(&call(20_999)), Err(code::GAS_LIMIT));
    assert_eq!(code_of(&Call { price: price - U256::from(1), ..call(21_000) }), Err(code::GAS_PRICE));
    assert_eq!(code_of(&Call { price: U256::MAX, ..call(21_000) }), Err(code::FEE_LIMIT));
    assert_eq!(code_of(&Call { sequence: 2, ..call(21_000) }), Err(code::INVALID_SEQUENCE));
    assert_eq!(code_of(&Call { sequence: 0, ..call(21_000) }), Err(code::INVALID_SEQUENCE));
    let poor = Call { from: 6, ..call(21_000) };
    assert_eq!(code_of(&poor), Err(code::GENERIC), "nobody knows person 6");
    let all = chain.tfuel_of(&address(2));
    let rest = all - fee_of(21_000);
    assert_eq!(code_of(&call(21_000).with(Coins::tfuel(rest))), Ok(()));
    assert_eq!(code_of(&call(21_000).with(Coins::tfuel(rest + U256::from(1)))), Err(code::INSUFFICIENT_FUND));
    assert_eq!(code_of(&call(21_000).with(Coins::tfuel(all + U256::from(1)))), Err(code::INSUFFICIENT_FUND));
    // The data's floor (EIP-7623): 10 for a zero byte, 40 for another.
    let data = |gas| Call { data: vec![1; 100], ..call(gas) };
    assert_eq!((code_of(&data(25_000)), code_of(&data(24_999))), (Ok(()), Err(code::GAS_LIMIT)));
    let tx = ethereum(&chain.params, 2, &typed(2, 21_000, price, price + U256::from(1)));
    assert_eq!(error(&chain, &tx), (code::GAS_PRICE, "max priority fee per gas higher than max fee per gas".into()));
    let tx = ethereum(&chain.params, 2, &typed(2, 21_000, price - U256::from(1), U256::ZERO));
    assert_eq!(error(&chain, &tx).0, code::GAS_PRICE);
}

#[test]
fn creation_code_has_a_limit() {
    let chain = chain();
    for (length, is_taken) in [(49_152, true), (49_153, false)] {
        let tx = Call::new(2, 1, None, vec![0; length]).sign(&chain.params);
        let result = chain.try_tx(&tx).map_err(|error| (error.code, error.text.to_string()));
        let expected = if is_taken { Ok(()) } else { Err((code::EVM, "max initcode size exceeded".to_owned())) };
        assert_eq!(result, expected, "{length}");
    }
    // Code itself: 24,576 bytes (EIP-170), and none that begins with 0xef (EIP-3541).
    let mut chain = self::chain();
    for (code, error) in [
        (vec![0; 24_576], ""),
        (vec![0; 24_577], "evm: max code size exceeded"),
        (vec![0xef], "invalid code: must not begin with 0xef"),
    ] {
        let call = Call::new(2, chain.sequence(2) + 1, None, creation(&code)).gas(20_000_000);
        assert_eq!(chain.calls(&[call])[0].error, error);
    }
}

#[test]
fn types_come_with_forks() {
    let price = U256::from(PRICE);
    for (fork, one, two) in
        [("petersburg", false, false), ("istanbul", false, false), ("berlin", true, false), ("london", true, true)]
    {
        let chain = chain_on(fork);
        for (eth_type, is_known) in [(1, one), (2, two)] {
            let tx = ethereum(&chain.params, 2, &typed(eth_type, 21_000, price, U256::ZERO));
            let result = chain.try_tx(&tx).map_err(|error| (error.code, error.text.to_string()));
            let refused = Err((code::EVM, "transaction type not supported".to_owned()));
            assert_eq!(result, if is_known { Ok(()) } else { refused }, "{fork} {eth_type}");
        }
        assert_eq!(chain.try_tx(&Call::new(2, 1, Some(stranger(1)), Vec::new()).sign(&chain.params)).err(), None);
    }
}

#[test]
fn the_gas_of_a_block() {
    let params = ChainParams { block_gas_max: 1_000_000, tx_gas_max: 1_000_000, ..params() };
    let mut chain = Chain::new(params, 5);
    // Each uses all that it may.
    let call = |from, sequence, gas| Call::new(from, sequence, None, vec![0xfe]).gas(gas).sign(&chain.params);
    let mut candidates: Vec<_> = (1..=5).map(|sequence| call(1, sequence, 170_000)).collect();
    candidates.push(call(2, 1, 150_001));
    candidates.push(call(2, 2, 60_000));
    candidates.push(send(&chain.params, 2, 3, stranger(2), Coins::tokens(0, 1)));
    candidates.push(call(3, 1, 150_000));
    candidates.push(send(&chain.params, 4, 1, stranger(2), Coins::tokens(0, 1)));
    candidates.push(call(5, 1, 1_000_001));
    let built = chain.build(&candidates);
    let hashes = |at: &[usize]| at.iter().map(|at| candidates[*at].hash()).collect::<Vec<_>>();
    assert_eq!(built.txs.iter().map(|tx| tx.hash()).collect::<Vec<_>>(), hashes(&[0, 1, 2, 3, 4, 8, 9]));
    assert_eq!(built.deferred, hashes(&[5, 6, 7]), "it and what comes after it of its account");
    let dropped: Vec<_> = built.dropped.iter().map(|(hash, error)| (*hash, error.code)).collect();
    assert_eq!(dropped, [(candidates[10].hash(), code::GAS_LIMIT)], "it would never fit");
    assert_eq!(built.outcome.receipts.last().expect("six").cumulative_gas_used, 1_000_000);
    // A receiver refuses what the builder left out.
    let txs: Vec<_> = candidates[..6].to_vec();
    let mut header = built.block.header.clone();
    header.tx_root = ordered_root_with(&ScalarHasher, txs.iter().map(|tx| tx.raw()));
    let cold = Parent { state: State::open(chain.head.state.root(), chain.nodes.clone()), ..chain.head.clone() };
    match execute_block(&chain.env(), &cold, &header, &txs) {
        Err(BlockError::Tx { index: 5, error, .. }) => assert_eq!(error.code, code::GAS_LIMIT),
        other => panic!("{other:?}"),
    }
    // The next block takes them.
    chain.step(&candidates);
    let rest: Vec<_> = candidates[5..8].to_vec();
    chain.step_all(&rest);
}

#[test]
fn what_pends_is_debited() {
    let chain = chain();
    let mut screen = Screen::new(
        Arc::new(chain.params.clone()),
        Arc::new(chain.proofs.clone()),
        chain.head.state.clone(),
        chain.head.height,
    );
    let mut code_of = |tx: &VerifiedTx| match screen.check_and_apply(tx) {
        Ok(()) => 0,
        Err(ApplyError::Refused(error)) => error.code,
        Err(ApplyError::State(error)) => panic!("{error}"),
    };
    let call = |sequence, coins| Call::new(2, sequence, Some(stranger(1)), Vec::new()).with(coins).sign(&chain.params);
    assert_eq!(code_of(&call(2, Coins::ZERO)), code::INVALID_SEQUENCE);
    assert_eq!(code_of(&call(1, Coins::tokens(4_000_000, 40_000_000))), 0);
    assert_eq!(code_of(&call(2, Coins::tokens(6_000_001, 0))), code::INSUFFICIENT_FUND, "the stake token counts");
    assert_eq!(
        code_of(&call(2, Coins::tokens(6_000_000, 9_999_961))),
        code::INSUFFICIENT_FUND,
        "so does the gas: 20 each"
    );
    assert_eq!(code_of(&call(2, Coins::tokens(6_000_000, 9_999_960))), 0);
    assert_eq!(code_of(&call(3, Coins::ZERO)), code::INSUFFICIENT_FUND);
    // Nothing runs: a call that would fail in a block is taken.
    let breaks = Call::new(3, 1, None, vec![0xfe]).sign(&chain.params);
    assert_eq!(code_of(&breaks), 0);
    // What a type 2 may cost at most.
    let most = EthTx { value: chain.tfuel_of(&address(4)), ..typed(2, 21_000, U256::from(PRICE), U256::ZERO) };
    assert_eq!(code_of(&ethereum(&chain.params, 4, &most)), code::INSUFFICIENT_FUND);
}
