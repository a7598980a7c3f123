//! Whose the folder of compiled kernels is. What it holds is run on cards, and the checksum in a file is no secret: nobody but
//! this user and root may write there.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Whether the folder may be used; the log says once why not. One that is not there may be made.
pub(super) fn may_use(folder: &Path) -> bool {
    // Through links: who wrote the link is asked of the folder that it leads to.
    std::fs::metadata(folder).map_or(true, |found| is_ours(folder, &found))
}

/// Opens a file to be read, if it is one, and nobody else's; no device is touched, no pipe waited for.
pub(super) fn open(path: &Path) -> Option<(File, Metadata)> {
    let file = open_plain(path).ok()?;
    // Of what is open, not of what lies there by now.
    let found = file.metadata().ok()?;
    (found.is_file() && is_ours(path, &found)).then_some((file, found))
}

/// Makes the folder, for this user alone, and those that it lies in.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Makes a file that is not there yet, for this user alone.
pub(super) fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

fn open_plain(path: &Path) -> io::Result<File> {
    use nix::fcntl::OFlag;
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

fn is_ours(path: &Path, found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let objection = objection(path, found.uid(), found.mode(), nix::unistd::geteuid().as_raw());
    if let Some(objection) = &objection {
        static TOLD: std::sync::Once = std::sync::Once::new();
        TOLD.call_once(|| {
            tracing::warn!(
                "compiled kernels are only kept where nobody else may write, so they are compiled again: {objection}"
            );
        });
    }
    objection.is_none()
}

/// What is wrong with what belongs to `owner` and has this mode, for a program of `user`, and what to do.
pub(in crate::gpu::cuda) fn objection(path: &Path, owner: u32, mode: u32, user: u32) -> Option<String> {
    let path = path.display();
    if owner != user && owner != 0 {
        return Some(format!(
            "{path} belongs to user {owner}, and this program runs as user {user}; VIGIL_GPU_CACHE names another folder"
        ));
    }
    let others_write = mode & 0o022 != 0;
    others_write.then(|| {
        format!("others than its owner may write to {path}; `chmod go-w {path}` ends that, or VIGIL_GPU_CACHE names another folder")
    })
}
