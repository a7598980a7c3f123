//! Opening, refusing, and dying.

use super::unit::say;
use super::{IDENTITY, child, open, put};
use crate::{Batch, Column, Hash, Identity, RocksStore, Store, StoreError};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn refused(path: &std::path::Path, identity: Identity) -> StoreError {
    RocksStore::open(path, identity).err().expect("refused")
}

#[test]
fn what_was_written_is_there_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    put(&store, Column::Blocks, b"block", &[7; 100_000], false);
    put(&store, Column::Nodes, b"empty", b"", true);
    store.sync().expect("a disk");
    let stats = store.stats();
    assert_eq!((stats.batches, stats.operations, stats.bytes_written), (2, 2, 100_010));
    assert!(stats.bytes_held > 0);
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.get(Column::Blocks, b"block").expect("readable"), Some(vec![7; 100_000].into()));
    assert_eq!(store.get(Column::Nodes, b"empty").expect("readable"), Some(Default::default()));
    assert_eq!(store.get(Column::Nodes, b"block").expect("readable"), None);
}

#[test]
fn other_schema_and_other_chain_are_refused_unchanged() {
    let dir = tempfile::tempdir().expect("a directory");
    put(&open(dir.path()), Column::Meta, b"head", b"1", true);
    let identity = fs::read(dir.path().join("identity")).expect("there");

    let older_program = Identity { schema: 0, ..IDENTITY };
    let error = refused(dir.path(), older_program);
    assert!(matches!(error, StoreError::SchemaNewer { found: 1, known: 0, .. }));
    for part in ["schema 1", "knows schema 0", "run a newer version", &dir.path().display().to_string()] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let newer_program = Identity { schema: 2, ..IDENTITY };
    assert!(matches!(refused(dir.path(), newer_program), StoreError::SchemaOlder { found: 1, known: 2, .. }));

    let other = Identity { genesis: Hash::repeat_byte(0x22), ..IDENTITY };
    let error = refused(dir.path(), other);
    for hash in [IDENTITY.genesis, other.genesis] {
        assert!(error.to_string().contains(&hash.to_string()), "{error}");
    }
    assert_eq!(fs::read(dir.path().join("identity")).expect("there"), identity);
    assert!(open(dir.path()).get(Column::Meta, b"head").expect("readable").is_some());
}

#[test]
fn damaged_identity_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let file = dir.path().join("identity");
    for (text, what) in [("", "schema"), ("schema = x\n", "schema"), ("schema = 1\ngenesis = 0x12\n", "genesis")] {
        fs::write(&file, text).expect("room");
        let error = refused(dir.path(), IDENTITY);
        assert!(matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains(what), "{error}");
    }
    fs::remove_file(&file).expect("there");
    let error = refused(dir.path(), IDENTITY);
    assert!(error.to_string().contains("a database without an identity"), "{error}");
}

#[test]
fn damaged_database_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    fs::write(dir.path().join("db/CURRENT"), "MANIFEST-gone\n").expect("room");
    let error = refused(dir.path(), IDENTITY);
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
}

#[test]
fn second_opener_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let error = refused(dir.path(), IDENTITY);
    assert!(error.to_string().ends_with(&format!("in use by another process (pid {})", std::process::id())), "{error}");
    drop(store);
    drop(open(dir.path()));
}

#[test]
fn whole_batches_survive_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    for round in 0..3 {
        let mut writer = child("tests::rocks::endless_writer", "VIGIL_TEST_WRITER", dir.path());
        let mut writer = writer.stdout(Stdio::piped()).spawn().expect("a child");
        let lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
        let said = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("wrote ")?.parse::<u64>().ok());
        let last = said.take(20 + 7 * round).last().expect("some writes");
        writer.kill().expect("ours"); // SIGKILL, in the middle of the next writes
        writer.wait().expect("ours");

        let store = open(dir.path());
        let rows = store.scan(Column::Heights, b"", b"", usize::MAX).expect("readable");
        let numbers: Vec<u64> =
            rows.iter().map(|(key, _)| u64::from_be_bytes(key[..].try_into().expect("8 bytes"))).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "no gap");
        assert!(numbers.len() as u64 > last, "what was acknowledged is there: {last} of {}", numbers.len());
        for number in numbers {
            let value = store.get(Column::Blocks, &number.to_be_bytes()).expect("readable");
            assert_eq!(value.map(|v| v.len()), Some(6000), "the other half of batch {number}");
        }
    }
}

/// The other process of the test above; nothing when run by itself.
#[test]
fn endless_writer() {
    let Some(dir) = std::env::var_os("VIGIL_TEST_WRITER") else { return };
    let store = open(dir.as_ref());
    let first = store.scan(Column::Heights, b"", b"", usize::MAX).expect("readable").len() as u64;
    for number in first.. {
        let mut batch = Batch::new();
        batch.put(Column::Heights, number.to_be_bytes(), vec![1]);
        batch.put(Column::Blocks, number.to_be_bytes(), vec![2; 6000]);
        store.write(batch, number % 2 == 0).expect("room");
        say(&format!("wrote {number}"));
    }
}
