//! How long a block's writes take: 2,000 accounts changed in a state of 1,000,000, the mean of some blocks. The state
//! before each block stays, as in a node; nodes that are not in memory come from a map.
//!
//! `cargo run --release -p vigil-trie --example commit`; figures are kept in `bench/results/issue2-trie.md`.

#![allow(clippy::print_stdout)]

use alloy_primitives::{Bytes, keccak256};
use std::collections::HashMap;
use std::time::Duration;
use vigil_trie::{Hash, NodeReader, ScalarHasher, Trie};

const ACCOUNTS: u64 = 1_000_000;
const UPDATES: u64 = 2_000;
const ROUNDS: u32 = 40;
/// About the length of an account's RLP.
const VALUE_BYTES: usize = 80;

fn main() {
    let mut nodes = HashMap::new();
    let mut trie = Trie::empty();
    for n in 0..ACCOUNTS {
        trie.insert(&nodes, &key(n), value(n, 0)).expect("in memory");
    }
    nodes.extend(trie.commit(&ScalarHasher).nodes);
    measure("everything in memory", &mut nodes, &mut trie, |_, _| {});
    trie = Trie::open(trie.root().expect("committed"));
    measure("what the blocks before have read in memory", &mut nodes, &mut trie, |_, _| {});
    let forget = |trie: &mut Trie, root| *trie = Trie::open(root);
    measure("nothing in memory", &mut nodes, &mut trie, forget);
}

/// Changes accounts, commits and stores the new nodes, `ROUNDS` times; `prepare` comes before each and is not timed.
fn measure(name: &str, nodes: &mut HashMap<Hash, Bytes>, trie: &mut Trie, prepare: impl Fn(&mut Trie, Hash)) {
    let mut took = [Duration::ZERO; 3];
    for round in 1..=ROUNDS {
        prepare(trie, trie.root().expect("committed"));
        let before = trie.clone();
        let changes = changes(round.into());
        let start = cpu_time();
        change(trie, nodes, changes);
        let inserted = cpu_time();
        let commit = trie.commit(&ScalarHasher);
        let committed = cpu_time();
        assert!(commit.nodes.iter().all(|(hash, node)| keccak256(node) == *hash));
        let hashed = cpu_time();
        nodes.extend(commit.nodes);
        drop(before);
        let steps = [inserted - start, committed - inserted, hashed - committed];
        took.iter_mut().zip(steps).for_each(|(sum, step)| *sum += step);
    }
    let [inserts, commit, keccak] = took.map(|sum| (sum / ROUNDS).as_secs_f64() * 1e3);
    println!("{name}: inserts {inserts:.1} ms, commit {commit:.1} ms; Keccak of the new nodes alone {keccak:.1} ms");
}

fn change(trie: &mut Trie, nodes: &dyn NodeReader, changes: Vec<(Vec<u8>, Bytes)>) {
    for (key, value) in changes {
        trie.insert(nodes, &key, value).expect("every node is there");
    }
}

/// Other accounts in each round, in ascending order, as a block writes them.
fn changes(round: u64) -> Vec<(Vec<u8>, Bytes)> {
    let chosen = (0..UPDATES).map(|n| (round * 7_919 + n * 499) % ACCOUNTS);
    let mut changes: Vec<_> = chosen.map(|n| (key(n), value(n, round))).collect();
    changes.sort_unstable();
    changes
}

/// The key of an account, as the ledger has it: `ls/a/` and a random address.
fn key(n: u64) -> Vec<u8> {
    [b"ls/a/", &keccak256(n.to_be_bytes())[..20]].concat()
}

fn value(n: u64, round: u64) -> Bytes {
    keccak256([n, round].map(u64::to_be_bytes).concat()).iter().copied().cycle().take(VALUE_BYTES).collect()
}

/// Time that this thread has had on a processor, so that neighbours on the machine count little (Linux).
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number of nanoseconds"))
}
