//! What it takes to make the root again after 10,000 random accounts of 1,000,000 have changed, all nodes in memory, on
//! one core: `Trie::commit` with the engine's hasher and with the scalar one, beside alloy-trie's `HashBuilder`, which is
//! given the changed leaves and the hashes of all that hangs beside their paths, as reth does. Roots are compared.
//!
//! `cargo run --release -p vigil-trie --example rehash`; figures are kept in `bench/results/`. alloy-trie hashes with
//! `alloy_primitives::keccak256`: that is keccak-asm, as the workspace asks for the feature `asm-keccak`, and tiny-keccak
//! without it: `sed -i 's/"asm-keccak", //' Cargo.toml` before, `git checkout Cargo.toml` after.
//! `cargo tree -p vigil-trie -i keccak-asm` tells which is linked (an error: tiny-keccak).

#![allow(clippy::print_stdout)]

use alloy_primitives::{Bytes, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::nodes::{RlpNode, TrieNode};
use alloy_trie::{HashBuilder, Nibbles};
use nix::time::{ClockId, clock_gettime};
use rand::seq::index;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::time::Duration;
use vigil_accel::{Backend, detect};
use vigil_trie::{BatchHasher, Hash, ScalarHasher, Trie};

const ACCOUNTS: usize = 1_000_000;
const UPDATES: usize = 10_000;
const ROUNDS: usize = 21;
/// About the length of an account's RLP.
const VALUE_BYTES: usize = 80;

type Nodes = HashMap<Hash, Bytes>;

/// The fastest backend, on the calling thread.
struct Engine(&'static dyn Backend);

impl BatchHasher for Engine {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        let mut hashes = vec![Hash::ZERO; messages.len()];
        self.0.keccak256(messages, &mut hashes);
        hashes
    }

    fn prefetch(&self, start: *const u8, bytes: usize) {
        vigil_accel::prefetch(start, bytes);
    }
}

fn main() {
    let engine = Engine(*detect().last().expect("portable is always there"));
    let node = [7; 532];
    let one = times(1_000, || {
        black_box(keccak256(black_box(&node)));
    });
    println!("backend {}; alloy-primitives: {one:.0} ns for 532 bytes; seed 1", engine.0.name());

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let keys: Vec<Vec<u8>> = (0..ACCOUNTS).map(|_| [b"ls/a/", &rng.random::<[u8; 20]>()[..]].concat()).collect();
    let mut nodes = Nodes::new();
    let mut trie = Trie::empty();
    for key in &keys {
        trie.insert(&nodes, key, value(&mut rng)).expect("in memory");
    }
    nodes.extend(trie.commit(&engine).nodes);

    let mut took: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let changes: BTreeMap<_, _> = index::sample(&mut rng, ACCOUNTS, UPDATES)
            .iter()
            .map(|i| (Nibbles::unpack(&keys[i]), (keys[i].clone(), value(&mut rng))))
            .collect();
        let items = items(&nodes, trie.root().expect("committed"), &changes);
        let before = trie.clone();
        for (key, value) in changes.values() {
            trie.insert(&nodes, key, value.clone()).expect("in memory");
        }
        let mut shown = 0;
        let (root, ours) = timed(|| trie.commit_to(&engine, &mut |hashes, _| shown += hashes.len()));
        let mut scalar = before.clone();
        for (key, value) in changes.values() {
            scalar.insert(&nodes, key, value.clone()).expect("in memory");
        }
        let (commit, ours_scalar) = timed(|| scalar.commit(&ScalarHasher));
        let (by_peer, peer) = timed(|| build(&items));
        let messages: Vec<&[u8]> = commit.nodes.iter().map(|(_, node)| &node[..]).collect();
        let (hashes, keccak) = timed(|| engine.keccak256_batch(&messages));
        assert_eq!((commit.root, by_peer), (root, root), "all make the same root");
        assert_eq!(commit.nodes.len(), shown, "all see the same nodes");
        assert!(commit.nodes.iter().zip(hashes).all(|((hash, _), again)| *hash == again));
        // Copies, as a store makes them: the nodes of a commit share memory.
        nodes.extend(commit.nodes.iter().map(|(hash, node)| (*hash, Bytes::copy_from_slice(node))));
        took.iter_mut().zip([ours, ours_scalar, peer, keccak]).for_each(|(all, one)| all.push(one));
    }
    let [ours, ours_scalar, peer, keccak] = took.map(summary);
    for (i, name) in ["median", "least"].into_iter().enumerate() {
        println!(
            "{name}: commit {:.2} ms, of which Keccak {:.2} ms; with the scalar hasher {:.2} ms; HashBuilder {:.2} ms, {:.2} times \
             the commit",
            ours[i],
            keccak[i],
            ours_scalar[i],
            peer[i],
            peer[i] / ours[i]
        );
    }
}

/// What a `HashBuilder` is given.
enum Item {
    Leaf(Nibbles, Bytes),
    Unchanged(Nibbles, Hash),
}

type Changes = BTreeMap<Nibbles, (Vec<u8>, Bytes)>;

/// The changed leaves, and the topmost nodes under which nothing has changed, in ascending order.
fn items(nodes: &Nodes, root: Hash, changes: &Changes) -> Vec<Item> {
    let mut items = Vec::new();
    visit(nodes, root, Nibbles::new(), changes, &mut items);
    items
}

fn visit(nodes: &Nodes, hash: Hash, path: Nibbles, changes: &Changes, items: &mut Vec<Item>) {
    let changed = changes.range(path..).next().is_some_and(|(key, _)| key.starts_with(&path));
    if !changed {
        return items.push(Item::Unchanged(path, hash));
    }
    let child = |node: &RlpNode| node.as_hash().expect("accounts are too large to stand in their parents");
    match TrieNode::decode(&mut &nodes[&hash][..]).expect("our own node") {
        TrieNode::EmptyRoot => {}
        TrieNode::Leaf(leaf) => {
            let key = path.join(&leaf.key);
            items.push(Item::Leaf(key, changes[&key].1.clone()));
        }
        TrieNode::Extension(extension) => {
            visit(nodes, child(&extension.child), path.join(&extension.key), changes, items);
        }
        TrieNode::Branch(branch) => {
            for (nibble, node) in branch.as_ref().children() {
                let Some(node) = node else { continue };
                let mut path = path;
                path.push(nibble);
                visit(nodes, child(node), path, changes, items);
            }
        }
    }
}

fn build(items: &[Item]) -> Hash {
    let mut builder = HashBuilder::default();
    for item in items {
        match item {
            Item::Leaf(key, value) => builder.add_leaf_unchecked(*key, value),
            Item::Unchanged(path, hash) => builder.add_branch(*path, *hash, false),
        }
    }
    builder.root()
}

fn value(rng: &mut ChaCha8Rng) -> Bytes {
    Bytes::from(rng.random::<[u8; VALUE_BYTES]>())
}

/// What `work` gives, and the milliseconds that this thread had on a processor: neighbours on the machine count little.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = cpu_time();
    let made = work();
    (made, (cpu_time() - start).as_secs_f64() * 1e3)
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has this clock").into()
}

/// Nanoseconds of one of many runs.
fn times(count: u32, mut run: impl FnMut()) -> f64 {
    let ((), ms) = timed(|| (0..count).for_each(|_| run()));
    ms * 1e6 / f64::from(count)
}

/// Median and least.
fn summary(mut numbers: Vec<f64>) -> [f64; 2] {
    numbers.sort_by(f64::total_cmp);
    [numbers[numbers.len() / 2], numbers[0]]
}
