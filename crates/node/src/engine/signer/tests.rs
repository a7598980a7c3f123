use super::*;
use std::io::{Seek, SeekFrom, Write};
use vigil_primitives::{Signature, Vote};

const ME: Address = Address::repeat_byte(7);
const CHAIN: Hash = Hash::repeat_byte(8);

fn change(target: u64) -> JournalRecord {
    JournalRecord::EpochChange { target }
}

fn health() -> Health {
    Health::new(false, std::time::Duration::from_secs(60))
}

#[test]
fn a_journal_is_begun_once_and_found_again() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let (mut signer, state) = Signer::open(&layout, ME, &CHAIN, None, None).expect("a key that never signed");
    assert_eq!(state, JournalState::default());
    assert!(signer.record(&[change(3), change(5)], &health(), || true));
    drop(signer);
    let (_, state) = Signer::open(&layout, ME, &CHAIN, Some(SignedRecord::default()), None).expect("found");
    assert_eq!(state.change_target, 5);
}

#[test]
fn a_missing_journal_is_refused_until_the_operator_says_so() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    drop(Signer::open(&layout, ME, &CHAIN, None, None).expect("begun"));
    std::fs::remove_file(layout.journal(&ME)).expect("removed");
    for _ in 0..2 {
        let refusal = Signer::open(&layout, ME, &CHAIN, None, None).expect_err("missing");
        let text = refusal.to_string();
        assert!(text.starts_with("journal missing: not signing") && text.contains("--fresh-journal"), "{text}");
    }
    Signer::open(&layout, ME, &CHAIN, None, Some(Floor::default())).expect("the operator's word");
    assert!(matches!(
        Signer::open(&layout, ME, &CHAIN, None, Some(Floor::default())),
        Err(JournalRefusal::Exists { .. })
    ));
    // The database alone remembers, too: a data directory whose key folder was restored from a copy.
    let dir = tempfile::tempdir().expect("temporary folder");
    assert!(matches!(
        Signer::open(&Layout::new(dir.path()), ME, &CHAIN, Some(SignedRecord::default()), None),
        Err(JournalRefusal::Missing { .. })
    ));
}

#[test]
fn a_journal_behind_the_database_is_refused_with_both_sides() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let (mut signer, _) = Signer::open(&layout, ME, &CHAIN, None, None).expect("begun");
    assert!(signer.record(&[change(9)], &health(), || true));
    let signed = signer.signed();
    drop(signer);
    for ahead in [
        SignedRecord { change: 10, ..signed },
        SignedRecord { vote: 1, ..signed },
        SignedRecord { proposal: 1, ..signed },
    ] {
        let text = Signer::open(&layout, ME, &CHAIN, Some(ahead), None).expect_err("older").to_string();
        let (journal, database) = (signed.to_string(), ahead.to_string());
        assert!(text.starts_with("journal rolled back: not signing"), "{text}");
        assert!(text.contains(&journal) && text.contains(&database) && text.contains("--fresh-journal"), "{text}");
    }
    Signer::open(&layout, ME, &CHAIN, Some(signed), None).expect("the newest");
    std::fs::remove_file(layout.journal(&ME)).expect("removed");
    let beyond = SignedRecord { change: 12, ..signed };
    let lost = Floor { epoch: 3, height: 2, hash: Hash::repeat_byte(2), source_set: 1, source_height: 1 };
    let (signer, state) = Signer::open(&layout, ME, &CHAIN, Some(beyond), Some(lost)).expect("the operator's word");
    assert_eq!(state.lost, Some(Floor { epoch: 11, ..lost }), "what blocks and database tell");
    drop(signer);
    let (signer, again) = Signer::open(&layout, ME, &CHAIN, Some(beyond), None).expect("found");
    assert_eq!((again, signer.signed().is_behind(&beyond)), (state, false));
}

#[test]
fn a_corrupt_journal_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let (mut signer, _) = Signer::open(&layout, ME, &CHAIN, None, None).expect("begun");
    assert!(signer.record(&[change(3)], &health(), || true));
    drop(signer);
    let path = layout.journal(&ME);
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("open");
    file.seek(SeekFrom::End(-1)).expect("seek");
    file.write_all(&[0xff]).expect("write");
    drop(file);
    let before = std::fs::read(&path).expect("read");
    let text = Signer::open(&layout, ME, &CHAIN, None, None).expect_err("corrupt").to_string();
    assert!(text.starts_with("journal unusable: not signing") && text.contains("Restore"), "{text}");
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

/// That of an older program: votes did not name the validator set of their source.
#[test]
fn a_journal_of_another_version_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    drop(Signer::open(&layout, ME, &CHAIN, None, None).expect("begun"));
    let path = layout.journal(&ME);
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[8] = u8::MAX;
    std::fs::write(&path, &bytes).expect("written");
    let text = Signer::open(&layout, ME, &CHAIN, None, None).expect_err("another version").to_string();
    assert!(text.starts_with("journal of another version: not signing"), "{text}");
    let told =
        format!("{} has version 255, this program knows version 2. Run the version that wrote it", path.display());
    assert!(text.contains(&told) && text.contains("--fresh-journal"), "{text}");
    assert_eq!(std::fs::read(&path).expect("read"), bytes, "left as it was");
}

#[test]
fn a_sent_vote_is_logged_with_the_rank_of_its_source() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (mut signer, _) = Signer::open(&Layout::new(dir.path()), ME, &CHAIN, None, None).expect("begun");
    let path = dir.path().join("sent");
    signer.log_sent(SentLog::open(&path).expect("a file"));
    let vote = Vote {
        height: 9,
        block_hash: Hash::repeat_byte(9),
        block_epoch: 9,
        source_set: 3,
        source_height: 7,
        source_hash: Hash::repeat_byte(7),
        voter: ME,
        signature: Signature::none(),
    };
    signer.note_sent(&Message::Vote(vote));
    let line: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    assert_eq!((&line["source_set"], &line["source_height"]), (&json!(3), &json!(7)));
}

#[test]
fn a_long_journal_is_rewritten_and_forgets_nothing() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let (mut signer, _) = Signer::open(&layout, ME, &CHAIN, None, None).expect("begun");
    let many: Vec<_> = (1..=20_000).map(change).collect();
    for part in many.chunks(5_000) {
        assert!(signer.record(part, &health(), || true));
    }
    drop(signer);
    let (_, state) = Signer::open(&layout, ME, &CHAIN, None, None).expect("found");
    assert_eq!(state.change_target, 20_000);
}

#[test]
fn a_journal_of_another_chain_is_refused_with_both_sides() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    drop(Signer::open(&layout, ME, &CHAIN, None, None).expect("begun"));
    let other = Hash::repeat_byte(9);
    let text = Signer::open(&layout, ME, &other, None, None).expect_err("another chain's").to_string();
    assert!(text.starts_with("journal of another chain: not signing"), "{text}");
    assert!(text.contains(&format!("genesis {CHAIN}")) && text.contains(&format!("is {other}")), "{text}");
    std::fs::rename(layout.journal(&ME), layout.journal(&Address::repeat_byte(1))).expect("moved");
    let key = Address::repeat_byte(1);
    assert!(matches!(
        Signer::open(&layout, key, &other, None, None),
        Err(JournalRefusal::Unusable { error: JournalError::OtherOwner { .. } })
    ));
}
