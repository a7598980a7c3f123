//! Where images are looked for, with a driver that takes or refuses them as the test says. NVRTC is not here, unless the loader
//! knows one: the tests of the fake driver have it.

use crate::gpu::card::Fault;
use crate::gpu::cuda::cache::{self, Key};
use crate::gpu::cuda::compile::{Compiler, Folders, Image, Kind, Target, shipped_path};
use crate::gpu::cuda::nvrtc::OPTIONS;
use crate::gpu::cuda::sources::Module;
use std::path::Path;

const TARGET: Target = Target { driver: 12_080, capability: (9, 0) };
const KEY: Key<'_> = Key { module: Module::Signers, target: TARGET, options: OPTIONS };

fn folders(root: &Path) -> Folders {
    Folders { cache: Some(root.join("cache")), shipped: vec![root.join("no such"), root.join("ptx")] }
}

fn ship(root: &Path, text: &str) {
    std::fs::create_dir_all(root.join("ptx")).expect("a folder");
    std::fs::write(shipped_path(&root.join("ptx"), Module::Signers), text).expect("written");
}

fn keep(root: &Path, bytes: &[u8]) {
    cache::write(&root.join("cache"), &KEY, &Image { kind: Kind::Cubin, bytes: bytes.to_vec() });
}

/// A driver that takes images that begin so.
fn takes(beginning: &'static str) -> impl Fn(&Image) -> Result<Vec<u8>, Fault> {
    move |image| match image.bytes.starts_with(beginning.as_bytes()) {
        true => Ok(image.bytes.clone()),
        false => Err(Fault::Driver("error 218".to_owned())),
    }
}

/// Of the module `signers`, without NVRTC.
fn find(root: &Path, beginning: &'static str) -> Result<(Vec<u8>, String), Fault> {
    Compiler::without_nvrtc(TARGET, folders(root)).module(Module::Signers, takes(beginning))
}

#[test]
fn the_cache_goes_first_then_what_was_shipped() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    ship(root, "good ptx");
    assert_eq!(find(root, "good"), Ok((b"good ptx".to_vec(), "shipped ptx".to_owned())));
    keep(root, b"good cubin");
    assert_eq!(find(root, "good"), Ok((b"good cubin".to_vec(), "cubin from the cache".to_owned())));
    // What the driver refuses is not kept.
    keep(root, b"bad cubin");
    assert_eq!(find(root, "good").map(|found| found.0), Ok(b"good ptx".to_vec()));
    assert_eq!(cache::read(&root.join("cache"), &KEY), None);
}

#[test]
fn what_is_lacking_is_said() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    let Err(Fault::Build { reason: words, .. }) = find(root, "good") else { panic!("nothing is there") };
    for part in ["no libnvrtc", "no PTX in", "install", "the CPU"] {
        assert!(words.contains(part), "{part} in: {words}");
    }
    keep(root, b"bad cubin");
    ship(root, "bad ptx");
    let Err(Fault::Build { kernel: "signers", reason }) = find(root, "good") else { panic!("nothing is good") };
    assert!(reason.contains("from the cache") && reason.contains("shipped: error 218"), "{reason}");
}

#[test]
fn versions_are_said_as_people_say_them() {
    let words = |driver| Target { driver, capability: (8, 6) }.to_string();
    assert_eq!(words(12_080), "CUDA driver 12.8, compute capability 8.6");
    assert_eq!(words(13_000), "CUDA driver 13.0, compute capability 8.6");
}
