//! Compiled kernels in files, so that they are compiled once on a machine.
//!
//! A file is a line that says what it is for, with a checksum of all that follows, and the image. Whatever is wrong with a file,
//! it is as if it were not there; so it is with a folder or a file to which others may write. Files are written under another
//! name and renamed: two processes do not meet.

pub(super) mod owner;
mod tidy;

use super::compile::{Image, Kind, Target};
use super::sources::{self, Module};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tidy::tidy;

/// Names the form of these files.
const FORM: &str = "vigil-gpu-1";
/// More than any kernels have.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What an image is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) module: Module,
    pub(super) target: Target,
    /// What the compiler was told, beside the architecture.
    pub(super) options: &'a str,
}

impl Key<'_> {
    /// Where its file is.
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        let Target { driver, capability: (major, minor) } = self.target;
        let options = vigil_crypto::keccak256(self.options.as_bytes());
        let options: String = options[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        folder.join(format!("{}-{driver}-{major}.{minor}-{}-{options}.bin", self.module.name(), sources::hash()))
    }

    fn header(&self, image: &Image) -> String {
        let Target { driver, capability: (major, minor) } = self.target;
        let (module, sources, kind) = (self.module.name(), sources::hash(), image.kind.name());
        let sum = vigil_crypto::keccak256(&image.bytes);
        let (bytes, options) = (image.bytes.len(), self.options);
        format!(
            "{FORM} {module} driver={driver} capability={major}.{minor} sources={sources} {kind} bytes={bytes} sum={sum:?} options={options}\n"
        )
    }
}

/// The image, if there is a good one.
pub(super) fn read(folder: &Path, key: &Key<'_>) -> Option<Image> {
    if !owner::may_use(folder) {
        return None;
    }
    let (opened, found) = owner::open(&key.path(folder))?;
    // Nothing larger than kernels are.
    if found.len() > BYTES_MAX {
        return None;
    }
    let mut file = Vec::new();
    opened.take(BYTES_MAX).read_to_end(&mut file).ok()?;
    let end = file.iter().position(|byte| *byte == b'\n')? + 1;
    let (header, bytes) = file.split_at(end);
    let image = |kind| Image { kind, bytes: bytes.to_vec() };
    // The header that a good file would have, with this image.
    Kind::ALL.map(image).into_iter().find(|image| key.header(image).as_bytes() == header)
}

/// Keeps an image. If that fails it is compiled again next time.
pub(super) fn write(folder: &Path, key: &Key<'_>, image: &Image) {
    if let Err(error) = keep(folder, key, image) {
        tracing::warn!(
            "compiled kernels cannot be kept in {}, so each start compiles them: {error}; VIGIL_GPU_CACHE names another folder",
            folder.display()
        );
    }
}

fn keep(folder: &Path, key: &Key<'_>, image: &Image) -> io::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    owner::make_folder(folder)?;
    if !owner::may_use(folder) {
        return Ok(());
    }
    let path = key.path(folder);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("{}-{number}.new", std::process::id()));
    let written = owner::make_file(&new)
        .and_then(|mut file| file.write_all(key.header(image).as_bytes()).and_then(|()| file.write_all(&image.bytes)))
        .and_then(|()| std::fs::rename(&new, &path));
    match &written {
        Ok(()) => tidy(folder, &path),
        // It may not be there.
        Err(_) => drop(std::fs::remove_file(&new)),
    }
    written
}

/// Removes an image that the driver does not take.
pub(super) fn remove(folder: &Path, key: &Key<'_>) {
    // It is compiled again, whether it is there or not.
    let _ = std::fs::remove_file(key.path(folder));
}
