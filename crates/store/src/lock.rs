//! One process at a time.

use crate::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Holds a data directory for this process, as long as it lives. The system frees it when the process dies, however it
/// dies. The file `LOCK` in the directory tells the process id as text; it stays behind and means nothing unlocked.
#[derive(Debug)]
pub struct DirLock {
    _file: LockFile,
    path: PathBuf,
}

impl DirLock {
    /// Takes the directory, which is made if need be.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another holder lives, in this process or another; otherwise what the system says.
    pub fn acquire(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|e| StoreError::io("making", dir, e))?;
        let path = dir.join("LOCK");
        match lock_file(&path) {
            Ok(file) => Ok(Self { _file: file, path }),
            Err(LockFailure::Held(pid)) => Err(StoreError::InUse { path: dir.to_owned(), pid }),
            Err(LockFailure::Io(error)) => Err(StoreError::io("locking", &path, error)),
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A locked file. Unlocked by name when dropped: closing alone would leave the lock to a child process that is just
/// being started and has not closed its copy yet.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = self.0.unlock(); // if it fails, closing still frees it
    }
}

/// Why a lock was not had.
pub(crate) enum LockFailure {
    /// Somebody has it: the process id, if the file tells.
    Held(Option<u32>),
    /// The system refused.
    Io(io::Error),
}

/// Locks the file at `path`, made if need be, and writes the process id into it.
pub(crate) fn lock_file(path: &Path) -> Result<LockFile, LockFailure> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open.map_err(LockFailure::Io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockFailure::Held(read_pid(&mut file))),
        Err(TryLockError::Error(error)) => return Err(LockFailure::Io(error)),
    }
    let write = |file: &mut File| -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    match write(&mut file) {
        // The lock holds without the pid: a full disk must not keep a node from starting to read.
        Err(error) if !crate::error::is_disk_full(&error) => Err(LockFailure::Io(error)),
        _ => Ok(LockFile(file)),
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
