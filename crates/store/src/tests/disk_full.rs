//! A real disk of one MiB that runs full. Needs root, for mounting it.

use super::{IDENTITY, open, put};
use crate::{Batch, Column, Journal, JournalError, OpenMode, RocksOptions, RocksStore, Store, StoreError};
use std::path::Path;
use std::process::Command;

/// A write that was tried this often will not succeed.
const TRIES_MAX: u32 = 600;

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
    let (mut journal, _) = Journal::open(&path, b"owner", OpenMode::CreateFresh(&[])).expect("room");
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

/// A store on a disk that has just run full, and how many writes it acknowledged.
fn full_store(disk: &SmallDisk) -> (RocksStore, u64) {
    let small = RocksOptions { memtable_bytes: 1 << 20, ..RocksOptions::default() };
    let store = RocksStore::open_with(&disk.path().join("store"), IDENTITY, small).expect("room");
    put(&store, Column::Meta, b"head", b"1", true);
    let mut written = 0u64;
    let error = loop {
        match store.write(noisy_batch(written), true) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "6 MiB cannot hold this");
    };
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("free some space (writing goes on when 1 MiB are free"), "{text}");
    assert!(store.get(Column::Meta, b"head").expect("reads go on").is_some());
    assert!(store.write(noisy_batch(written), true).is_err(), "still full");
    (store, written)
}

/// Noise, or compression would make room.
fn noisy_batch(number: u64) -> Batch {
    let mut batch = Batch::new();
    let value: Vec<u8> = (0..313u64).flat_map(|i| noise(number, i)).collect();
    batch.put(Column::Nodes, number.to_be_bytes(), value);
    batch
}

fn grow(disk: &SmallDisk) {
    let remount = Command::new("mount").args(["-o", "remount,size=64m"]).arg(disk.path()).status();
    assert!(remount.is_ok_and(|status| status.success()));
}

/// Everything acknowledged is there, and the store takes writes.
fn check_whole(store: &RocksStore, written: u64) {
    let kept = store.scan(Column::Nodes, b"", b"", usize::MAX).expect("readable").len() as u64;
    assert!(kept >= written, "{kept} of {written} acknowledged writes");
    put(store, Column::Meta, b"head", b"2", true);
}

#[test]
fn rocks_says_so_and_goes_on_by_itself() {
    let Some(disk) = SmallDisk::mount("6m") else { return };
    let (store, written) = full_store(&disk);
    grow(&disk);
    // Asked again and again, as a node does; RocksDB looks every 5 seconds.
    let taken = (0..TRIES_MAX).find(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        store.write(noisy_batch(written), true).is_ok()
    });
    assert!(taken.is_some(), "it never took a write again");
    check_whole(&store, written + 1);
    drop(store);
    check_whole(&open(&disk.path().join("store")), written + 1);
}

#[test]
fn rocks_says_so_and_opens_again() {
    let Some(disk) = SmallDisk::mount("6m") else { return };
    let (store, written) = full_store(&disk);
    drop(store);
    grow(&disk);
    check_whole(&open(&disk.path().join("store")), written);
}
