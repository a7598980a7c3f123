//! `vigil-bench engine` on machines whose graphics cards, drivers or loaders are no good: the processor is measured all the same,
//! and who asks for a card is told why there is none.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A Vulkan loader without a driver, in whatever environment else.
fn engine(folder: &TempDir, more: &[(&str, &str)], flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigil-bench"));
    command.arg("engine").args(flags).args(["--quick", "--ops", "keccak256"]);
    command.env("VK_DRIVER_FILES", "/nonexistent.json").env("VK_ICD_FILENAMES", "/nonexistent.json");
    command.env("LD_LIBRARY_PATH", folder.path()).env("VIGIL_PTX_DIR", "/nonexistent");
    command.env("VIGIL_GPU_CACHE", folder.path().join("cache"));
    command.envs(more.iter().copied()).output().expect("runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Libraries in the place of CUDA's: one card whose kernels do nothing.
fn fake_cuda() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/accel/tests/fake_cuda");
    for (source, library, plain) in
        [("libcuda.c", "libcuda.so.1", "libcuda.so"), ("libnvrtc.c", "libnvrtc.so.12", "libnvrtc.so")]
    {
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-O1", "-shared", "-fPIC", "-pthread", "-o"]).arg(folder.path().join(library));
        let made = cc.arg(sources.join(source)).output().unwrap_or_else(|why| panic!("{why}: the tests need cc"));
        assert!(made.status.success(), "{made:?}");
        std::os::unix::fs::symlink(library, folder.path().join(plain)).expect("linked");
    }
    folder
}

/// The processor's rows are there, no card's.
fn measures_the_processor(folder: &TempDir, more: &[(&str, &str)]) {
    let output = engine(folder, more, &["--backends", "all"]);
    assert_eq!(output.status.code(), Some(0), "{more:?}: {}", stderr(&output));
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let has = |name: &str| record["rows"].as_array().expect("rows").iter().any(|row| row["backend"] == name);
    assert!(has("portable") && has("engine") && !has("cuda") && !has("wgpu"), "{more:?}: {record}");
    assert!(record["machine"].get("cards").is_none(), "{more:?}: {record}");
}

fn is_refused(folder: &TempDir, more: &[(&str, &str)], name: &str) -> String {
    let output = engine(folder, more, &["--backends", name]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{more:?}: {said}");
    assert!(said.contains(&format!("vigil-bench: this machine has no {name}: ")), "{more:?}: {said}");
    assert!(output.stdout.is_empty() && !said.contains("panicked"), "{more:?}: {said}");
    said
}

#[test]
fn without_a_card_the_processor_is_measured() {
    let folder = fake_cuda();
    let none = [("FAKE_CUDA_FAIL", "1"), ("FAKE_CUDA_CODE", "100")];
    measures_the_processor(&folder, &none);
    assert!(is_refused(&folder, &none, "cuda").contains("finds no card"));
}

#[test]
fn a_vulkan_loader_without_a_device_has_no_card() {
    let empty = tempfile::tempdir().expect("a folder");
    for name in ["wgpu", "wgpu-software"] {
        is_refused(&empty, &[], name);
    }
}

#[test]
fn a_cuda_driver_that_fails_leaves_the_processor() {
    let folder = fake_cuda();
    let fails: [&[(&str, &str)]; 3] = [&[("FAKE_CUDA_FAIL", "1")], &[("FAKE_CUDA_FAIL", "9")], &[]];
    fails.into_iter().for_each(|more| measures_the_processor(&folder, more));
}

/// Each call in a process of its own, until none is left to fail.
#[test]
fn whichever_call_of_the_driver_fails_the_error_is_clean() {
    let folder = fake_cuda();
    let failed = (1_usize..).take_while(|call| {
        let said = is_refused(&folder, &[("FAKE_CUDA_FAIL", &call.to_string())], "cuda");
        said.contains(&format!("fake driver: call {call},"))
    });
    let failed = failed.count();
    eprintln!("{failed} calls failed");
    assert!(failed > 40, "{failed}");
}
