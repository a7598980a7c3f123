//! Random histories against a plain map, and against alloy-trie as the oracle of roots and proofs.

use super::{Disk, Map, build, entries};
use crate::{Bytes, Hash, NoNodes, ProofError, Trie, verify_proof};
use alloy_primitives::keccak256;
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use proptest::collection::vec;
use proptest::prelude::*;

/// One change: key, and a value (empty removes).
type Change = (Vec<u8>, Vec<u8>);

/// Keys of a small alphabet, so that they share prefixes and are prefixes of each other; some as the ledger has them.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => vec(prop_oneof![Just(0x00), Just(0x01), Just(0x10), Just(0xff)], 0..6),
        1 => any::<u8>().prop_map(|i| [b"ls/a/", &keccak256([i])[..20]].concat()),
        1 => prop_oneof![Just(b"ls/vcp".to_vec()), Just(b"ls/a/".to_vec()), Just(b"ls/een/".to_vec())],
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => Just(vec![]), 2 => vec(any::<u8>(), 1..4), 3 => vec(any::<u8>(), 20..60)]
}

fn history(keys: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<Vec<Change>>> {
    vec(vec((keys, value()), 1..40), 1..6)
}

fn apply(map: &mut Map, (key, value): &Change) {
    if value.is_empty() {
        map.remove(key)
    } else {
        map.insert(key.clone(), value.clone())
    };
}

/// The oracle's root, for keys of which none is a prefix of another; and its proof of `target`.
fn oracle(map: &Map, target: &[u8]) -> (Hash, Vec<Bytes>) {
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![Nibbles::unpack(target)]));
    map.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
    let root = builder.root();
    // The oracle lists nodes that stand inside their parents once more by themselves.
    let nodes = builder.take_proof_nodes().into_nodes_sorted().into_iter();
    let hashed = nodes.filter(|(path, raw)| path.is_empty() || raw.len() >= 32);
    let proof = hashed.map(|(_, raw)| raw).collect();
    (root, proof)
}

proptest! {
    #![proptest_config(super::cases(256))]

    /// The trie is the map, whatever was committed, reopened or trimmed between; its root depends on the content alone.
    #[test]
    fn is_the_map(history in history(key()), reopen in any::<u8>()) {
        let (mut map, mut disk, mut trie) = (Map::new(), Disk::default(), Trie::empty());
        for (round, changes) in history.iter().enumerate() {
            let (before, content) = (trie.clone(), map.clone());
            for change in changes {
                let had = trie.get(&disk, &change.0).expect("stored");
                prop_assert_eq!(had.map(|v| v.to_vec()), map.get(&change.0).cloned());
                trie.insert(&disk, &change.0, change.1.clone()).expect("stored");
                apply(&mut map, change);
            }
            let mut dirty = trie.clone();
            let root = disk.commit(&mut trie);
            prop_assert_eq!(root, disk.commit(&mut build(&map)), "same content, same root");
            prop_assert_eq!(root, disk.commit(&mut dirty), "a copy of what was not committed yet");
            let old: Vec<_> = content.clone().into_iter().collect();
            prop_assert_eq!(entries(&before, &disk, b"", b""), old, "a copy stays what it was");
            prop_assert_eq!(disk.commit(&mut before.clone()), disk.commit(&mut build(&content)));
            match (reopen >> round) & 3 {
                0 => trie = Trie::open(root),
                1 => trie.trim(1),
                _ => {}
            }
            let all: Vec<_> = map.clone().into_iter().collect();
            prop_assert_eq!(entries(&trie, &disk, b"", b""), all);
        }
    }

    /// The walk gives what the map gives for any prefix and start.
    #[test]
    fn walks_like_the_map(history in history(key()), prefix in key(), start in key(), cut in 0usize..3) {
        let mut map = Map::new();
        history.iter().flatten().for_each(|change| apply(&mut map, change));
        let mut disk = Disk::default();
        let trie = Trie::open(disk.commit(&mut build(&map)));
        let prefix = &prefix[..cut.min(prefix.len())];
        let want: Vec<_> = map.into_iter().filter(|(k, _)| k.starts_with(prefix) && *k >= start).collect();
        prop_assert_eq!(entries(&trie, &disk, prefix, &start), want);
    }

    /// Every key of the universe is proven to have what it has; no shortened, lengthened or changed proof is accepted.
    #[test]
    fn proofs_prove(history in history(key()), others in vec(key(), 4), flip in any::<(u16, u8)>()) {
        let mut map = Map::new();
        history.iter().flatten().for_each(|change| apply(&mut map, change));
        let mut disk = Disk::default();
        let mut trie = build(&map);
        let root = disk.commit(&mut trie);
        for key in map.keys().chain(&others) {
            let proof = Trie::open(root).prove(&disk, key).expect("stored");
            let want = map.get(key).map(|v| Bytes::from(v.clone()));
            prop_assert_eq!(verify_proof(&root, key, &proof), Ok(want));
            prop_assert_eq!(&trie.prove(&NoNodes, key).expect("in memory"), &proof);

            let mut longer = proof.clone();
            longer.push(Bytes::from_static(b"\x80"));
            let lengths = (proof.len() + 1, proof.len());
            prop_assert_eq!(verify_proof(&root, key, &longer), Err(ProofError::TooLong { have: lengths.0, used: lengths.1 }));
            let Some((last, shorter)) = proof.split_last() else { continue };
            let short = matches!(verify_proof(&root, key, shorter), Err(ProofError::TooShort { .. }));
            prop_assert!(short);
            let mut changed = last.to_vec();
            let at = usize::from(flip.0) % changed.len();
            changed[at] ^= flip.1.max(1);
            let changed = [shorter, &[changed.into()]].concat();
            let wrong = matches!(verify_proof(&root, key, &changed), Err(ProofError::WrongHash { .. }));
            prop_assert!(wrong);
        }
    }

    /// Roots and proofs are those of alloy-trie, which knows keys of one length only.
    #[test]
    fn agrees_with_the_oracle(history in history(vec(0u8..4, 3)), target in vec(0u8..4, 3)) {
        let (mut map, mut disk, mut trie) = (Map::new(), Disk::default(), Trie::empty());
        for changes in &history {
            for change in changes {
                trie.insert(&disk, &change.0, change.1.clone()).expect("stored");
                apply(&mut map, change);
            }
            let root = disk.commit(&mut trie);
            let (want, proof) = oracle(&map, &target);
            prop_assert_eq!(root, want);
            if map.is_empty() {
                continue;
            }
            let ours = trie.prove(&disk, &target).expect("stored");
            let value = map.get(&target).cloned();
            // The oracle's verifier takes a root node shorter than 32 bytes for one inside a parent.
            if ours[0].len() >= 32 {
                let verdict = alloy_trie::proof::verify_proof(root, Nibbles::unpack(&target), value, &ours);
                prop_assert!(verdict.is_ok(), "{:?}", verdict);
            }
            prop_assert_eq!(ours, proof);
        }
    }

    /// The same with accounts: long keys, long runs of nibbles, values as long as accounts.
    #[test]
    fn agrees_with_the_oracle_on_accounts(changes in vec((0u32..400, vec(any::<u8>(), 0..90)), 1..300)) {
        let (mut map, mut trie) = (Map::new(), Trie::empty());
        for (i, value) in changes {
            let change = ([b"ls/a/", &keccak256(i.to_be_bytes())[..20]].concat(), value);
            trie.insert(&NoNodes, &change.0, change.1.clone()).expect("in memory");
            apply(&mut map, &change);
        }
        let root = trie.commit(&crate::ScalarHasher).root;
        prop_assert_eq!(root, oracle(&map, &[]).0);
    }
}
