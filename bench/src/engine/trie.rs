//! `trie`: the root again after some random accounts of many have changed, all nodes in memory. Ours is `Trie::commit_to`,
//! which hashes and shows every new node; alloy-trie's `HashBuilder` is given the changed leaves and the hashes of all that
//! hangs beside their paths, as reth does. An item is a changed account; the changes themselves are not timed, and each
//! round has others.

mod alloy;

use super::inputs::{Random, random};
use super::peers;
use super::plan::Plan;
use super::side::{Side, Task, Workload};
use alloy::{Item, build, items};
use alloy_trie::Nibbles;
use rand::Rng;
use rand::seq::index;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use vigil_accel::Backend;
use vigil_node::accel::Hasher;
use vigil_trie::{BatchHasher, Bytes, Hash, ScalarHasher, Trie};

/// About the length of an account's RLP.
const VALUE_BYTES: usize = 80;

/// How much of how much changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    case: &'static str,
    accounts: usize,
    pub(crate) updates: usize,
}

/// What must be shown.
pub(crate) const FULL: Size = Size { case: "dirty-trie-10000-in-1000000", accounts: 1_000_000, updates: 10_000 };
/// Whether it works.
pub(crate) const QUICK: Size = Size { case: "dirty-trie-1000-in-10000", accounts: 10_000, updates: 1_000 };

/// Nodes as RLP, by hash.
type Nodes = HashMap<Hash, Bytes>;
/// Changed accounts by path: key and value.
type Changes = BTreeMap<Nibbles, (Vec<u8>, Bytes)>;

/// The case of the plan's [`Size`].
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let Size { case, updates, .. } = plan.trie;
    let state = RefCell::new(State::new(random(seed), plan.trie));
    let backend = |b: &&'static dyn Backend| Side::ours(b.name().as_str(), Ours::new(&state, OnThread(*b)));
    let mut sides: Vec<Side<'_>> = plan.backends.iter().map(backend).collect();
    sides.extend(plan.engine().map(|engine| Side::ours(plan.engine_name(), Ours::new(&state, Hasher(engine)))));
    sides.push(Side::peer(peers::alloy_trie(), usize::MAX, Peer { state: &state, round: 0, root: None }));
    body(&mut [Workload { case, round_items: updates, sides }]);
}

/// A backend on the calling thread.
struct OnThread(&'static dyn Backend);

impl BatchHasher for OnThread {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        let mut hashes = vec![Hash::ZERO; messages.len()];
        self.0.keccak256(messages, &mut hashes);
        hashes
    }

    fn prefetch(&self, start: *const u8, bytes: usize) {
        vigil_accel::prefetch(start, bytes);
    }
}

/// The accounts, and what all sides do in one round.
struct State {
    random: Random,
    size: Size,
    keys: Vec<Vec<u8>>,
    nodes: Nodes,
    /// Counted from 1.
    round: usize,
    before: Trie,
    after: Trie,
    changes: Changes,
    /// What a `HashBuilder` is given.
    items: Vec<Item>,
    /// What every side must come to.
    root: Hash,
    /// How many nodes are new.
    new_nodes: usize,
}

impl State {
    fn new(mut random: Random, size: Size) -> Self {
        let key = |random: &mut Random| [b"ls/a/", &random.random::<[u8; 20]>()[..]].concat();
        let keys: Vec<Vec<u8>> = (0..size.accounts).map(|_| key(&mut random)).collect();
        let mut trie = Trie::empty();
        for key in &keys {
            trie.insert(&Nodes::new(), key, value(&mut random)).expect("in memory");
        }
        let commit = trie.commit(&ScalarHasher);
        Self {
            random,
            size,
            keys,
            nodes: copies(&commit.nodes).collect(),
            round: 0,
            before: Trie::empty(),
            after: trie,
            changes: Changes::new(),
            items: Vec::new(),
            root: commit.root,
            new_nodes: 0,
        }
    }

    /// The first side that comes to a round makes it for all.
    fn go_to(&mut self, round: usize) {
        if self.round >= round {
            return;
        }
        let chosen = index::sample(&mut self.random, self.size.accounts, self.size.updates);
        let change = |i: usize| (Nibbles::unpack(&self.keys[i]), (self.keys[i].clone(), value(&mut self.random)));
        self.changes = chosen.iter().map(change).collect();
        self.before = self.after.clone();
        self.items = items(&self.nodes, self.root, &self.changes);
        self.after = self.changed();
        let commit = self.after.commit(&ScalarHasher);
        self.nodes.extend(copies(&commit.nodes));
        (self.root, self.new_nodes, self.round) = (commit.root, commit.nodes.len(), round);
    }

    /// The trie before, with the changes of the round in it.
    fn changed(&self) -> Trie {
        let mut trie = self.before.clone();
        for (key, value) in self.changes.values() {
            trie.insert(&self.nodes, key, value.clone()).expect("in memory");
        }
        trie
    }
}

fn value(random: &mut Random) -> Bytes {
    Bytes::from(random.random::<[u8; VALUE_BYTES]>())
}

/// As a store makes them: the nodes of a commit share memory.
fn copies(nodes: &[(Hash, Bytes)]) -> impl Iterator<Item = (Hash, Bytes)> {
    nodes.iter().map(|(hash, node)| (*hash, Bytes::copy_from_slice(node)))
}

struct Ours<'a, H> {
    state: &'a RefCell<State>,
    hasher: H,
    round: usize,
    trie: Trie,
    /// Root and number of nodes shown.
    answer: Option<(Hash, usize)>,
}

impl<'a, H: BatchHasher> Ours<'a, H> {
    fn new(state: &'a RefCell<State>, hasher: H) -> Self {
        Self { state, hasher, round: 0, trie: Trie::empty(), answer: None }
    }
}

impl<H: BatchHasher> Task for Ours<'_, H> {
    fn clear(&mut self, _: Range<usize>) {
        self.round += 1;
        self.trie = Trie::empty(); // the old one is not to go through the caches after the new one
        self.state.borrow_mut().go_to(self.round);
        self.trie = self.state.borrow().changed();
        self.answer = None;
    }

    fn run(&mut self, _: Range<usize>) {
        let mut shown = 0;
        let root = self.trie.commit_to(&self.hasher, &mut |hashes, _| shown += hashes.len());
        self.answer = Some((root, shown));
    }

    fn wrong(&self, items: Range<usize>) -> Option<usize> {
        let state = self.state.borrow();
        (self.answer != Some((state.root, state.new_nodes))).then_some(items.start)
    }
}

struct Peer<'a> {
    state: &'a RefCell<State>,
    round: usize,
    root: Option<Hash>,
}

impl Task for Peer<'_> {
    fn clear(&mut self, _: Range<usize>) {
        self.round += 1;
        self.state.borrow_mut().go_to(self.round);
        self.root = None;
    }

    fn run(&mut self, _: Range<usize>) {
        self.root = Some(build(&self.state.borrow().items));
    }

    fn wrong(&self, items: Range<usize>) -> Option<usize> {
        (self.root != Some(self.state.borrow().root)).then_some(items.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { case: "small", accounts: 300, updates: 40 };

    /// Right, except that in one batch of `bad` the last hash has a flipped bit.
    struct Liar {
        batches: RefCell<usize>,
        bad: usize,
    }

    impl BatchHasher for Liar {
        fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
            let mut hashes = ScalarHasher.keccak256_batch(messages);
            *self.batches.borrow_mut() += 1;
            if *self.batches.borrow() == self.bad {
                hashes.last_mut().expect("a batch").0[0] ^= 1;
            }
            hashes
        }
    }

    #[test]
    fn all_come_to_the_same_root_in_every_round_and_each_round_to_another() {
        let state = RefCell::new(State::new(random(1), SMALL));
        let mut ours = Ours::new(&state, ScalarHasher);
        let mut peer = Peer { state: &state, round: 0, root: None };
        let mut roots = vec![state.borrow().root];
        for round in 1..=5 {
            for side in [&mut ours as &mut dyn Task, &mut peer] {
                side.clear(0..SMALL.updates);
                assert_eq!(side.wrong(0..SMALL.updates), Some(0), "nothing answered yet");
                side.run(0..SMALL.updates);
                assert_eq!(side.wrong(0..SMALL.updates), None, "round {round}");
            }
            assert_eq!(state.borrow().changes.len(), SMALL.updates);
            roots.push(state.borrow().root);
        }
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), 6);
    }

    #[test]
    fn a_wrong_hash_anywhere_is_a_wrong_answer() {
        let state = RefCell::new(State::new(random(1), SMALL));
        let mut bad = 1;
        loop {
            let mut liar = Ours::new(&state, Liar { batches: RefCell::new(0), bad });
            liar.clear(0..1);
            liar.run(0..1);
            if *liar.hasher.batches.borrow() < bad {
                break;
            }
            assert_eq!(liar.wrong(0..1), Some(0), "batch {bad}");
            bad += 1;
        }
        assert!(bad > 2, "a level is a batch");
    }
}
