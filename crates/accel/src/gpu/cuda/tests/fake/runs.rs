//! What goes wrong.

use super::child::{CARDS, COPY, FEW_PIECES, KEY, LIMIT};
use super::library::{LIBRARIES, Run, Said};
use crate::gpu::cuda::sources::Module;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Processes at once.
const TOGETHER: usize = 3;
/// Calls whose failure is no matter: all answers were given before.
const CLOSING: [&str; 7] = [
    "cuCtxSetCurrent",
    "cuMemFree_v2",
    "cuMemFreeHost",
    "cuEventDestroy_v2",
    "cuStreamDestroy_v2",
    "cuModuleUnload",
    "cuDevicePrimaryCtxRelease_v2",
];

fn idle() -> Run {
    Run::new(&[&LIBRARIES.folder("idle")])
}

fn working() -> Run {
    Run::new(&[&LIBRARIES.working()])
}

/// A process whose answers are right, and which ends.
#[track_caller]
fn done(said: &Said) {
    assert!(said.is_done, "{}", said.all);
}

#[track_caller]
fn fault(said: &Said, what: &str) {
    done(said);
    let fault = said.fault();
    assert!(fault.is_some_and(|fault| fault.contains(what)), "{what} in: {}", said.all);
}

/// Calls `at(n)` for numbers that are `step` apart, until it is false.
fn until_false(first: usize, step: usize, at: impl Fn(usize) -> bool + Sync) {
    let (next, ended) = (AtomicUsize::new(0), Mutex::new(false));
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while !*ended.lock().expect("no test failed") {
                    if !at(first + step * next.fetch_add(1, Ordering::Relaxed)) {
                        *ended.lock().expect("no test failed") = true;
                    }
                }
            });
        }
    });
}

#[test]
fn without_a_driver_that_can_be_loaded_there_is_no_card() {
    // What the machine has is used then, if it has one.
    done(&Run::new(&[&LIBRARIES.folder("none")]).said());
    fault(&Run::new(&[&LIBRARIES.folder("empty")]).said(), "Missing(\"no CUDA driver");
    fault(&Run::new(&[&LIBRARIES.folder("poor")]).said(), "Missing(\"the CUDA driver has no cu");
}

#[test]
fn a_driver_without_cards_or_of_a_toolkit_is_none() {
    let init = |code| idle().env("FAKE_CUDA_FAIL", 1).env("FAKE_CUDA_CODE", code).said();
    fault(&init(100), "Missing(\"the CUDA driver finds no card");
    fault(&init(34), "Missing(\"libcuda is a stub");
    // A code that no version has.
    fault(&init(87_654), "Driver(\"cuInit: error 87654");
}

#[test]
fn a_card_that_does_nothing_is_found_out() {
    fault(&idle().said(), "Lies(");
}

#[test]
fn a_card_that_works_is_used() {
    let said = working().said();
    done(&said);
    assert_eq!(said.fault(), None, "{}", said.all);
    for part in ["\"Fake\"", "\"CUDA driver 12.8, compute capability 9.0\"", "\"shipped ptx\"", "items_max: 8000"] {
        assert!(said.all.contains(part), "{part} in: {}", said.all);
    }
}

#[test]
fn copies_are_right_and_memory_in_use_is_not_freed() {
    let said = idle().env(KEY, COPY).said();
    done(&said);
}

#[test]
fn where_pinned_memory_is_short_a_lane_waits_for_its_own() {
    for mib in [3, 5, 9] {
        done(&idle().env(KEY, FEW_PIECES).env("FAKE_CUDA_PINNED", mib << 20).said());
    }
}

/// Lets every call fail, each in a process of its own. `or` are other calls whose failure may be no matter.
fn whichever_call_fails(run: impl Fn() -> Run + Sync, step: usize, or: &[&str]) {
    let failed = AtomicUsize::new(0);
    until_false(1, step, |call| {
        let said = run().env("FAKE_CUDA_FAIL", call).said();
        done(&said);
        let Some(wrong) = said.wrong_call() else { return false };
        let name = wrong.split([' ', ':', ',']).find(|word| word.starts_with("cu")).expect("a name");
        assert!(said.fault().is_some() || or.contains(&name) || CLOSING.contains(&name), "{}", said.all);
        failed.fetch_add(1, Ordering::Relaxed);
        true
    });
    let failed = failed.into_inner();
    eprintln!("{failed} calls failed");
    assert!(failed > 80 / step, "{failed} calls failed");
}

#[test]
fn whichever_call_of_an_idle_card_fails_all_is_well() {
    whichever_call_fails(idle, 1, &[]);
}

#[test]
fn whichever_call_of_a_working_card_fails_all_is_well() {
    let is_long = std::env::var_os("VIGIL_TEST_LONG").is_some();
    let step = if is_long { 1 } else { 7 };
    whichever_call_fails(working, step, &[]);
    // Without memory for a buffer that grows, a smaller one may do, and fewer pieces of pinned memory; else the card rests.
    let or = ["cuMemAlloc_v2", "cuMemHostAlloc"];
    whichever_call_fails(|| working().env("FAKE_CUDA_CODE", 2), if is_long { 1 } else { 13 }, &or);
}

#[test]
fn whichever_call_never_returns_the_caller_is_told_in_time() {
    let hang = |run: fn() -> Run, first, step| {
        until_false(first, step, |call| {
            let said = run().env("FAKE_CUDA_HANG", call).env(LIMIT, 1_500).said();
            done(&said);
            let Some(wrong) = said.wrong_call() else { return false };
            let name = wrong.split([' ', ':', ',']).find(|word| word.starts_with("cu")).expect("a name");
            assert!(
                said.fault().is_some_and(|fault| fault.contains("Late(")) || CLOSING.contains(&name),
                "{}",
                said.all
            );
            true
        });
    };
    hang(idle, 1, 9);
    hang(working, 100, 47);
}

#[test]
fn a_card_that_never_ends_its_work_is_left_alone() {
    for call in [1, 200] {
        fault(&working().env("FAKE_CUDA_STUCK", call).env(LIMIT, 1_500).said(), "Late(");
    }
}

fn with_compiler(nvrtc: &Path) -> Run {
    Run::new(&[&LIBRARIES.working(), nvrtc])
}

#[test]
fn kernels_are_compiled_once() {
    let nvrtc = LIBRARIES.folder("nvrtc");
    let mut run = with_compiler(&nvrtc).without_ptx();
    for origin in ["cubin from NVRTC", "cubin from the cache", "cubin from the cache"] {
        let said = run.said();
        done(&said);
        assert!(said.all.contains(origin) && said.fault().is_none(), "{origin}: {}", said.all);
    }
    let mut run = with_compiler(&nvrtc).without_ptx().env("FAKE_NVRTC_OLD", 1);
    for origin in ["ptx from NVRTC", "ptx from the cache"] {
        assert!(run.said().all.contains(origin));
    }
    // The driver refuses what is in the cache: the first image that it loads.
    let refused = run.env("FAKE_CUDA_FAIL", 17).env("FAKE_CUDA_CODE", 218).said();
    done(&refused);
    assert!(refused.all.contains("ptx from NVRTC, ptx from the cache"), "{}", refused.all);
}

#[test]
fn cards_of_one_kind_are_opened_together_and_compiled_for_once() {
    // A module takes five calls to the compiler: there are no more.
    let more = 5 * Module::ALL.len() + 1;
    let nvrtc = LIBRARIES.folder("nvrtc");
    let cards = with_compiler(&nvrtc).without_ptx().env(KEY, CARDS).env("FAKE_CUDA_CARDS", 3);
    let said = cards.env("FAKE_NVRTC_FAIL", more).said();
    done(&said);
    assert_eq!((said.fault(), said.wrong_call()), (None, None), "{}", said.all);
    for card in ["card: cuda 0: Fake", "card: cuda 1: Fake", "card: cuda 2: Fake"] {
        assert!(said.all.contains(card), "{}", said.all);
    }
}

#[test]
fn whichever_call_to_the_compiler_fails_all_is_well() {
    let nvrtc = LIBRARIES.folder("nvrtc");
    until_false(1, 1, |call| {
        let said = with_compiler(&nvrtc).env("FAKE_NVRTC_FAIL", call).said();
        done(&said);
        assert_eq!(said.fault(), None, "there is PTX: {}", said.all);
        let said = with_compiler(&nvrtc).env("FAKE_NVRTC_FAIL", call).without_ptx().said();
        done(&said);
        let Some(wrong) = said.wrong_call() else { return false };
        let is_told = said.fault().is_some_and(|fault| fault.contains("Build {") && fault.contains("NVRTC: error 6"));
        assert!(is_told || wrong.contains("nvrtcDestroyProgram"), "{}", said.all);
        true
    });
}

/// Where `scripts/cuda-check.sh` keeps the real compiler.
fn real_compiler() -> PathBuf {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = || var("XDG_CACHE_HOME").or_else(|| Some(var("HOME")?.join(".cache"))).unwrap_or_default();
    var("VIGIL_CUDA_ROOT").unwrap_or_else(|| cache().join("vigil/cuda")).join("13/nvidia/cu13/lib")
}

#[test]
fn the_real_compiler_compiles_all() {
    let nvrtc = real_compiler();
    if !nvrtc.join("libnvrtc.so.13").exists() {
        assert!(std::env::var_os("VIGIL_REQUIRE_NVRTC").is_none(), "no NVRTC in {}", nvrtc.display());
        eprintln!("skipped: no NVRTC in {}; scripts/cuda-check.sh fetches it", nvrtc.display());
        return;
    }
    let mut run = with_compiler(&nvrtc).without_ptx();
    for origin in ["cubin from NVRTC", "cubin from the cache"] {
        let said = run.said();
        done(&said);
        assert!(said.all.contains(origin) && said.fault().is_none(), "{origin}: {}", said.all);
    }
    let kept = run.kept();
    assert_eq!(kept.len(), Module::ALL.len(), "a file a module");
    for file in kept {
        let image = &file[file.iter().position(|byte| *byte == b'\n').expect("a header") + 1..];
        assert!(image.starts_with(b"\x7fELF"), "an object of machine code");
    }
}
