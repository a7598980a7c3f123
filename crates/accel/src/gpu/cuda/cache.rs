//! Compiled kernels in files, so that they are compiled once on a machine.
//!
//! A file is a line that says what it is for, with a checksum of all that follows, and the image. Whatever is wrong with a file,
//! it is as if it were not there. Files are written under another name and renamed: two processes do not meet.

use super::compile::{Image, Kind, Target};
use super::sources::{self, Module};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

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
    let path = key.path(folder);
    // Whatever lies there: no device, no pipe, nothing larger than kernels are.
    if !std::fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= BYTES_MAX) {
        return None;
    }
    let mut file = Vec::new();
    std::fs::File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut file).ok()?;
    let end = file.iter().position(|byte| *byte == b'\n')? + 1;
    let (header, bytes) = file.split_at(end);
    let image = |kind| Image { kind, bytes: bytes.to_vec() };
    // The header that a good file would have, with this image.
    Kind::ALL.map(image).into_iter().find(|image| key.header(image).as_bytes() == header)
}

/// Keeps an image. If that fails it is compiled again next time.
pub(super) fn write(folder: &Path, key: &Key<'_>, image: &Image) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let path = key.path(folder);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("{}-{number}.new", std::process::id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::File::create_new(&new))
        .and_then(|mut file| file.write_all(key.header(image).as_bytes()).and_then(|()| file.write_all(&image.bytes)))
        .and_then(|()| std::fs::rename(&new, &path));
    if let Err(error) = written {
        tracing::warn!(
            "compiled kernels cannot be kept in {}, so each start compiles them: {error}; VIGIL_GPU_CACHE names another folder",
            folder.display()
        );
        // It may not be there.
        let _ = std::fs::remove_file(&new);
    }
}

/// Removes an image that the driver does not take.
pub(super) fn remove(folder: &Path, key: &Key<'_>) {
    // It is compiled again, whether it is there or not.
    let _ = std::fs::remove_file(key.path(folder));
}
