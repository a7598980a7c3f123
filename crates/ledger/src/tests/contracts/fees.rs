//! Gas and coins, to the wei.

use super::*;
use script::Asm;

/// What a person lost and what was burned over a block.
fn spent(chain: &mut Chain, person: u16, block: impl FnOnce(&mut Chain) -> Receipt) -> (U256, U256, Receipt) {
    let (had, burned) = (chain.tfuel_of(&address(person)), chain.head.supply.burned.tfuel);
    let receipt = block(chain);
    (had - chain.tfuel_of(&address(person)), chain.head.supply.burned.tfuel - burned, receipt)
}

#[test]
fn a_plain_transfer() {
    let mut chain = chain();
    let to = stranger();
    let (lost, burned, receipt) = spent(&mut chain, 2, |chain| chain.send_call(2, Some(to), tfuel(12_345), Vec::new()));
    assert_eq!((receipt.success, receipt.gas_used, receipt.created), (true, 21_000, false));
    assert_eq!((lost, burned), (fee_of(21_000) + U256::from(12_345), fee_of(21_000)));
    let account = chain.account(&to);
    assert_eq!((account.balance, account.sequence), (tfuel(12_345), 0));
    assert_eq!(chain.sequence(2), 1);
    let changes: Vec<_> =
        receipt.balance_changes.iter().map(|c| (c.address, c.token, c.is_negative, c.delta)).collect();
    let mut expected = vec![(address(2), 1, true, U256::from(12_345)), (to, 1, false, U256::from(12_345))];
    expected.sort_unstable();
    assert_eq!(changes, expected);
}

fn stranger() -> Address {
    super::super::actors::stranger(77)
}

#[test]
fn prices_of_every_type() {
    let mut chain = chain();
    let price = U256::from(PRICE);
    let base = EthTx { gas_limit: 30_000, to: Some(stranger()), value: U256::from(5), ..EthTx::default() };
    let two = U256::from(2);
    // Type, tip, most, what a unit costs.
    let cases = [
        (1, U256::ZERO, price, price),
        (1, U256::ZERO, price * two, price * two),
        (2, U256::ZERO, price * two, price),
        (2, U256::from(7), price * two, price + U256::from(7)),
        (2, price * two, price * two, price * two),
        (2, U256::from(7), price + U256::from(3), price + U256::from(3)),
    ];
    for (nonce, (eth_type, tip, most, unit)) in cases.into_iter().enumerate() {
        let tx = EthTx {
            eth_type,
            nonce: nonce as u64,
            max_priority_fee_per_gas: tip,
            max_fee_per_gas: most,
            ..base.clone()
        };
        let tx = ethereum(&chain.params, 3, &tx);
        let (lost, burned, receipt) = spent(&mut chain, 3, |chain| only(&chain.step_all(&[tx])).clone());
        assert_eq!((receipt.eth_type, receipt.gas_used, receipt.from), (eth_type, 21_000, address(3)));
        assert_eq!(burned, unit * U256::from(21_000), "type {eth_type}, tip {tip}, most {most}");
        assert_eq!(lost, burned + U256::from(5));
    }
    let (lost, burned, _) = spent(&mut chain, 2, |chain| {
        let call = Call { price: price * two, ..Call::new(2, 1, Some(stranger()), Vec::new()) };
        chain.calls(&[call]).remove(0)
    });
    assert_eq!((lost, burned), (fee_of(42_000), fee_of(42_000)), "type 7");
}

#[test]
fn an_access_list_is_paid_for() {
    let mut chain = chain();
    let tx = EthTx {
        eth_type: 1,
        gas_limit: 100_000,
        max_fee_per_gas: U256::from(PRICE),
        to: Some(stranger()),
        // The stake token's precompile, too, whose storage holds balances.
        access_list: vec![
            (stranger(), vec![U256::from(1).into(); 2]),
            (Address::with_last_byte(203), vec![address(1).into_word()]),
        ],
        ..EthTx::default()
    };
    let tx = ethereum(&chain.params, 3, &tx);
    assert_eq!(only(&chain.step_all(&[tx])).gas_used, 21_000 + 2 * 2_400 + 3 * 1_900);
}

#[test]
fn what_fails_pays() {
    let mut chain = chain();
    let reverts = chain.deploy(&Asm::default().store(1, 1).push(U256::ZERO).push(U256::ZERO).ops(&[0xfd]).done());
    let loops = chain.deploy(&[0x5b, 0x60, 0, 0x56]);
    for (contract, error, gas) in [(reverts, "evm: execution reverted", 43_112), (loops, "out of gas", GAS)] {
        let (lost, burned, receipt) =
            spent(&mut chain, 2, |chain| chain.send_call(2, Some(contract), tfuel(9), Vec::new()));
        assert_eq!((receipt.success, &*receipt.error, receipt.gas_used), (false, error, gas));
        assert_eq!((lost, burned), (fee_of(gas), fee_of(gas)), "the value stays");
        assert_eq!((receipt.balance_changes.len(), chain.tfuel_of(&contract)), (0, U256::ZERO));
    }
    assert_eq!((chain.word(&reverts, 1), chain.sequence(2)), (U256::ZERO, 2));
}

#[test]
fn refunds() {
    let mut chain = chain();
    let clears = Asm::default().store(0, 0).done();
    let init = script::creation_after(Asm::default().store(0, 9), &clears);
    let holder = chain.send_call(1, None, Coins::ZERO, init).contract;
    assert_eq!(chain.word(&holder, 0), U256::from(9));
    let (lost, burned, receipt) =
        spent(&mut chain, 2, |chain| chain.send_call(2, Some(holder), Coins::ZERO, Vec::new()));
    // Two pushes, a cold word that is cleared; 4,800 come back (EIP-3529).
    assert_eq!(receipt.gas_used, 21_000 + 6 + 5_000 - 4_800);
    assert_eq!((lost, burned), (fee_of(receipt.gas_used), fee_of(receipt.gas_used)));
    assert_eq!(chain.word(&holder, 0), U256::ZERO);
}

#[test]
fn expired_funds_are_spent() {
    let mut chain = chain();
    let rich = chain.tfuel_of(&address(2));
    let fund = |end: u64, coins: U256| vigil_primitives::ReservedFund {
        collateral: Coins::tfuel(coins),
        initial_fund: Coins::tfuel(coins),
        used_fund: Coins::ZERO,
        resource_ids: vec!["film".into()],
        end_block_height: end,
        reserve_sequence: end,
        transfer_records: Vec::new(),
    };
    let quarter = rich / U256::from(4);
    chain.edit(|view| {
        let mut account = view.plain_account(&address(2)).expect("reads").expect("rich");
        account.balance.tfuel -= quarter * U256::from(3) - U256::from(1);
        let rest = quarter * U256::from(3) - U256::from(1);
        let (half, other) = (quarter / U256::from(2), rest - quarter / U256::from(2) * U256::from(2));
        account.reserved_funds = vec![fund(1, half), fund(1_000, other / U256::from(2))];
        account.reserved_funds[1].initial_fund = Coins::tfuel(other - other / U256::from(2));
        view.set_account(account);
    });
    // More than the balance without the fund that ends at 1 and is free from the parent's height 6 on.
    let value = chain.maybe(&address(2)).expect("rich").balance.tfuel + quarter / U256::from(2);
    let call = Call::new(2, 1, Some(stranger()), Vec::new()).with(Coins::tfuel(value)).sign(&chain.params);
    let early = chain.build(&[Arc::clone(&call)]);
    assert_eq!(early.dropped[0].1.code, crate::code::INSUFFICIENT_FUND);
    chain.run_to(6);
    chain.step_all(&[call]);
    assert_eq!(chain.tfuel_of(&stranger()), value);
    let left = chain.account(&address(2)).reserved_funds;
    assert_eq!(left.iter().map(|fund| fund.reserve_sequence).collect::<Vec<_>>(), [1_000]);
}
