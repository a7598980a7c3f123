//! Disks lie. Whatever the bytes of a node are, the answer is a node or an error that names it.

use super::{Disk, Map, build};
use crate::codec::{decode, encode};
use crate::{Bytes, NoNodes, Trie, TrieError};
use alloy_primitives::{hex, keccak256};
use proptest::prelude::*;

/// Bytes that are shaped like nodes more often than noise is.
fn almost_node() -> impl Strategy<Value = Vec<u8>> {
    let item = prop_oneof![
        3 => Just(vec![0x80]),
        2 => proptest::collection::vec(any::<u8>(), 32).prop_map(|hash| [&[0xa0], &hash[..]].concat()),
        2 => proptest::collection::vec(any::<u8>(), 0..6).prop_map(alloy_rlp::encode),
        1 => (0u8..0x40, any::<u8>()).prop_map(|(path, value)| alloy_rlp::encode(vec![Bytes::from(vec![path]), Bytes::from(vec![value])])),
        1 => proptest::collection::vec(any::<u8>(), 0..5),
    ];
    let items =
        prop_oneof![Just(2), Just(17), 0usize..20].prop_flat_map(move |n| proptest::collection::vec(item.clone(), n));
    items.prop_map(|items| {
        let payload = items.concat();
        let mut out = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
        [out, payload].concat()
    })
}

/// Decoding, and using a trie with such a root, never panics; what is accepted is the one encoding of its node.
fn check(raw: Vec<u8>) {
    let raw = Bytes::from(raw);
    if let Ok(node) = decode(&raw) {
        assert_eq!(encode(&node), raw, "accepted, so it is what we would write");
    }
    let hash = keccak256(&raw);
    let disk = Disk { nodes: [(hash, raw)].into(), ..Disk::default() };
    for key in [&b""[..], b"\x00", b"ls/vcp"] {
        let mut trie = Trie::open(hash);
        let _ = trie.get(&disk, key);
        let _ = trie.prove(&disk, key);
        let _ = trie.remove(&disk, key);
        let _ = trie.insert(&disk, key, vec![1]);
        let _ = trie.iter(&disk, b"", key).count();
        trie.commit(&crate::ScalarHasher);
    }
}

proptest! {
    #![proptest_config(super::cases(4096))]

    #[test]
    fn noise(raw in proptest::collection::vec(any::<u8>(), 0..120)) {
        check(raw);
    }

    #[test]
    fn shaped_noise(raw in almost_node()) {
        check(raw);
    }

    #[test]
    fn damaged_nodes(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut trie = sample();
        let commit = trie.commit(&crate::ScalarHasher);
        let mut raw = commit.nodes[pick.index(commit.nodes.len())].1.to_vec();
        let at = at.index(raw.len());
        raw[at] = byte;
        check(raw);
    }
}

fn sample() -> Trie {
    let map: Map = (0..40u8).map(|i| (vec![i, i.wrapping_mul(7)], vec![i + 1; 1 + usize::from(i)])).collect();
    build(&map)
}

#[test]
fn each_rule_of_a_node_is_checked() {
    let empties = |count| "80".repeat(count);
    let cases = [
        (String::new(), "it is no RLP list"),
        ("80".into(), "it is no RLP list"),
        ("c22001ff".into(), "bytes follow it"),
        ("c0".into(), "neither 2 nor 17"),
        ("c3208080".into(), "neither 2 nor 17"),
        (format!("d2{}", empties(18)), "neither 2 nor 17"),
        ("c3118101".into(), "an item is no RLP"),
        ("c28001".into(), "its path is empty"),
        ("c24001".into(), "unknown flag"),
        ("c20101".into(), "nonzero padding"),
        ("c2c001".into(), "its path is no RLP string"),
        ("c22080".into(), "leaf without a value"),
        ("c220c0".into(), "its value is no RLP string"),
        ("c20080".into(), "extension by nothing"),
        ("c21180".into(), "extension to nothing"),
        ("c411c22001".into(), "extension to something not a branch"),
        ("c411820102".into(), "a child hash is not 32 bytes long"),
        (format!("d1{}", empties(17)), "less than two children"),
        (format!("d1{}01", empties(16)), "less than two children"),
    ];
    for (raw, rule) in cases {
        let what = decode(&hex::decode(&raw).expect("hex")).expect_err(rule);
        assert!(what.contains(rule), "{raw}: {what}, not {rule}");
    }
    // A node of 32 bytes must be hashed, one of 31 must not.
    let leaf = |len: usize| alloy_rlp::encode(vec![Bytes::from_static(&[0x20]), vec![9; len].into()]);
    assert_eq!((leaf(28).len(), leaf(29).len()), (31, 32));
    let branch = |child: Vec<u8>| {
        let payload = [&child[..], &[0x80; 15], &[5]].concat();
        let mut out = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
        Bytes::from([out, payload].concat())
    };
    assert!(decode(&branch(leaf(28))).is_ok());
    let at_limit = decode(&branch(leaf(29))).expect_err("too large to stand inside");
    assert!(at_limit.contains("32 bytes or more"), "{at_limit}");
}

#[test]
fn a_node_with_another_hash_is_refused_by_name() {
    let mut disk = Disk::default();
    let root = disk.commit(&mut sample());
    let raw = disk.nodes[&root].to_vec();
    for at in 0..raw.len() {
        let mut wrong = raw.clone();
        wrong[at] ^= 1;
        disk.nodes.insert(root, wrong.into());
        let error = Trie::open(root).get(&disk, b"\x01\x07").expect_err("damaged");
        assert!(matches!(error, TrieError::WrongHash { hash, .. } if hash == root));
        assert!(error.to_string().contains(&root.to_string()), "{error}");
    }
}

#[test]
fn a_node_that_is_none_is_refused_by_name() {
    let raw = Bytes::from_static(&[0xc0]);
    let hash = keccak256(&raw);
    let disk = Disk { nodes: [(hash, raw)].into(), ..Disk::default() };
    let error = Trie::open(hash).get(&disk, b"").expect_err("no node");
    assert!(matches!(error, TrieError::Malformed { .. }) && error.to_string().contains(&hash.to_string()), "{error}");
    let mut walk = Trie::open(hash).iter(&disk, b"", b"");
    assert!(walk.next().expect("an error").is_err() && walk.next().is_none(), "the walk ends");
    assert!(matches!(Trie::open(hash).get(&NoNodes, b""), Err(TrieError::Missing { .. })));
}
