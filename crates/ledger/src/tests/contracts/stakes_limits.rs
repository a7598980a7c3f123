//! The stake token's precompiles: what they refuse, and what many calls of them cost.

use super::super::actors::stranger;
use super::stakes::*;
use super::*;
use vigil_crypto::bls;

/// A direct call of person 2, which must fail and take all gas; its error.
fn refused(chain: &mut Chain, number: u8, data: Vec<u8>) -> String {
    let had = chain.account(&address(2)).balance;
    let receipt = chain.send_call(2, Some(precompile(number)), Coins::ZERO, data);
    assert_eq!((receipt.success, receipt.gas_used), (false, GAS), "{number}");
    let paid = had.checked_sub(&Coins::tfuel(fee_of(GAS))).expect("rich");
    assert_eq!(chain.account(&address(2)).balance, paid, "only the gas is gone");
    receipt.error
}

const STAKE: &str = "invalid stake operation";

#[test]
fn amounts() {
    let mut chain = chain();
    let params = ChainParams { guardian_stake_max: 5_000, ..params() };
    let guardian = |tokens: U256| guardian_input(&summary(3, 1), tokens);
    let edge = |tokens: U256| edge_input(&summary(3, 1), tokens);
    let one = U256::from(1);
    assert_eq!(refused(&mut chain, 204, guardian(theta(1_000) - one)), STAKE, "below the least");
    assert_eq!(refused(&mut chain, 204, guardian(theta(10_000_000) + one)), STAKE, "more than there is");
    assert_eq!(refused(&mut chain, 204, guardian(U256::MAX)), STAKE);
    assert_eq!(refused(&mut chain, 206, edge(theta(10_000) - one)), STAKE);
    assert_eq!(refused(&mut chain, 206, edge(theta(500_000) + one)), STAKE, "above the cap");
    assert_eq!(refused(&mut chain, 206, edge(U256::MAX)), STAKE);
    assert_eq!(refused(&mut chain, 206, guardian(theta(10_000))), STAKE, "the amount stands 32 bytes later");
    let gift = |amount: U256| [stranger(1).to_vec(), amount.to_be_bytes::<32>().to_vec()].concat();
    let error = refused(&mut chain, 203, gift(theta(10_000_000) + one));
    assert_eq!(error, "insufficient Theta balance for transfer");
    assert_eq!(refused(&mut chain, 203, gift(U256::MAX)), error);
    assert!(chain.send_call(2, Some(precompile(203)), Coins::ZERO, Vec::new()).success, "nothing to nobody");
    assert_eq!(chain.maybe(&Address::ZERO), None);
    // The caps, exactly.
    assert!(chain.send_call(2, Some(precompile(206)), Coins::ZERO, edge(theta(500_000))).success);
    assert_eq!(refused(&mut chain, 206, edge(theta(10_000))), STAKE);
    let mut capped = Chain::new(params, 5);
    assert!(capped.send_call(2, Some(precompile(204)), Coins::ZERO, guardian(theta(3_000))).success);
    assert_eq!(refused(&mut capped, 204, guardian(theta(2_000) + one)), STAKE);
    assert!(capped.send_call(2, Some(precompile(204)), Coins::ZERO, guardian(theta(2_000))).success);
}

#[test]
fn gas() {
    let mut chain = chain();
    let gas_used = |chain: &mut Chain, number, data: Vec<u8>| {
        let bytes: u64 = data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
        chain.call(precompile(number), data).gas_used - 21_000 - bytes
    };
    let register = 105_900;
    assert_eq!(gas_used(&mut chain, 204, guardian_input(&summary(3, 1), theta(1_000))), 21_000 + register);
    assert_eq!(gas_used(&mut chain, 204, guardian_input(&more(3), theta(1_000))), 21_000, "it is known");
    assert_eq!(gas_used(&mut chain, 206, edge_input(&summary(3, 1), theta(10_000))), 21_000 + register);
    assert_eq!(gas_used(&mut chain, 207, address(3).to_vec()), 21_000);
    assert_eq!(gas_used(&mut chain, 205, address(3).to_vec()), 21_000);
    // Just not enough: nothing is staked.
    let data = guardian_input(&summary(4, 2), theta(1_000));
    let bytes: u64 = data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    for (missing, success) in [(1, false), (0, true)] {
        let call = Call::new(2, chain.sequence(2) + 1, Some(precompile(204)), data.clone());
        let receipt = chain.calls(&[call.gas(42_000 + bytes + register - missing)]).remove(0);
        assert_eq!((receipt.success, stakes(&chain, 4).len()), (success, usize::from(success)));
    }
}

#[test]
fn only_by_call() {
    let mut chain = chain();
    let contract = rich(&mut chain);
    let inputs = [
        (203, [stranger(1).to_vec(), theta(5).to_be_bytes::<32>().to_vec()].concat()),
        (204, guardian_input(&summary(3, 1), theta(1_000))),
        (205, address(3).to_vec()),
        (206, edge_input(&summary(3, 1), theta(10_000))),
        (207, address(3).to_vec()),
    ];
    let before = chain.account(&contract);
    for (number, data) in inputs {
        for step in [
            Do::Static(precompile(number), data.clone()),
            Do::Delegate(precompile(number), data.clone()),
            Do::CallCode(precompile(number), data.clone()),
            // A call of them in a static frame, and in a frame of another's code.
            Do::Static(contract, script(&[must(number, data.clone())])),
        ] {
            chain.run(contract, &[step]);
            assert_eq!(chain.account(&contract), before, "{number}");
        }
    }
    assert_eq!((chain.theta_of(&stranger(1)), stakes(&chain, 3).len(), edge_node(&chain, 3)), (U256::ZERO, 0, None));
    // Code of another that is run by DELEGATECALL and calls: it spends what is the frame's.
    let other = chain.machine();
    chain.run(contract, &[Do::Delegate(other, script(&[give(stranger(1), theta(5))]))]);
    assert_eq!((chain.theta_of(&stranger(1)), chain.theta_of(&contract)), (theta(5), theta(999_995)));
    // Reading is free to all.
    let read = chain.run(contract, &[Do::Delegate(precompile(201), contract.to_vec())]);
    assert_eq!(U256::from_be_slice(&read.output), theta(999_995));
}

#[test]
fn keys() {
    let mut chain = chain();
    let good = summary(3, 1);
    let spoilt = |at: usize| {
        let mut summary = good.clone();
        summary[at] ^= 1;
        summary
    };
    // Address, key, proof, signature.
    for at in [0, 25, 80, 170, 228] {
        assert_eq!(refused(&mut chain, 204, guardian_input(&spoilt(at), theta(1_000))), STAKE, "{at}");
        assert_eq!(refused(&mut chain, 206, edge_input(&spoilt(at), theta(10_000))), STAKE, "{at}");
    }
    // The proof of another key, properly signed.
    let other = summary(3, 2);
    let mixed = [&good[..68], &other[68..]].concat();
    assert_eq!(refused(&mut chain, 204, guardian_input(&mixed, theta(1_000))), STAKE);
    assert_eq!(refused(&mut chain, 204, guardian_input(&more(3), theta(1_000))), STAKE, "no key at all");
    // The key at infinity, whose proof is the signature at infinity.
    let mut infinity = good.clone();
    infinity[20..164].fill(0);
    (infinity[20], infinity[68]) = (0xc0, 0xc0);
    let signature = key(3).sign(&keccak256(&infinity[68..164]));
    infinity[164..].copy_from_slice(signature.as_array().expect("65 bytes"));
    assert_eq!(refused(&mut chain, 204, guardian_input(&infinity, theta(1_000))), STAKE);
    assert!(bls::PublicKey::from_bytes(&good[20..68]).is_ok());

    // One key for two guardians: within a transaction, and against the pool.
    let contract = rich(&mut chain);
    let deposit = |holder| must(204, guardian_input(&summary(holder, 1), theta(1_000)));
    let twice = chain.send_call(1, Some(contract), Coins::ZERO, script(&[deposit(3), deposit(4)]));
    assert!(!twice.success);
    assert_eq!((stakes(&chain, 3).len(), stakes(&chain, 4).len()), (0, 0));
    chain.run(contract, &[deposit(3)]);
    assert_eq!(refused(&mut chain, 204, guardian_input(&summary(4, 1), theta(1_000))), STAKE);
    // A reverted registration leaves the key free.
    let undone =
        Do::Call(contract, U256::ZERO, script(&[must(204, guardian_input(&summary(4, 9), theta(1_000))), Do::Revert]));
    chain.run(contract, &[undone, must(204, guardian_input(&summary(5, 9), theta(1_000)))]);
    assert_eq!((stakes(&chain, 4).len(), stakes(&chain, 5).len()), (0, 1));
}

#[test]
fn withdrawals() {
    let mut chain = chain();
    assert_eq!(refused(&mut chain, 205, address(3).to_vec()), STAKE, "no such guardian");
    assert_eq!(refused(&mut chain, 207, address(3).to_vec()), STAKE, "no such node");
    chain.call(precompile(204), guardian_input(&summary(3, 1), theta(1_000)));
    chain.call(precompile(206), edge_input(&summary(3, 1), theta(10_000)));
    assert_eq!(refused(&mut chain, 205, address(3).to_vec()), STAKE, "another's stake");
    assert_eq!(refused(&mut chain, 207, address(3).to_vec()), STAKE, "another's stake");
    chain.call(precompile(205), [vec![9; 50], address(3).to_vec()].concat());
    chain.call(precompile(207), address(3).to_vec());
    for (number, data) in [
        (205, address(3).to_vec()),
        (207, address(3).to_vec()),
        (204, guardian_input(&more(3), theta(1_000))),
        (206, edge_input(&more(3), theta(10_000))),
    ] {
        let receipt = chain.send_call(1, Some(precompile(number)), Coins::ZERO, data);
        assert_eq!((receipt.success, &*receipt.error), (false, STAKE), "{number}: it is on its way back");
    }
}

/// Hundreds of operations in one transaction, many of them taken back: the supply holds, and each costs what it touches.
#[test]
fn many_operations() {
    let mut chain = chain();
    let contract = rich(&mut chain);
    chain.run(contract, &[must(204, guardian_input(&summary(3, 1), theta(1_000)))]);
    let deposit = must(204, guardian_input(&more(3), theta(1_000)));
    let undone = Do::Call(contract, U256::ZERO, script(&[must(205, address(3).to_vec()), Do::Revert]));
    let ask = Do::Static(precompile(202), contract.to_vec());
    let steps: Vec<_> = std::iter::repeat_n([deposit, undone, ask], 190).flatten().collect();
    let call = Call::new(1, chain.sequence(1) + 1, Some(contract), script(&steps)).gas(20_000_000);
    let receipt = chain.calls(&[call]).remove(0);
    assert!(receipt.success, "{} after {}", receipt.error, receipt.gas_used);
    assert_eq!(U256::from_be_slice(&receipt.output), theta(191_000));
    assert_eq!((stakes(&chain, 3)[0].amount, chain.theta_of(&contract)), (theta(191_000), theta(809_000)));
    assert!(!stakes(&chain, 3)[0].withdrawn);
}

/// A long input is not copied: of it only the beginning and the end matter.
#[test]
fn long_inputs() {
    let mut chain = chain();
    let contract = chain.machine();
    let long = |address: Address| [vec![3; 40_000], address.to_vec()].concat();
    let call = |to, data| Call::new(2, 0, Some(to), data);
    let asked = Call { sequence: 1, ..call(precompile(201), long(address(2))) };
    let within = script(&[Do::Static(precompile(201), long(address(2)))]);
    let within = Call { sequence: 2, ..call(contract, within) };
    for receipt in chain.calls(&[asked, within]) {
        assert_eq!(U256::from_be_slice(&receipt.output), theta(10_000_000), "{}", receipt.error);
    }
}
