//! Files that are there whole or not at all.

use crate::CliError;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes the file `path` beside its place and moves it there: a full disk or a crash leaves nothing under that name.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The process's umask applies.
    let new = tempfile::Builder::new().prefix(".vigil-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
    let written = new.and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|failed| failed.error)
    });
    written.map(drop).map_err(CliError::while_doing(format_args!("cannot write {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("a.json");
        write(&path, b"hello").expect("written");
        assert_eq!(std::fs::read(&path).expect("there"), b"hello");
        let folder = dir.path().join("folder");
        std::fs::create_dir_all(folder.join("full")).expect("made");
        let error = write(&folder, b"hello").expect_err("a folder is there").to_string();
        assert!(error.starts_with(&format!("cannot write {}: ", folder.display())), "{error}");
        let names = std::fs::read_dir(dir.path()).expect("listed").count();
        assert_eq!(names, 2, "the file and the folder");
        assert!(write(&dir.path().join("nowhere/a.json"), b"hello").is_err());
    }
}
