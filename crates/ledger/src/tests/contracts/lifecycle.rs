//! Contracts come and go.

use super::super::actors::{send, stranger};
use super::*;
use vigil_primitives::{Hash, ReservedFund};

/// A contract with 1,000 wei and a word.
fn rich(chain: &mut Chain) -> Address {
    let contract = chain.machine();
    let receipt = chain.send_call(2, Some(contract), tfuel(1_000), script(&[Do::Store(1, U256::from(5))]));
    assert!(receipt.success);
    contract
}

/// Burned in the last block besides the fee.
fn burned_by(chain: &mut Chain, block: impl FnOnce(&mut Chain) -> Receipt) -> U256 {
    let before = chain.head.supply.burned.tfuel;
    let receipt = block(chain);
    assert!(receipt.success, "{}", receipt.error);
    chain.head.supply.burned.tfuel - before - fee_of(receipt.gas_used)
}

#[test]
fn destroyed_to_another() {
    for (fork, is_gone) in [("petersburg", true), ("shanghai", true), ("cancun", false), ("osaka", false)] {
        let mut chain = chain_on(fork);
        let contract = rich(&mut chain);
        let burned = burned_by(&mut chain, |chain| chain.run(contract, &[Do::Destroy(stranger(1))]));
        assert_eq!((burned, chain.tfuel_of(&stranger(1))), (U256::ZERO, U256::from(1_000)), "{fork}");
        assert_eq!(chain.maybe(&contract).is_none(), is_gone, "{fork}");
        if !is_gone {
            assert_eq!((chain.word(&contract, 1), chain.code(&contract)), (U256::from(5), Some(machine().into())));
        }
        // Whatever comes later is kept.
        assert!(chain.send_call(2, Some(contract), tfuel(3), Vec::new()).success);
        assert_eq!(chain.tfuel_of(&contract), U256::from(3));
    }
}

#[test]
fn destroyed_to_itself() {
    for (fork, burned, left) in [("shanghai", 1_000, 0), ("osaka", 0, 1_000)] {
        let mut chain = chain_on(fork);
        let contract = rich(&mut chain);
        let got = burned_by(&mut chain, |chain| chain.run(contract, &[Do::Destroy(contract)]));
        assert_eq!((got, chain.tfuel_of(&contract)), (U256::from(burned), U256::from(left)), "{fork}");
    }
}

#[test]
fn coins_for_the_destroyed_are_burned() {
    let mut chain = chain_on("shanghai");
    let (contract, payer) = (rich(&mut chain), rich(&mut chain));
    let destroy = Do::Must(contract, U256::ZERO, script(&[Do::Destroy(stranger(1))]));
    let pay = Do::Must(contract, U256::from(400), script(&[]));
    let burned = burned_by(&mut chain, |chain| chain.run(payer, &[destroy, pay]));
    assert_eq!((burned, chain.maybe(&contract)), (U256::from(400), None));
    assert_eq!((chain.tfuel_of(&payer), chain.tfuel_of(&stranger(1))), (U256::from(600), U256::from(1_000)));
}

#[test]
fn created_and_destroyed_in_one_transaction() {
    for fork in ["shanghai", "osaka"] {
        let mut chain = chain_on(fork);
        let contract = rich(&mut chain);
        // ADDRESS SELFDESTRUCT, CALLER SELFDESTRUCT.
        let to_itself = Do::Create(U256::from(300), vec![0x30, 0xff]);
        let to_caller = Do::Create(U256::from(200), vec![0x33, 0xff]);
        let burned = burned_by(&mut chain, |chain| chain.run(contract, &[to_itself, to_caller]));
        assert_eq!((burned, chain.tfuel_of(&contract)), (U256::from(300), U256::from(700)), "{fork}");
        assert_eq!((chain.maybe(&contract.create(1)), chain.maybe(&contract.create(2))), (None, None));
        assert_eq!(chain.account(&contract).sequence, 3, "EIP-161: it began with 1");
        // Stored and run before it goes, and coins sent after.
        let child = contract.create2(Hash::ZERO, keccak256(creation(&machine())));
        let steps = [
            Do::Create2(U256::from(50), creation(&machine())),
            Do::Must(child, U256::ZERO, script(&[Do::Store(1, U256::from(1)), Do::Destroy(stranger(1))])),
            Do::Must(child, U256::from(20), script(&[])),
        ];
        let burned = burned_by(&mut chain, |chain| chain.run(contract, &steps));
        assert_eq!((burned, chain.tfuel_of(&stranger(1))), (U256::from(20), U256::from(50)), "{fork}");
        assert_eq!(chain.maybe(&child), None);
    }
}

#[test]
fn what_contracts_do_not_see_stays() {
    let mut chain = chain_on("shanghai");
    let contract = rich(&mut chain);
    assert!(chain.send_call(2, Some(contract), Coins::tokens(5, 0), script(&[])).success);
    // A fund of its own coins; nothing on a chain makes one for a contract, but the rule must hold for any account.
    chain.edit(|view| {
        let mut account = view.plain_account(&contract).expect("reads").expect("rich");
        account.balance.tfuel -= U256::from(600);
        account.reserved_funds = vec![ReservedFund {
            collateral: tfuel(400),
            initial_fund: tfuel(200),
            used_fund: Coins::ZERO,
            resource_ids: Vec::new(),
            end_block_height: 1_000,
            reserve_sequence: 1,
            transfer_records: Vec::new(),
        }];
        view.set_account(account);
    });
    let burned = burned_by(&mut chain, |chain| chain.run(contract, &[Do::Destroy(contract)]));
    assert_eq!(burned, U256::from(400));
    let account = chain.account(&contract);
    assert_eq!((account.balance, account.reserved_funds.len()), (Coins::tokens(5, 0), 1));
    assert_eq!((account.sequence, account.code_hash, account.storage_root), (0, EMPTY_CODE_HASH, Hash::ZERO));
}

#[test]
fn made_again_in_one_block() {
    let mut chain = chain_on("shanghai");
    let factory = chain.machine();
    let child = factory.create2(Hash::ZERO, keccak256(creation(&machine())));
    let make = script(&[Do::Create2(U256::ZERO, creation(&machine()))]);
    let calls = [
        (factory, make.clone()),
        (child, script(&[Do::Store(1, U256::from(5)), Do::Store(2, U256::from(6))])),
        (child, script(&[Do::Destroy(stranger(1))])),
        (factory, make.clone()),
        (child, script(&[Do::Store(2, U256::from(7))])),
    ];
    let calls = calls.into_iter().zip(2..).map(|((to, data), sequence)| Call::new(1, sequence, Some(to), data));
    let receipts = chain.calls(&calls.collect::<Vec<_>>());
    assert!(receipts.iter().all(|receipt| receipt.success));
    let words = |chain: &Chain| [1, 2].map(|slot| chain.word(&child, slot));
    assert_eq!(words(&chain), [U256::ZERO, U256::from(7)]);
    assert_eq!((chain.account(&child).sequence, chain.account(&factory).sequence), (1, 3));
    // Over blocks: gone, there again, empty.
    chain.run(child, &[Do::Destroy(stranger(1))]);
    assert_eq!(chain.maybe(&child), None);
    chain.call(factory, make.clone());
    assert_eq!((words(&chain), chain.account(&child).storage_root), ([U256::ZERO; 2], Hash::ZERO));
    // Where there is one, none is made.
    chain.run(child, &[Do::Store(1, U256::from(1))]);
    chain.call(factory, make);
    assert_eq!((words(&chain), chain.account(&factory).sequence), ([U256::from(1), U256::ZERO], 5));
}

#[test]
fn destroyed_and_paid_in_one_block() {
    let mut chain = chain_on("shanghai");
    let contract = rich(&mut chain);
    let destroy = Call::new(1, 2, Some(contract), script(&[Do::Destroy(stranger(1))]));
    let pay = Call::new(1, 3, Some(contract), Vec::new()).with(tfuel(3));
    chain.calls(&[destroy, pay]);
    let account = chain.account(&contract);
    assert_eq!((account.balance, account.sequence, account.code_hash), (tfuel(3), 0, EMPTY_CODE_HASH));
    assert_eq!(account.storage_root, Hash::ZERO, "its words are gone");
}

#[test]
fn a_new_contract_keeps_the_coins_of_its_address() {
    let mut chain = chain();
    let place = address(2).create(1);
    chain.send_call(2, Some(place), Coins::tokens(3, 4), Vec::new());
    let receipt = chain.send_call(2, None, tfuel(5), creation(&machine()));
    assert_eq!(receipt.contract, place);
    let account = chain.account(&place);
    assert_eq!(account.balance, Coins::tokens(3, 4).checked_add(&tfuel(5)).expect("small"));
    assert_eq!((account.sequence, account.code_hash), (1, keccak256(machine())));
}

#[test]
fn native_transfers_to_contracts_are_refused() {
    let mut chain = chain();
    let contract = chain.machine();
    let tx = send(&chain.params, 2, 1, contract, Coins::tokens(0, 1));
    assert_eq!(chain.try_tx(&tx).expect_err("a contract").code, crate::code::GENERIC);
    // In the block of its creation, too.
    let create = Call::new(3, 1, None, creation(&machine())).sign(&chain.params);
    let tx = send(&chain.params, 2, 1, address(3).create(0), Coins::tokens(0, 1));
    let built = chain.step(&[create, tx]);
    assert_eq!(built.dropped.iter().map(|(_, error)| error.code).collect::<Vec<_>>(), [crate::code::GENERIC]);
}
