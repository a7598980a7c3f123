//! A real disk of one MiB that runs full. Needs root, for mounting it.

use super::{IDENTITY, open, put};
use crate::{Batch, Column, Journal, JournalError, OpenMode, RocksOptions, RocksStore, Store, StoreError};
use std::path::Path;
use std::process::Command;

/// A file system in memory, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let options = format!("size={size}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("skipped: a small disk cannot be mounted here (not root?)");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn journal_says_so_and_stays_whole() {
    let Some(disk) = SmallDisk::mount("1m") else { return };
    let path = disk.path().join("journal");
    let (mut journal, _) = Journal::open(&path, b"owner", OpenMode::CreateFresh).expect("room");
    let mut written = 0;
    let error = loop {
        match journal.append(&[written as u8; 10_000]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
    assert!(written > 50, "{written}");
    journal.sync().expect("what is whole can be synced");
    let rewritten = journal.rewrite(vec![vec![1u8; 200_000]; 5]).expect_err("no room");
    assert!(matches!(rewritten, JournalError::DiskFull { .. }), "{rewritten}");
    journal.append(b"small").expect("the rest of a page is free");
    drop(journal);
    let (_, contents) = Journal::open(&path, b"owner", OpenMode::MustExist).expect("whole");
    assert_eq!((contents.records.len(), contents.torn_bytes), (written + 1, 0));
}

/// 32 bytes that look random.
fn noise(a: u64, b: u64) -> [u8; 32] {
    alloy_primitives::keccak256([a.to_be_bytes(), b.to_be_bytes()].concat()).0
}

#[test]
fn rocks_says_so_and_opens_again() {
    let Some(disk) = SmallDisk::mount("6m") else { return };
    let path = disk.path().join("store");
    let small = RocksOptions { memtable_bytes: 1 << 20, ..RocksOptions::default() };
    let store = RocksStore::open_with(&path, IDENTITY, small).expect("room");
    put(&store, Column::Meta, b"head", b"1", true);
    let mut written = 0u64;
    let error = loop {
        let mut batch = Batch::new();
        // Noise, or compression would make room.
        let value: Vec<u8> = (0..313u64).flat_map(|i| noise(written, i)).collect();
        batch.put(Column::Nodes, written.to_be_bytes(), value);
        match store.write(batch, true) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "6 MiB cannot hold this");
    };
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(store.get(Column::Meta, b"head").expect("reads go on").is_some());
    drop(store);
    let remount = Command::new("mount").args(["-o", "remount,size=64m"]).arg(disk.path()).status();
    assert!(remount.is_ok_and(|status| status.success()));
    let store = open(&path);
    let kept = store.scan(Column::Nodes, b"", b"", usize::MAX).expect("readable").len() as u64;
    assert!(kept >= written, "{kept} of {written} acknowledged writes");
    put(&store, Column::Meta, b"head", b"2", true);
}
