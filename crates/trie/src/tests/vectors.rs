//! The roots that others have computed: ethereum/tests, the reference ledger.

use super::{Disk, Map, build, entries};
use crate::{EMPTY_ROOT, NoNodes, ScalarHasher, Trie, ordered_root, ordered_root_with};
use alloy_primitives::keccak256;
use rand::seq::SliceRandom;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use vigil_testkit::vectors;

type Steps = Vec<(Vec<u8>, Vec<u8>)>;

fn bytes(text: &str) -> Vec<u8> {
    if text.starts_with("0x") { vectors::unhex(text) } else { text.as_bytes().to_vec() }
}

/// Keys and values in order; a null value is empty.
fn steps(input: &Value, secure: bool) -> Steps {
    let step = |key: &str, value: &Value| {
        let key = bytes(key);
        let key = if secure { keccak256(key).to_vec() } else { key };
        (key, value.as_str().map(bytes).unwrap_or_default())
    };
    match input {
        Value::Object(map) => map.iter().map(|(key, value)| step(key, value)).collect(),
        Value::Array(list) => list.iter().map(|pair| step(pair[0].as_str().expect("a key"), &pair[1])).collect(),
        other => panic!("unknown input {other}"),
    }
}

fn check_order(name: &str, steps: &Steps, root: &[u8]) {
    let mut trie = Trie::empty();
    for (key, value) in steps {
        trie.insert(&NoNodes, key, value.clone()).expect("in memory");
    }
    let mut disk = Disk::default();
    assert_eq!(disk.commit(&mut trie).as_slice(), root, "{name}");

    let end: Map = steps.iter().cloned().collect();
    let mut again = Trie::open(trie.root().expect("committed"));
    for (key, value) in end {
        let value = (!value.is_empty()).then_some(value);
        assert_eq!(again.get(&disk, &key).expect("stored").map(|v| v.to_vec()), value, "{name} reloaded");
        again.remove(&disk, &key).expect("stored");
    }
    assert!(again.is_empty(), "{name}: everything deleted");
    assert_eq!(disk.commit(&mut again), EMPTY_ROOT);
}

fn check_file(file: &str, secure: bool, any_order: bool) {
    let Some(json) = vectors::json(&format!("ethereum-trie-rlp-basic/TrieTests/{file}.json")) else { return };
    for (name, case) in json.as_object().expect("cases by name") {
        let root = bytes(case["root"].as_str().expect("a root"));
        let steps = steps(&case["in"], secure);
        check_order(name, &steps, &root);
        if !any_order {
            continue;
        }
        orders(&steps).iter().for_each(|order| check_order(name, order, &root));
    }
}

/// Every order of up to six steps, else a thousand random ones (seed 1).
fn orders(steps: &Steps) -> Vec<Steps> {
    if steps.len() > 6 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut shuffled = steps.clone();
        return (0..1000)
            .map(|_| {
                shuffled.shuffle(&mut rng);
                shuffled.clone()
            })
            .collect();
    }
    let mut orders = vec![Vec::new()];
    for step in steps {
        orders = orders
            .iter()
            .flat_map(|order: &Steps| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, step.clone());
                    longer
                })
            })
            .collect();
    }
    orders
}

#[test]
fn ethereum_trie_tests() {
    check_file("trietest", false, false);
    check_file("trietest_secureTrie", true, false);
    check_file("trieanyorder", false, true);
    check_file("trieanyorder_secureTrie", true, true);
    check_file("hex_encoded_securetrie_test", true, true);
}

#[test]
fn next_and_previous_key() {
    let Some(json) = vectors::json("ethereum-trie-rlp-basic/TrieTests/trietestnextprev.json") else { return };
    for (name, case) in json.as_object().expect("cases by name") {
        let keys = case["in"].as_array().expect("keys").iter().map(|key| bytes(key.as_str().expect("a key")));
        let trie = build(&keys.map(|key| (key.clone(), key)).collect());
        for test in case["tests"].as_array().expect("tests") {
            let [at, previous, next] = [0, 1, 2].map(|i| bytes(test[i].as_str().expect("a key")));
            let after = entries(&trie, &NoNodes, b"", &at).into_iter().map(|(key, _)| key).find(|key| *key != at);
            assert_eq!(after.unwrap_or_default(), next, "{name}: after {at:?}");
            let all = entries(&trie, &NoNodes, b"", b"");
            let before = all.into_iter().map(|(key, _)| key).take_while(|key| *key < at).last();
            assert_eq!(before.unwrap_or_default(), previous, "{name}: before {at:?}");
        }
    }
}

#[test]
fn reference_ledger_roots() {
    let Some(json) = vectors::json("ledger/trie.json") else { return };
    let cases = json["vectors"].as_array().expect("vectors");
    assert!(!cases.is_empty());
    for case in cases {
        let steps = steps(&case["entries_ascii"], false);
        check_order(case["source"].as_str().expect("a source"), &steps, &bytes(case["root"].as_str().expect("a root")));
    }
}

#[test]
fn transaction_roots() {
    let Some(json) = vectors::json("ledger/block.json") else { return };
    for case in json["root_hashes"].as_array().expect("roots") {
        let items: Vec<Vec<u8>> = match &case["items"] {
            Value::Array(items) => items.iter().map(|item| bytes(item.as_str().expect("an item"))).collect(),
            Value::String(_) => (0..200u8).map(|i| keccak256([i]).to_vec()).collect(), // as the text there says
            other => panic!("unknown items {other}"),
        };
        let root = bytes(case["root"].as_str().expect("a root"));
        assert_eq!(ordered_root(&items).as_slice(), root, "{} items", items.len());
        assert_eq!(ordered_root_with(&ScalarHasher, &items).as_slice(), root);
    }
}

#[test]
fn ordered_root_is_that_of_the_oracle() {
    for count in [0usize, 1, 2, 16, 127, 128, 129, 255, 256, 257, 1000] {
        let items: Vec<Vec<u8>> = (0..count).map(|i| keccak256(i.to_be_bytes())[..1 + i % 31].to_vec()).collect();
        let want = alloy_trie::root::ordered_trie_root_with_encoder(&items, |item, out| out.extend_from_slice(item));
        assert_eq!(ordered_root(&items), want, "{count} items");
    }
}
