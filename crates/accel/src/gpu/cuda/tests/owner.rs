//! Whose compiled kernels are taken.

use crate::gpu::cuda::cache::owner::objection;
use crate::gpu::cuda::cache::{Key, read, write};
use crate::gpu::cuda::compile::{Image, Kind, Target};
use crate::gpu::cuda::sources::Module;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

const TARGET: Target = Target { driver: 12_080, capability: (9, 0) };
const KEY: Key<'_> = Key { module: Module::Secp, target: TARGET, options: "-std=c++17" };

fn image() -> Image {
    Image { kind: Kind::Cubin, bytes: b"an image".to_vec() }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

#[test]
fn only_this_user_and_root_may_have_written() {
    let path = Path::new("/cache");
    for (owner, mode, user) in [(7, 0o700, 7), (7, 0o40_755, 7), (0, 0o755, 7), (0, 0o100_644, 0), (7, 0o1_444, 7)] {
        assert_eq!(objection(path, owner, mode, user), None, "{owner} {mode:o} {user}");
    }
    // Also root does not take what another user has: the home folder is his, if it was kept by `sudo`.
    for (owner, user) in [(7, 0), (7, 8), (8, 7)] {
        let words = objection(path, owner, 0o700, user).expect("not its own");
        let want = format!("/cache belongs to user {owner}, and this program runs as user {user}");
        assert!(words.contains(&want) && words.contains("VIGIL_GPU_CACHE"), "{words}");
    }
    for (owner, mode) in [(7, 0o720), (7, 0o702), (0, 0o1_777), (7, 0o100_664)] {
        let words = objection(path, owner, mode, 7).expect("others may write");
        assert!(words.contains("`chmod go-w /cache`") && words.contains("VIGIL_GPU_CACHE"), "{words}");
    }
}

#[test]
fn what_is_made_is_this_user_s_alone() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("a/b");
    write(&folder, &KEY, &image());
    assert_eq!([&root.path().join("a"), &folder].map(|folder| mode(folder)), [0o700; 2]);
    assert_eq!(mode(&KEY.path(&folder)), 0o600);
    assert_eq!(read(&folder, &KEY), Some(image()));
}

#[test]
fn a_folder_to_which_others_may_write_is_neither_read_nor_written() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, link) = (root.path().join("cache"), root.path().join("link"));
    write(&folder, &KEY, &image());
    symlink(&folder, &link).expect("a link");
    assert_eq!(read(&link, &KEY), Some(image()), "a link to a good one is good");
    for bad in [0o770, 0o707, 0o1_777] {
        set_mode(&folder, bad);
        let other = Key { module: Module::Keccak, ..KEY };
        for folder in [&folder, &link] {
            assert_eq!(read(folder, &KEY), None, "{bad:o}");
            write(folder, &other, &image());
        }
        assert_eq!((fs::read_dir(&folder).expect("there").count(), mode(&folder)), (1, bad));
    }
    set_mode(&folder, 0o755);
    assert_eq!(read(&folder, &KEY), Some(image()));
    if chown(&folder, Some(12_345), None).is_ok() {
        assert_eq!(read(&folder, &KEY), None, "another's");
    } else {
        eprintln!("skipped: only root gives a folder away");
    }
}

#[test]
fn a_file_to_which_others_may_write_is_not_read_and_is_replaced() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, path) = (root.path(), KEY.path(root.path()));
    for bad in [0o620, 0o602, 0o666] {
        write(folder, &KEY, &image());
        set_mode(&path, bad);
        assert_eq!(read(folder, &KEY), None, "{bad:o}");
        write(folder, &KEY, &image());
        assert_eq!((read(folder, &KEY), mode(&path)), (Some(image()), 0o600));
    }
    if chown(&path, Some(12_345), None).is_ok() {
        assert_eq!(read(folder, &KEY), None, "another's");
    } else {
        eprintln!("skipped: only root gives a file away");
    }
}

/// Who has a folder of his own can still put other things into it by mistake. Nothing is waited for.
#[test]
fn a_pipe_a_device_a_link_or_a_folder_is_no_image() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, path) = (root.path(), KEY.path(root.path()));
    let refused = |what: &str| {
        assert_eq!(read(folder, &KEY), None, "{what}");
        write(folder, &KEY, &image());
        assert_eq!(read(folder, &KEY), Some(image()), "{what} is replaced");
        fs::remove_file(&path).expect("there");
    };
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    refused("a pipe");
    symlink("/dev/zero", &path).expect("a link");
    refused("a link to a device");
    let elsewhere = folder.join("elsewhere");
    write(folder, &KEY, &image());
    fs::rename(&path, &elsewhere).expect("moved");
    symlink(&elsewhere, &path).expect("a link");
    refused("a link to an image");
    assert!(elsewhere.exists());
    fs::create_dir(&path).expect("a folder");
    assert_eq!(read(folder, &KEY), None, "a folder");
}
