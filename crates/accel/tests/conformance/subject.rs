//! Which backends run.

use std::cell::Cell;
use std::io::Write;
use std::sync::OnceLock;
use vigil_accel::gpu::{self, Fault, Gpu, StandIn};
use vigil_accel::{Backend, BackendName, detect};
use vigil_testkit::vectors;

/// Most items of a family for what stands in for a card.
const SLOW_ITEMS: usize = 1_000;

/// What the suite runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// As `VIGIL_REQUIRE_BACKENDS` has it.
    name: &'static str,
    find: fn() -> Found,
    /// It stands in for a card, in software.
    is_slow: bool,
}

/// All backends of the name that are ready, with what they are called; or why there is none.
type Found = Result<Vec<(&'static str, &'static dyn Backend)>, String>;

impl Subject {
    pub(crate) const PORTABLE: Self = Self::here("portable", || cpu(BackendName::Portable));
    pub(crate) const NEON: Self = Self::here("neon", || cpu(BackendName::Neon));
    pub(crate) const AVX2: Self = Self::here("avx2", || cpu(BackendName::Avx2));
    pub(crate) const AVX512IFMA: Self = Self::here("avx512ifma", || cpu(BackendName::Avx512Ifma));
    /// The cards of this machine that are ready, one after the other.
    pub(crate) const CUDA: Self = Self::here("cuda", || cards(BackendName::Cuda));
    pub(crate) const WGPU: Self = Self::here("wgpu", || cards(BackendName::Wgpu));
    /// The kernels as C++.
    pub(crate) const CUDA_TWIN: Self = Self::slow("cuda-twin", || stand_in(StandIn::CudaTwin));
    /// A driver in software.
    pub(crate) const WGPU_SOFTWARE: Self = Self::slow("wgpu-software", || stand_in(StandIn::Vulkan));
    /// The same without 64-bit integers.
    pub(crate) const WGPU_PLAIN: Self = Self::slow("wgpu-plain", || stand_in(StandIn::VulkanPlain));

    const ALL: [Self; 9] = [
        Self::PORTABLE,
        Self::NEON,
        Self::AVX2,
        Self::AVX512IFMA,
        Self::CUDA,
        Self::CUDA_TWIN,
        Self::WGPU,
        Self::WGPU_SOFTWARE,
        Self::WGPU_PLAIN,
    ];

    const fn here(name: &'static str, find: fn() -> Found) -> Self {
        Self { name, find, is_slow: false }
    }

    const fn slow(name: &'static str, find: fn() -> Found) -> Self {
        Self { name, find, is_slow: true }
    }
}

fn cpu(name: BackendName) -> Found {
    let found = detect().into_iter().find(|backend| backend.name() == name);
    found.map(|backend| vec![(name.as_str(), backend)]).ok_or_else(|| "not here".to_owned())
}

fn cards(name: BackendName) -> Found {
    let of_kind = || gpu::cards().iter().filter(|found| found.name == name);
    let ready: Vec<_> = of_kind().filter_map(|found| found.card.as_ref().ok()).map(named).collect();
    if !ready.is_empty() {
        return Ok(ready);
    }
    Err(of_kind().find_map(|found| found.card.as_ref().err()).map_or("not here".to_owned(), ToString::to_string))
}

fn named(gpu: &'static Gpu) -> (&'static str, &'static dyn Backend) {
    (gpu.label(), gpu)
}

/// Opened once: opening compiles kernels.
fn stand_in(which: StandIn) -> Found {
    static OPEN: [OnceLock<Result<Gpu, Fault>>; 3] = [const { OnceLock::new() }; 3];
    let opened = OPEN[which as usize].get_or_init(|| gpu::stand_in(which));
    opened.as_ref().map(|gpu| vec![named(gpu)]).map_err(ToString::to_string)
}

thread_local! {
    static SLOW: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's subject stands in for a card, in software: families are then smaller.
pub(crate) fn is_slow() -> bool {
    SLOW.get()
}

/// `count` items, or as many as this thread's subject and `VIGIL_TEST_ITEMS_MAX` allow.
pub(crate) fn at_most(count: usize) -> usize {
    vectors::items_at_most(if is_slow() { count.min(SLOW_ITEMS) } else { count })
}

/// The step with which long rows of cases are walked: `step` in the small tier for what stands in for a card, else 1.
pub(crate) fn one_in(step: usize) -> usize {
    if is_slow() && !vectors::long() { step } else { 1 }
}

/// The names in `VIGIL_REQUIRE_BACKENDS`.
pub(crate) fn required() -> Vec<String> {
    let names = std::env::var("VIGIL_REQUIRE_BACKENDS").unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether this machine has a backend of this name.
pub(crate) fn has(name: &str) -> bool {
    Subject::ALL.iter().any(|subject| subject.name == name && (subject.find)().is_ok())
}

/// Runs a family on the backends of a subject, if there are any. A card must still be trusted in the end.
pub(crate) fn on(subject: Subject, family: fn(&dyn Backend)) {
    let name = subject.name;
    let backends = match (subject.find)() {
        Ok(backends) => backends,
        Err(why) => {
            assert!(!required().iter().any(|required| required == name), "VIGIL_REQUIRE_BACKENDS names {name}: {why}");
            eprintln!("skipped: no {name}: {why}");
            return;
        }
    };
    SLOW.set(subject.is_slow);
    for (label, backend) in backends {
        eprintln!("on {label}");
        family(backend);
        assert_eq!(backend.distrusted(), None, "{label}: the host program caught it");
    }
}

/// Past the capture of the test harness, once for each subject: what is judged, or why nothing is.
pub(crate) fn say_who_is_judged(subject: Subject) {
    let name = subject.name;
    let said = match (subject.find)() {
        Ok(backends) => format!("{name}: {}", backends.iter().map(|(label, _)| *label).collect::<Vec<_>>().join("; ")),
        Err(why) => format!("skipped: no {name}: {why}"),
    };
    let _ = writeln!(std::io::stderr(), "{said}");
    on(subject, |backend| assert!(BackendName::ALL.contains(&backend.name())));
}
