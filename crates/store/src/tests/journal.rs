//! Torn at every byte, damaged at every byte, and never forgetting.

use super::child;
use super::unit::say;
use crate::{Journal, JournalContents, JournalError, OpenMode, RECORD_BYTES_MAX, read_journal};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

const OWNER: &[u8] = &[0xab; 20];
/// Magic, version, owner length, owner, checksum.
const HEADER: usize = 8 + 1 + 1 + 20 + 4;

fn records() -> Vec<Vec<u8>> {
    vec![b"vote 1".to_vec(), vec![], vec![0; 5], b"the last record".to_vec()]
}

fn made(dir: &Path) -> PathBuf {
    let path = dir.join("journal");
    let (mut journal, contents) = Journal::open(&path, OWNER, OpenMode::CreateFresh(&[])).expect("fresh");
    assert_eq!(contents, JournalContents { owner: OWNER.to_vec(), ..Default::default() });
    for record in records() {
        journal.append(&record).expect("room");
    }
    journal.sync().expect("a disk");
    assert_eq!(journal.len_bytes(), fs::metadata(&path).expect("there").len());
    path
}

fn reopen(path: &Path) -> Result<(Journal, JournalContents), JournalError> {
    Journal::open(path, OWNER, OpenMode::MustExist)
}

#[test]
fn records_are_there_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let (mut journal, contents) = reopen(&path).expect("good");
    assert_eq!((contents.records, contents.torn_bytes), (records(), 0));
    assert_eq!(read_journal(&path, OWNER).expect("readable while open").records, records());
    journal.append(b"more").expect("room");
    drop(journal);
    assert_eq!(reopen(&path).expect("good").1.records.last().expect("some"), b"more");
}

#[test]
fn must_exist_and_create_fresh() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("journal");
    let missing = reopen(&path).expect_err("missing");
    assert!(matches!(missing, JournalError::Missing { .. }) && missing.to_string().contains("slashed"), "{missing}");
    assert!(!path.exists());
    assert!(matches!(read_journal(&path, OWNER), Err(JournalError::Missing { .. })));
    let path = made(dir.path());
    let exists = Journal::open(&path, OWNER, OpenMode::CreateFresh(&[])).expect_err("exists");
    assert!(matches!(exists, JournalError::Exists { .. }), "{exists}");
    assert_eq!(reopen(&path).expect("untouched").1.records, records());
}

#[test]
fn other_owner_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let error = Journal::open(&path, &[0xcd; 20], OpenMode::MustExist).expect_err("another key");
    assert!(matches!(error, JournalError::OtherOwner { .. }));
    assert!(matches!(read_journal(&path, &[0xcd; 20]), Err(JournalError::OtherOwner { .. })));
    assert!(error.to_string().contains(&"ab".repeat(20)) && error.to_string().contains(&"cd".repeat(20)), "{error}");
    assert_eq!(read_journal(&path, OWNER).expect("readable").owner, OWNER);
}

#[test]
fn other_versions_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let mut bytes = fs::read(&path).expect("there");
    let mut versioned = |version| {
        bytes[8] = version;
        let crc = crc32fast::hash(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..HEADER].copy_from_slice(&crc.to_le_bytes());
        fs::write(&path, &bytes).expect("room");
        reopen(&path)
    };
    for version in [1, 3] {
        let error = versioned(version).expect_err("another version");
        let text = format!("{} has version {version}, this program knows version 2", path.display());
        assert!(error.to_string().contains(&text), "{error}");
    }
    assert_eq!(versioned(2).expect("ours").1.records, records());
}

#[test]
fn second_opener_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let (journal, _) = reopen(&path).expect("free");
    let error = reopen(&path).expect_err("held");
    assert!(error.to_string().ends_with(&format!("another process (pid {})", std::process::id())), "{error}");
    drop(journal);
    reopen(&path).expect("free again");
}

#[test]
fn torn_at_every_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let whole = fs::read(&path).expect("there");
    let mut ends = vec![HEADER]; // where whole records end
    ends.extend(records().iter().scan(HEADER, |at, record| {
        *at += 12 + record.len();
        Some(*at)
    }));
    assert_eq!(ends.last(), Some(&whole.len()));
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).expect("room");
        if cut < HEADER {
            let error = reopen(&path).expect_err("a header is made at once");
            assert!(matches!(error, JournalError::NotAJournal { .. }), "cut at {cut}: {error}");
            assert_eq!(fs::read(&path).expect("there"), &whole[..cut], "left as it was");
            continue;
        }
        let kept = ends.iter().filter(|&&end| end <= cut).count() - 1;
        let torn = (cut - ends[kept]) as u64;
        assert_eq!(read_journal(&path, OWNER).expect("readable").torn_bytes, torn);
        let (mut journal, contents) = reopen(&path).expect("a torn tail is cut");
        assert_eq!((&contents.records[..], contents.torn_bytes), (&records()[..kept], torn), "cut at {cut}");
        journal.append(b"after").expect("room");
        drop(journal);
        let (_, contents) = reopen(&path).expect("good");
        assert_eq!((contents.records.len(), contents.torn_bytes), (kept + 1, 0));
    }
}

#[test]
fn a_tail_of_zeros_is_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let whole = fs::read(&path).expect("there");
    for zeros in [1usize, 11, 12, 13, 4096] {
        fs::write(&path, [&whole[..], &vec![0; zeros]].concat()).expect("room");
        let (_, contents) = reopen(&path).expect("space that was never written");
        assert_eq!((contents.records, contents.torn_bytes), (records(), zeros as u64));
        assert_eq!(fs::read(&path).expect("there"), whole);
    }
}

#[test]
fn damaged_at_every_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let whole = fs::read(&path).expect("there");
    let mut starts = vec![HEADER];
    starts.extend(records().iter().scan(HEADER, |at, record| {
        *at += 12 + record.len();
        Some(*at)
    }));
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut wrong = whole.clone();
            wrong[at] ^= flip;
            fs::write(&path, &wrong).expect("room");
            let error = reopen(&path).expect_err("damaged");
            match error {
                JournalError::NotAJournal { .. } => assert!(at < HEADER, "byte {at}: {error}"),
                JournalError::Version { .. } => assert_eq!(at, 8),
                JournalError::Corrupt { offset, .. } => {
                    let record = starts.iter().rfind(|&&start| start <= at).expect("after the header");
                    assert_eq!(offset, *record as u64, "byte {at} xor {flip:#x}");
                    assert!(error.to_string().contains(&format!("byte {offset}")), "{error}");
                }
                other => panic!("byte {at}: {other}"),
            }
            assert_eq!(fs::read(&path).expect("there"), wrong, "left as it was");
        }
    }
}

#[test]
fn rewriting_replaces_everything() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let (mut journal, _) = reopen(&path).expect("good");
    for i in 0..1000u32 {
        journal.append(&i.to_be_bytes()).expect("room");
    }
    let before = journal.len_bytes();
    journal.rewrite([b"only", b"this"]).expect("room");
    assert!(journal.len_bytes() < before && journal.len_bytes() == fs::metadata(&path).expect("there").len());
    journal.append(b"and this").expect("room");
    journal.sync().expect("a disk");
    assert!(matches!(reopen(&path), Err(JournalError::InUse { .. })), "still ours");
    drop(journal);
    fs::write(path.with_extension("new"), b"left by a crash").expect("room");
    let (mut journal, contents) = reopen(&path).expect("good");
    assert_eq!(contents.records, [&b"only"[..], b"this", b"and this"]);
    journal.rewrite(Vec::<Vec<u8>>::new()).expect("what a crash left is in nobody's way");
    drop(journal);
    assert!(reopen(&path).expect("good").1.records.is_empty());
}

#[test]
fn a_rewrite_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let (mut journal, _) = reopen(&path).expect("good");
    fs::create_dir(path.with_extension("new")).expect("room"); // in the way of the new file
    assert!(matches!(journal.rewrite([b"new"]), Err(JournalError::Io { .. })));
    journal.append(b"goes on").expect("room");
    drop(journal);
    assert_eq!(reopen(&path).expect("good").1.records.last().expect("some"), b"goes on");
}

#[test]
fn record_size_is_bounded() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = made(dir.path());
    let (mut journal, _) = reopen(&path).expect("good");
    let before = journal.len_bytes();
    let error = journal.append(&vec![1; RECORD_BYTES_MAX + 1]).expect_err("over the limit");
    assert!(matches!(error, JournalError::TooLarge { got, max } if got == max + 1 && max == RECORD_BYTES_MAX));
    assert_eq!(journal.len_bytes(), before);
    journal.append(&vec![1; RECORD_BYTES_MAX - 1]).expect("below the limit");
    journal.append(&vec![1; RECORD_BYTES_MAX]).expect("at the limit");
    drop(journal);
    assert_eq!(reopen(&path).expect("good").1.records.len(), records().len() + 2);
}

#[test]
fn what_was_synced_survives_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("journal");
    drop(Journal::open(&path, OWNER, OpenMode::CreateFresh(&[])).expect("fresh"));
    for round in 1..=5 {
        let mut signer = child("tests::journal::endless_signer", "VIGIL_TEST_SIGNER", &path);
        let mut signer = signer.stdout(Stdio::piped()).spawn().expect("a child");
        let lines = BufReader::new(signer.stdout.take().expect("piped")).lines();
        let said = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("sent ")?.parse::<u64>().ok());
        let last = said.take(10 * round).last().expect("some");
        signer.kill().expect("ours"); // SIGKILL, in the middle of the next record
        signer.wait().expect("ours");
        let (_, contents) = reopen(&path).expect("at most torn");
        let kept = contents.records.len() as u64;
        assert!(kept > last, "record {last} was sent, {kept} are kept");
        for (i, record) in contents.records.iter().enumerate() {
            assert_eq!(record[..8], (i as u64).to_be_bytes());
        }
    }
}

/// The other process of the test above; nothing when run by itself. Rewrites now and then.
#[test]
fn endless_signer() {
    let Some(path) = std::env::var_os("VIGIL_TEST_SIGNER") else { return };
    let (mut journal, contents) = reopen(path.as_ref()).expect("free");
    let mut records = contents.records;
    for number in (records.len() as u64).. {
        let record = [&number.to_be_bytes()[..], &[7; 300]].concat();
        journal.append(&record).expect("room");
        records.push(record);
        journal.sync().expect("a disk");
        say(&format!("sent {number}"));
        if number % 16 == 15 {
            journal.rewrite(&records).expect("room");
        }
    }
}
