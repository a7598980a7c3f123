//! Storage and code in the state.

use super::super::random::Random;
use super::*;
use std::collections::HashMap;
use vigil_primitives::Hash;
use vigil_trie::EMPTY_ROOT;

fn root(chain: &Chain, contract: Address) -> Hash {
    chain.account(&contract).storage_root
}

#[test]
fn the_root_of_storage() {
    let mut chain = chain();
    let contract = chain.machine();
    assert_eq!(root(&chain, contract), Hash::ZERO, "never any");
    chain.run(contract, &[Do::Store(1, U256::ZERO)]);
    assert_eq!(root(&chain, contract), Hash::ZERO, "zero on zero is nothing");
    chain.run(contract, &[Do::Store(1, U256::from(5)), Do::Store(2, U256::MAX)]);
    let mut expected = Trie::empty();
    for (slot, value) in [(1u64, U256::from(5)), (2, U256::MAX)] {
        let value = vigil_primitives::rlp::encode(&value);
        expected.insert(&vigil_trie::NoNodes, &U256::from(slot).to_be_bytes::<32>(), value).expect("in memory");
    }
    assert_eq!(root(&chain, contract), expected.commit(&vigil_trie::ScalarHasher).root);
    chain.run(contract, &[Do::Store(1, U256::ZERO), Do::Store(2, U256::ZERO)]);
    assert_eq!(root(&chain, contract), EMPTY_ROOT, "the last word was cleared");
    chain.run(contract, &[Do::Store(1, U256::from(5))]);
    assert_eq!(chain.word(&contract, 1), U256::from(5));
}

#[test]
fn written_and_cleared_in_one_block() {
    let mut chain = chain();
    let contract = chain.machine();
    let call =
        |sequence, value: u64| Call::new(1, sequence, Some(contract), script(&[Do::Store(1, U256::from(value))]));
    chain.calls(&[call(2, 5), call(3, 0)]);
    assert_eq!(root(&chain, contract), EMPTY_ROOT);
    chain.calls(&[call(4, 5), call(5, 0), call(6, 7)]);
    assert_eq!(chain.word(&contract, 1), U256::from(7));
    let before = root(&chain, contract);
    chain.calls(&[call(7, 8), call(8, 7)]);
    assert_eq!(root(&chain, contract), before, "the same words, the same root");
}

#[test]
fn code_is_stored_once() {
    let mut chain = chain();
    let (a, b) = (chain.machine(), chain.machine());
    assert_ne!(a, b);
    assert_eq!(chain.account(&a).code_hash, keccak256(machine()));
    assert_eq!((chain.code(&a), chain.code(&b)), (Some(machine().into()), Some(machine().into())));
    let codes = chain.head.state.scan(crate::keys::CODE_PREFIX, &[]).count();
    assert_eq!(codes, 1);
    let nothing = chain.send_call(1, None, Coins::ZERO, Vec::new());
    assert!(nothing.success && nothing.created && nothing.output.is_empty());
    let account = chain.account(&nothing.contract);
    assert_eq!((account.code_hash, account.sequence, account.last_updated_block_height), (EMPTY_CODE_HASH, 1, 0));
    assert_eq!(chain.head.state.scan(crate::keys::CODE_PREFIX, &[]).count(), 1, "no code, nothing stored");
}

/// Blocks of random writes, some of them reverted, against a map.
#[test]
fn random_words() {
    let mut random = Random(0x5eed_0001);
    eprintln!("seed {:#x}", random.0);
    let mut chain = chain();
    let contracts: Vec<_> = (0..3).map(|_| chain.machine()).collect();
    let mut model: HashMap<(Address, u64), U256> = HashMap::new();
    for _ in 0..40 {
        let mut calls = Vec::new();
        for n in 0..1 + random.below(5) {
            let contract = contracts[random.below(3) as usize];
            let mut steps = Vec::new();
            let fails = random.below(4) == 0;
            for _ in 0..1 + random.below(6) {
                // Slots that share long prefixes, and others.
                let slot = random.below(6) << (8 * random.below(3));
                let value = if random.below(3) == 0 { U256::ZERO } else { U256::from(random.next()) };
                if random.below(5) == 0 {
                    let inner = [Do::Store(slot, value), Do::Revert];
                    steps.push(Do::Call(contract, U256::ZERO, script(&inner)));
                } else {
                    steps.push(Do::Store(slot, value));
                    if !fails {
                        model.insert((contract, slot), value);
                    }
                }
            }
            if fails {
                steps.push(Do::Revert);
            }
            calls.push(Call::new(1, chain.sequence(1) + 1 + n, Some(contract), script(&steps)));
        }
        chain.calls(&calls);
        for ((contract, slot), value) in &model {
            assert_eq!(chain.word(contract, *slot), *value, "{contract} {slot}");
        }
    }
}
