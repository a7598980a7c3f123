//! Batches, the memory store, the failing store, locks.

use super::{child, put};
use crate::testing::{FailingStore, Failure};
use crate::{Batch, Column, DirLock, MemoryStore, Operation, Store, StoreError};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

#[test]
fn names_on_disk_never_change() {
    let names = Column::ALL.map(Column::name);
    let known = ["meta", "blocks", "executed", "heights", "nodes", "txs", "receipts", "certs", "logs", "aux2"];
    assert_eq!(names, known);
}

#[test]
fn the_last_change_of_a_key_counts() {
    let store = MemoryStore::new();
    let mut batch = Batch::new();
    batch.put(Column::Meta, b"head", vec![1]);
    batch.delete(Column::Meta, b"head");
    batch.put(Column::Meta, b"tail", vec![1]);
    batch.put(Column::Meta, b"tail", vec![2]);
    assert_eq!((batch.len(), batch.bytes(), batch.is_empty()), (4, 19, false));
    assert!(
        matches!(&batch.operations()[1], Operation::Delete { column: Column::Meta, key } if key.as_ref() == b"head")
    );
    store.write(batch, true).expect("memory");
    assert_eq!(store.get(Column::Meta, b"head").expect("memory"), None);
    assert_eq!(store.get(Column::Meta, b"tail").expect("memory"), Some(vec![2].into()));
    assert_eq!(store.get(Column::Nodes, b"tail").expect("memory"), None, "columns are apart");
    let stats = store.stats();
    assert_eq!((stats.batches, stats.operations, stats.bytes_written, stats.bytes_held), (1, 4, 19, 5));
}

#[test]
fn failing_store_fails_when_told() {
    let store = FailingStore::new(Arc::new(MemoryStore::new()));
    put(&store, Column::Meta, b"a", b"1", false);
    store.fail_after(1, Failure::DiskFull);
    put(&store, Column::Meta, b"b", b"1", false);
    let mut batch = Batch::new();
    batch.put(Column::Meta, b"c", vec![1]);
    assert!(matches!(store.write(batch.clone(), true), Err(StoreError::DiskFull { .. })));
    assert!(matches!(store.sync(), Err(StoreError::DiskFull { .. })));
    assert_eq!(store.get(Column::Meta, b"c").expect("reads go through"), None);
    store.fail_after(0, Failure::Broken);
    assert!(matches!(store.write(batch.clone(), true), Err(StoreError::Database { .. })));
    store.heal();
    store.write(batch, true).expect("healed");
    assert_eq!(store.scan(Column::Meta, b"", b"", 9).expect("reads go through").len(), 3);
    assert_eq!(store.writes(), 6);
}

#[test]
fn one_holder_a_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("made/on/demand");
    let lock = DirLock::acquire(&path).expect("free");
    let own = std::process::id();
    assert_eq!(std::fs::read_to_string(lock.path()).expect("readable"), format!("{own}\n"));
    let error = DirLock::acquire(&path).expect_err("held");
    assert!(matches!(error, StoreError::InUse { pid: Some(pid), .. } if pid == own));
    assert_eq!(error.to_string(), format!("{} is in use by another process (pid {own})", path.display()));
    drop(lock);
    drop(DirLock::acquire(&path).expect("free again"));
}

#[test]
fn a_lock_of_another_process_is_named_and_dies_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut holder = child("tests::unit::lock_holder", "VIGIL_TEST_LOCK", dir.path());
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child");
    let mut lines = BufReader::new(holder.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("locked"))));
    let error = DirLock::acquire(dir.path()).expect_err("held by the child");
    assert!(matches!(error, StoreError::InUse { pid: Some(pid), .. } if pid == holder.id()), "{error}");
    holder.kill().expect("ours"); // SIGKILL: it cannot clean up
    holder.wait().expect("ours");
    DirLock::acquire(dir.path()).expect("the dead hold nothing");
}

/// The other process of the test above; nothing when run by itself.
#[test]
fn lock_holder() {
    let Some(dir) = std::env::var_os("VIGIL_TEST_LOCK") else { return };
    let _lock = DirLock::acquire(dir.as_ref()).expect("free");
    eprintln!("holding");
    say("locked");
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// Prints a line that the parent waits for.
#[allow(clippy::print_stdout, reason = "the parent process reads it")]
pub(super) fn say(line: &str) {
    println!("\n{line}");
}
