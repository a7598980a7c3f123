//! An append-only file of records that must never be forgotten (`spec/consensus.md` §1.13).
//!
//! File: `VIGILJNL`, version (1 byte), owner length (1), owner, CRC-32 of all that (4, little endian); then the records.
//! Record: payload length (4), CRC-32 of the length (4), CRC-32 of the payload (4), all little endian; payload.
//!
//! A last record with bytes missing was never synced, so nothing was sent on its behalf: it is cut and reported. The
//! same holds for a tail of zeros (space that was given but not written). A record that is all there and does not
//! match its checksums, the last one included, may have been sent: the journal is refused.

use crate::JournalError;
use crate::files;
use crate::lock::{LockFailure, LockFile, lock_file};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Largest payload of a record, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

const MAGIC: &[u8; 8] = b"VIGILJNL";
/// Of the file and of the records in it: 2 since votes name the validator set of their source.
const VERSION: u8 = 2;
const RECORD_HEADER: usize = 12;

/// Whether there must be a journal already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode<'r> {
    /// The key may have signed: its journal must be there.
    MustExist,
    /// The key has never signed, or what it signed is lost: there must be no journal. One is made with these records,
    /// durably and at once.
    CreateFresh(&'r [Vec<u8>]),
}

/// What was found in a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalContents {
    /// Whose it is.
    pub owner: Vec<u8>,
    /// Payloads, oldest first.
    pub records: Vec<Vec<u8>>,
    /// Bytes of an unfinished last record after them; 0 if the journal was closed well.
    pub torn_bytes: u64,
}

/// A journal open for writing; no other can be opened on the same file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    owner: Vec<u8>,
    file: File,
    /// Length of the file up to the last whole record.
    len: u64,
    unsynced: bool,
    failed: bool,
    _lock: LockFile,
}

impl Journal {
    /// Opens the journal of `owner` (at most 255 bytes: a key and its chain) at `path`; `path.lock` is its lock.
    /// An unfinished last record is cut.
    ///
    /// # Errors
    /// Each [`JournalError`] but `Failed`; an existing file is left as it was.
    pub fn open(path: &Path, owner: &[u8], mode: OpenMode<'_>) -> Result<(Self, JournalContents), JournalError> {
        let lock = lock_file(&files::beside(path, "lock")).map_err(|failure| match failure {
            LockFailure::Held(pid) => JournalError::InUse { path: path.to_owned(), pid },
            LockFailure::Io(error) => JournalError::io("locking", path, error),
        })?;
        if let OpenMode::CreateFresh(records) = mode {
            create(path, owner, records)?;
        }
        let mut file = match OpenOptions::new().read(true).append(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::Missing { path: path.to_owned() });
            }
            file => file.map_err(|e| JournalError::io("opening", path, e))?,
        };
        let (contents, len) = read(path, owner, &mut file)?;
        if contents.torn_bytes > 0 {
            let cut = file.set_len(len).and_then(|()| file.sync_all());
            cut.map_err(|e| JournalError::io("cutting the unfinished record of", path, e))?;
        }
        let journal = Self {
            path: path.to_owned(),
            owner: owner.to_vec(),
            file,
            len,
            unsynced: false,
            failed: false,
            _lock: lock,
        };
        Ok((journal, contents))
    }

    /// Adds a record. It is safe only after the next [`Journal::sync`]; several records may share one.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`], [`JournalError::DiskFull`] or what the system says: the journal is as it was before.
    /// [`JournalError::Failed`] after a failure that left the disk unknown.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), JournalError> {
        self.check()?;
        let mut record = Vec::with_capacity(RECORD_HEADER + payload.len());
        push_record(payload, &mut record)?;
        if let Err(error) = self.file.write_all(&record) {
            // Part of it may be there: nothing may follow a torn record.
            self.failed = self.file.set_len(self.len).is_err();
            return Err(JournalError::io("writing", &self.path, error));
        }
        self.len += record.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    /// Returns when every record survives a power cut.
    ///
    /// # Errors
    /// What the system says. What is on the disk is unknown then, so the journal fails until it is opened again.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.check()?;
        if self.unsynced {
            self.file.sync_data().map_err(|error| {
                self.failed = true;
                JournalError::io("syncing", &self.path, error)
            })?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Replaces all records by these, durably and at once: after a crash the file has the old records or the new ones.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn rewrite<I>(&mut self, records: I) -> Result<(), JournalError>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        self.check()?;
        let bytes = file_bytes(&self.owner, records)?;
        let file = files::replace(&self.path, &bytes).map_err(|error| {
            // If the new file took the place of the old one, writing to the old one would be lost.
            self.failed = !same_file(&self.file, &self.path);
            JournalError::io("rewriting", &self.path, error)
        })?;
        (self.file, self.len, self.unsynced) = (file, bytes.len() as u64, false);
        Ok(())
    }

    /// Length of the file in bytes: when it has grown too far, [`Journal::rewrite`] what still matters.
    pub fn len_bytes(&self) -> u64 {
        self.len
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn check(&self) -> Result<(), JournalError> {
        if self.failed { Err(JournalError::Failed { path: self.path.clone() }) } else { Ok(()) }
    }
}

/// Reads the journal of `owner` without locking or changing it, for tools. A journal in use may show an unfinished last record.
///
/// # Errors
/// As [`Journal::open`] in mode [`OpenMode::MustExist`].
pub fn read_journal(path: &Path, owner: &[u8]) -> Result<JournalContents, JournalError> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(JournalError::Missing { path: path.to_owned() }),
        file => file.map_err(|e| JournalError::io("opening", path, e))?,
    };
    read(path, owner, &mut file).map(|(contents, _)| contents)
}

/// Makes a journal where there is none.
fn create(path: &Path, owner: &[u8], records: &[Vec<u8>]) -> Result<(), JournalError> {
    match fs::symlink_metadata(path) {
        Ok(_) => return Err(JournalError::Exists { path: path.to_owned() }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(JournalError::io("looking for", path, e)),
    }
    let bytes = file_bytes(owner, records)?;
    files::replace(path, &bytes).map(|_| ()).map_err(|e| JournalError::io("making", path, e))
}

/// The contents of a journal, and the length up to the last whole record.
fn read(path: &Path, expected: &[u8], file: &mut File) -> Result<(JournalContents, u64), JournalError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| JournalError::io("reading", path, e))?;
    let (owner, mut rest) = read_header(path, &bytes)?;
    if owner != expected {
        let (found, expected) = (owner.to_vec(), expected.to_vec());
        return Err(JournalError::OtherOwner { path: path.to_owned(), found, expected });
    }
    let mut contents = JournalContents { owner: owner.to_vec(), ..Default::default() };
    loop {
        let offset = (bytes.len() - rest.len()) as u64;
        match read_record(rest) {
            Ok(Some((payload, after))) => {
                contents.records.push(payload.to_vec());
                rest = after;
            }
            Ok(None) => {
                contents.torn_bytes = rest.len() as u64;
                return Ok((contents, offset));
            }
            Err(what) => return Err(JournalError::Corrupt { path: path.to_owned(), offset, what }),
        }
    }
}

fn file_bytes(owner: &[u8], records: impl IntoIterator<Item: AsRef<[u8]>>) -> Result<Vec<u8>, JournalError> {
    let mut bytes = file_header(owner);
    records.into_iter().try_for_each(|record| push_record(record.as_ref(), &mut bytes))?;
    Ok(bytes)
}

fn file_header(owner: &[u8]) -> Vec<u8> {
    let owner_len = u8::try_from(owner.len()).expect("an owner has at most 255 bytes");
    let mut header = MAGIC.to_vec();
    header.extend([VERSION, owner_len]);
    header.extend(owner);
    let crc = crc32fast::hash(&header);
    header.extend(crc.to_le_bytes());
    header
}

/// Owner, and the bytes after the header.
fn read_header<'b>(path: &Path, bytes: &'b [u8]) -> Result<(&'b [u8], &'b [u8]), JournalError> {
    let unreadable = |what| JournalError::NotAJournal { path: path.to_owned(), what };
    let cut = || unreadable("its header is cut");
    let other = |found| JournalError::Version { path: path.to_owned(), found, known: VERSION };
    let after = bytes.strip_prefix(MAGIC).ok_or_else(|| unreadable("it does not begin with VIGILJNL"))?;
    let (&[version, owner_len], after) = after.split_first_chunk().ok_or_else(cut)?;
    if version > VERSION {
        return Err(other(version)); // whatever its header looks like
    }
    let (owner, after) = after.split_at_checked(usize::from(owner_len)).ok_or_else(cut)?;
    let (crc, after) = after.split_first_chunk().ok_or_else(cut)?;
    let header = &bytes[..MAGIC.len() + 2 + owner.len()];
    if crc32fast::hash(header) != u32::from_le_bytes(*crc) {
        return Err(unreadable("its header does not match its checksum"));
    }
    if version == VERSION { Ok((owner, after)) } else { Err(other(version)) }
}

fn push_record(payload: &[u8], out: &mut Vec<u8>) -> Result<(), JournalError> {
    if payload.len() > RECORD_BYTES_MAX {
        return Err(JournalError::TooLarge { got: payload.len(), max: RECORD_BYTES_MAX });
    }
    let len = (payload.len() as u32).to_le_bytes();
    out.extend(len);
    out.extend(crc32fast::hash(&len).to_le_bytes());
    out.extend(crc32fast::hash(payload).to_le_bytes());
    out.extend(payload);
    Ok(())
}

/// A payload and the bytes after it.
type Split<'b> = (&'b [u8], &'b [u8]);

/// The first record; `None` if nothing whole is left; or what is wrong.
fn read_record(bytes: &[u8]) -> Result<Option<Split<'_>>, &'static str> {
    let Some((header, after)) = bytes.split_first_chunk::<RECORD_HEADER>() else { return Ok(None) };
    if bytes.iter().all(|&byte| byte == 0) {
        return Ok(None); // no record begins so: the checksum of the length 0 is not 0
    }
    let [len, len_crc, crc] = [0, 4, 8].map(|at| [header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if crc32fast::hash(&len) != u32::from_le_bytes(len_crc) {
        return Err("the length of a record does not match its checksum");
    }
    let len = u32::from_le_bytes(len) as usize;
    if len > RECORD_BYTES_MAX {
        return Err("a record is longer than any that was written");
    }
    let Some((payload, after)) = after.split_at_checked(len) else { return Ok(None) };
    if crc32fast::hash(payload) != u32::from_le_bytes(crc) {
        return Err("a record does not match its checksum");
    }
    Ok(Some((payload, after)))
}

/// Whether `path` still names the open file. Where that cannot be told, it does not.
fn same_file(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (open, named) = (file.metadata().map(id), fs::metadata(path).map(id));
        matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        false
    }
}
