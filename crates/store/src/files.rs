//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces `path` by a file with these bytes, durably. A crash leaves the old file or the new one. Returns the new
/// file, open for reading and appending.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let new = beside(path, "new");
    let written = write_new(&new, bytes).and_then(|file| fs::rename(&new, path).map(|()| file));
    match written {
        Ok(file) => sync_parent(path).map(|()| file),
        Err(error) => {
            // What is left of a failed attempt is in the way of nobody, but takes room.
            let _ = fs::remove_file(&new);
            Err(error)
        }
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// `path` with `.suffix` added to its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) }
}
