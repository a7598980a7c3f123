//! Memory and RocksDB behave alike.

use super::open;
use crate::{Batch, Column, Entry, MemoryStore, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Column, key, and a value (none deletes).
type Change = (usize, Vec<u8>, Option<Vec<u8>>);

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Change>, bool),
    Scan(usize, Vec<u8>, Vec<u8>, usize),
    Reopen,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0u8), Just(1), Just(0xff), Just(b'a')], 0..4)
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        1 => Just(None),
        3 => vec(any::<u8>(), 0..9).prop_map(Some),
        1 => any::<u8>().prop_map(|byte| Some(vec![byte; 5000])), // stands in a file of its own in the block column
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..Column::ALL.len(), key(), value());
    prop_oneof![
        6 => (vec(change, 0..12), any::<bool>()).prop_map(|(changes, durable)| Step::Write(changes, durable)),
        6 => (0..Column::ALL.len(), key(), key(), 0usize..9).prop_map(|(c, p, f, n)| Step::Scan(c, p, f, n)),
        1 => Just(Step::Reopen),
    ]
}

fn everything(store: &dyn Store) -> Vec<Vec<Entry>> {
    Column::ALL.iter().map(|&column| store.scan(column, b"", b"", usize::MAX).expect("readable")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn memory_is_rocks(steps in vec(step(), 1..30)) {
        let dir = tempfile::tempdir().expect("a directory");
        let memory = MemoryStore::new();
        let mut rocks = open(dir.path());
        for step in steps {
            match step {
                Step::Write(changes, durable) => {
                    let mut batch = Batch::new();
                    for (column, key, value) in changes {
                        match value {
                            Some(value) => batch.put(Column::ALL[column], key, value),
                            None => batch.delete(Column::ALL[column], key),
                        }
                    }
                    memory.write(batch.clone(), durable).expect("memory");
                    rocks.write(batch, durable).expect("room");
                }
                Step::Scan(column, prefix, from, limit) => {
                    let column = Column::ALL[column];
                    let (want, got) = (memory.scan(column, &prefix, &from, limit), rocks.scan(column, &prefix, &from, limit));
                    prop_assert_eq!(got.expect("readable"), want.expect("memory"));
                    prop_assert_eq!(rocks.get(column, &from).expect("readable"), memory.get(column, &from).expect("memory"));
                }
                Step::Reopen => {
                    drop(rocks);
                    rocks = open(dir.path());
                }
            }
        }
        prop_assert_eq!(everything(&rocks), everything(&memory));
        drop(rocks);
        prop_assert_eq!(everything(&open(dir.path())), everything(&memory));
    }
}
