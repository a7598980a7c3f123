//! Tests of the whole crate: vectors, properties, lying disks, proofs.

mod garbage;
mod prop;
mod shape;
mod vectors;

use crate::{Bytes, Commit, Hash, NodeReader, ScalarHasher, Trie, TrieError};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

/// Stored nodes that count how often they are read.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) nodes: HashMap<Hash, Bytes>,
    pub(super) reads: Cell<usize>,
}

impl Disk {
    pub(super) fn store(&mut self, commit: Commit) -> Hash {
        self.nodes.extend(commit.nodes);
        commit.root
    }

    /// Commits to this disk.
    pub(super) fn commit(&mut self, trie: &mut Trie) -> Hash {
        self.store(trie.commit(&ScalarHasher))
    }
}

impl NodeReader for Disk {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        self.reads.set(self.reads.get() + 1);
        self.nodes.node(hash)
    }
}

/// That many cases from seed 1.
pub(super) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

pub(super) type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The trie of a map, built in its order.
pub(super) fn build(map: &Map) -> Trie {
    let mut trie = Trie::empty();
    for (key, value) in map {
        trie.insert(&crate::NoNodes, key, value.clone()).expect("in memory");
    }
    trie
}

/// All entries as the walk gives them.
pub(super) fn entries(trie: &Trie, reader: &dyn NodeReader, prefix: &[u8], start: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    trie.iter(reader, prefix, start).map(|entry| entry.expect("good nodes")).map(|(k, v)| (k, v.to_vec())).collect()
}
