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
}

type Found = Result<&'static dyn Backend, String>;

impl Subject {
    pub(crate) const PORTABLE: Self = Self { name: "portable", find: || cpu(BackendName::Portable) };
    pub(crate) const NEON: Self = Self { name: "neon", find: || cpu(BackendName::Neon) };
    pub(crate) const AVX2: Self = Self { name: "avx2", find: || cpu(BackendName::Avx2) };
    pub(crate) const AVX512IFMA: Self = Self { name: "avx512ifma", find: || cpu(BackendName::Avx512Ifma) };
    /// Of this machine, all of them.
    pub(crate) const CUDA: Self = Self { name: "cuda", find: || card(BackendName::Cuda) };
    /// The kernels as C++.
    pub(crate) const CUDA_TWIN: Self = Self { name: "cuda-twin", find: || stand_in(StandIn::CudaTwin) };
    /// A card of this machine, or a driver in software.
    pub(crate) const WGPU: Self =
        Self { name: "wgpu", find: || card(BackendName::Wgpu).or_else(|_| stand_in(StandIn::Vulkan)) };
    /// The driver in software, without 64-bit integers.
    pub(crate) const WGPU_PLAIN: Self = Self { name: "wgpu-plain", find: || stand_in(StandIn::VulkanPlain) };

    const ALL: [Self; 8] = [
        Self::PORTABLE,
        Self::NEON,
        Self::AVX2,
        Self::AVX512IFMA,
        Self::CUDA,
        Self::CUDA_TWIN,
        Self::WGPU,
        Self::WGPU_PLAIN,
    ];
}

fn cpu(name: BackendName) -> Found {
    detect().into_iter().find(|backend| backend.name() == name).ok_or_else(|| "not here".to_owned())
}

fn card(name: BackendName) -> Found {
    let mut of_kind = gpu::cards().iter().filter(|found| found.name == name);
    match of_kind.find_map(|found| found.card.as_ref().ok()) {
        Some(card) => Ok(card),
        None => Err(gpu::cards().iter().find(|found| found.name == name).map_or_else(
            || "not here".to_owned(),
            |found| found.card.as_ref().err().map(ToString::to_string).unwrap_or_default(),
        )),
    }
}

/// Opened once: opening compiles kernels.
fn stand_in(which: StandIn) -> Found {
    static OPEN: [OnceLock<Result<Gpu, Fault>>; 3] = [const { OnceLock::new() }; 3];
    SLOW.set(true);
    let opened = OPEN[which as usize].get_or_init(|| gpu::stand_in(which));
    opened.as_ref().map(|gpu| gpu as &dyn Backend).map_err(ToString::to_string)
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

/// Runs a family on a backend, if it is here. A card must still be trusted in the end.
pub(crate) fn on(subject: Subject, family: fn(&dyn Backend)) {
    let backend = match (subject.find)() {
        Ok(backend) => backend,
        Err(why) => {
            let name = subject.name;
            assert!(!required().iter().any(|required| required == name), "VIGIL_REQUIRE_BACKENDS names {name}: {why}");
            eprintln!("skipped: no {name}: {why}");
            return;
        }
    };
    family(backend);
    assert_eq!(backend.distrusted(), None, "{}: the host program caught it", subject.name);
}

/// Past the capture of the test harness, once for each backend.
pub(crate) fn say_if_missing(subject: Subject) {
    if let Err(why) = (subject.find)() {
        let _ = writeln!(std::io::stderr(), "skipped: no {}: {why}", subject.name);
    }
    on(subject, |backend| assert!(BackendName::ALL.contains(&backend.name())));
}
