//! The stake token that a transaction carries.

use super::super::actors::stranger;
use super::*;
use script::Asm;

const THETA: u64 = 1_000;

fn theta() -> Coins {
    Coins::tokens(THETA, 0)
}

#[test]
fn it_goes_with_a_call() {
    let mut chain = chain();
    let contract = chain.machine();
    let had = chain.theta_of(&address(2));
    let receipt = chain.send_call(2, Some(contract), theta(), script(&[]));
    assert!(receipt.success);
    assert_eq!((chain.theta_of(&contract), chain.theta_of(&address(2))), (theta().theta, had - theta().theta));
    let deltas: Vec<_> = receipt.balance_changes.iter().map(|c| (c.address, c.token, c.is_negative, c.delta)).collect();
    assert!(
        deltas.contains(&(contract, 0, false, theta().theta)) && deltas.contains(&(address(2), 0, true, theta().theta))
    );
    // A precompile tells it.
    let asked = chain.run(contract, &[Do::Static(Address::with_last_byte(201), contract.to_vec())]);
    assert_eq!(U256::from_be_slice(&asked.output), theta().theta);
}

#[test]
fn it_goes_to_anybody() {
    let mut chain = chain();
    for (n, to) in [stranger(1), address(3), address(2), Address::with_last_byte(203), Address::with_last_byte(2)]
        .into_iter()
        .enumerate()
    {
        let had = chain.theta_of(&to);
        let receipt = chain.send_call(2, Some(to), theta(), Vec::new());
        assert!(receipt.success, "{n} {}", receipt.error);
        let got = if to == address(2) { U256::ZERO } else { theta().theta };
        assert_eq!(chain.theta_of(&to), had + got, "{n}");
    }
}

#[test]
fn it_comes_back_if_the_call_fails() {
    let mut chain = chain();
    let reverts = chain.deploy(&Asm::default().push(U256::ZERO).push(U256::ZERO).ops(&[0xfd]).done());
    let breaks = chain.deploy(&[0xfe]);
    let contract = chain.machine();
    let had = chain.theta_of(&address(2));
    for to in [reverts, breaks] {
        assert!(!chain.send_call(2, Some(to), theta(), Vec::new()).success);
        assert_eq!((chain.theta_of(&to), chain.theta_of(&address(2))), (U256::ZERO, had));
    }
    // It was given away before the fault.
    let gift = |amount: U256| [stranger(1).to_vec(), amount.to_be_bytes::<32>().to_vec()].concat();
    let give = Do::Must(Address::with_last_byte(203), U256::ZERO, gift(theta().theta));
    assert!(!chain.send_call(2, Some(contract), theta(), script(&[give.clone(), Do::Revert])).success);
    assert_eq!(
        (chain.theta_of(&contract), chain.theta_of(&stranger(1)), chain.theta_of(&address(2))),
        (U256::ZERO, U256::ZERO, had)
    );
    assert!(chain.send_call(2, Some(contract), theta(), script(&[give])).success);
    assert_eq!((chain.theta_of(&contract), chain.theta_of(&stranger(1))), (U256::ZERO, theta().theta));
}

#[test]
fn it_goes_with_a_creation() {
    let mut chain = chain();
    let had = chain.theta_of(&address(2));
    let failed = chain.send_call(2, None, theta(), vec![0xfe]);
    assert!(!failed.success && !failed.created);
    assert_eq!((chain.theta_of(&address(2)), chain.sequence(2)), (had, 1));
    assert_eq!(chain.maybe(&address(2).create(0)), None);
    let made = chain.send_call(2, None, theta(), creation(&machine()));
    assert_eq!((made.contract, chain.theta_of(&made.contract)), (address(2).create(1), theta().theta));
    // One that destroys itself leaves it where nobody can spend it, but it is counted.
    let gone = chain.send_call(2, None, theta().checked_add(&tfuel(5)).expect("small"), vec![0x33, 0xff]);
    assert!(gone.success);
    let account = chain.account(&address(2).create(2));
    assert_eq!((account.balance, account.sequence, account.code_hash), (theta(), 0, EMPTY_CODE_HASH));
}

#[test]
fn a_collision_gives_it_back() {
    let mut chain = chain();
    let taken = address(2).create(0);
    chain.edit(|view| view.set_account(Account { sequence: 1, ..Account::new(taken, 0) }));
    let had = chain.theta_of(&address(2));
    let receipt = chain.send_call(2, None, theta(), creation(&machine()));
    assert_eq!((receipt.success, &*receipt.error, receipt.gas_used), (false, "contract address collision", GAS));
    assert_eq!((chain.theta_of(&address(2)), chain.theta_of(&taken), chain.sequence(2)), (had, U256::ZERO, 1));
}

#[test]
fn what_nobody_has_is_refused() {
    let chain = chain();
    let much = Coins::tokens(10_000_001, 0);
    let tx = Call::new(2, 1, Some(address(3)), Vec::new()).with(much).sign(&chain.params);
    assert_eq!(chain.try_tx(&tx).expect_err("too much").code, crate::code::INSUFFICIENT_FUND);
}

#[test]
fn an_account_that_gave_its_last_is_no_account() {
    let mut chain = chain_on("shanghai");
    let contract = chain.machine();
    chain.send_call(2, Some(contract), theta(), script(&[]));
    let gift = [stranger(1).to_vec(), theta().theta.to_be_bytes::<32>().to_vec()].concat();
    chain.run(contract, &[Do::Must(Address::with_last_byte(203), U256::ZERO, gift), Do::Destroy(stranger(2))]);
    assert_eq!((chain.maybe(&contract), chain.maybe(&stranger(2))), (None, None));
    assert_eq!(chain.theta_of(&stranger(1)), theta().theta);
}
