//! Which cards there are.

use super::backend::{Gpu, label};
use super::card::{Card, CardInfo, Fault};
use super::cuda;
use super::post::{SET_UP, within};
use super::wgpu::{self, Arithmetic, Kind};
use crate::backend::{Backend, BackendName, detect};
use crate::engine::metrics::record_card;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Time to look for cards of one kind.
const LOOK: Duration = Duration::from_secs(30);

/// A card that was found, or what was wrong with it.
#[derive(Debug)]
pub struct Found {
    /// Through what.
    pub name: BackendName,
    /// Its number among those of its kind.
    pub number: usize,
    /// What it is, where a driver told that much.
    pub info: Option<CardInfo>,
    /// The card, ready, or why it is not used.
    pub card: Result<Gpu, Fault>,
}

/// What the cards may take of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most memory for tables of keys, on each card, in bytes.
    pub table_bytes: u64,
    /// Most threads that give a card work.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { table_bytes: u64::MAX, threads: usize::MAX }
    }
}

static LIMITS: OnceLock<Limits> = OnceLock::new();

/// Limits what [`cards`] opens, which has not been called so far.
pub fn limit(limits: Limits) {
    let before = LIMITS.get_or_init(|| limits);
    if *before != limits || CARDS.get().is_some() {
        tracing::debug!("graphics cards were opened already, with {before:?}");
    }
}

static CARDS: OnceLock<Vec<Found>> = OnceLock::new();

/// The graphics cards of this machine, opened and tested at the first call, which takes seconds where kernels must be compiled.
/// Software that only plays a card is not among them.
pub fn cards() -> &'static [Found] {
    CARDS.get_or_init(|| {
        let kinds = [(BackendName::Cuda, cuda::open_all as Look), (BackendName::Wgpu, look_for_wgpu)];
        kinds.into_iter().flat_map(|(name, look)| found(name, look)).collect()
    })
}

/// How the cards are that [`cards`] has found, and those in `used`, which an engine was given. Nothing is opened.
pub fn states(used: &[&'static Gpu]) -> Vec<State> {
    let found = CARDS.get().map_or(&[][..], Vec::as_slice);
    let known: Vec<&Gpu> = found.iter().filter_map(|found| found.card.as_ref().ok()).collect();
    let others = used.iter().filter(|gpu| !known.iter().any(|known| std::ptr::eq(**gpu, *known)));
    let is_used = |gpu: &Gpu| used.iter().any(|used| std::ptr::eq(*used, gpu));
    let of_found = found.iter().filter_map(|found| match &found.card {
        Ok(gpu) => Some(State::of(gpu, is_used(gpu))),
        Err(Fault::Missing(_)) => None,
        Err(fault) => Some(State {
            label: found.label(),
            backend: found.name,
            why_not: Some(fault.to_string()),
            is_faulty: true,
            faults: 1,
        }),
    });
    of_found.chain(others.map(|gpu| State::of(gpu, true))).collect()
}

/// How a graphics card is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// As [`Gpu::label`].
    pub label: String,
    /// Through what.
    pub backend: BackendName,
    /// Why it is not used; `None` while it is.
    pub why_not: Option<String>,
    /// Whether that is a fault, and not a wish.
    pub is_faulty: bool,
    /// So far.
    pub faults: u32,
}

impl State {
    fn of(gpu: &Gpu, is_used: bool) -> Self {
        let fault = gpu.why_not().map(|fault| fault.to_string());
        let is_faulty = fault.is_some();
        let why_not =
            fault.or_else(|| (!is_used).then(|| "accel.backend names another, or it is used through CUDA".to_owned()));
        Self { label: gpu.label().to_owned(), backend: gpu.name(), why_not, is_faulty, faults: gpu.faults() }
    }
}

/// Tells the recorder of metrics of the cards that have been found.
pub(crate) fn tell_all() {
    for found in CARDS.get().into_iter().flatten() {
        found.tell();
    }
}

impl Found {
    fn label(&self) -> String {
        label(self.name, self.number, self.info.as_ref().map(|info| info.name.as_str()))
    }

    fn tell(&self) {
        match &self.card {
            Ok(gpu) => gpu.tell(),
            Err(Fault::Missing(_)) => {}
            Err(_) => record_card(&self.label(), false, 1),
        }
    }
}

/// Opens all cards of a kind.
type Look = fn() -> Vec<Result<Arc<dyn Card>, Fault>>;

fn look_for_wgpu() -> Vec<Result<Arc<dyn Card>, Fault>> {
    wgpu::open_all(Kind::Hardware, None)
}

/// The cards of a kind, in the order in which its driver names them, opened and tested at the same time.
pub(super) fn found(name: BackendName, look: Look) -> Vec<Found> {
    let limits = LIMITS.get().copied().unwrap_or_default();
    let cards = within(LOOK, move || Ok(look())).unwrap_or_else(|fault| vec![Err(fault)]);
    let open = |(number, card): (usize, Result<Arc<dyn Card>, Fault>)| {
        let info = card.as_ref().ok().map(|card| card.info().clone());
        let card = card.and_then(|card| Gpu::open_within(name, number, card, cpu(), SET_UP, limits));
        let found = Found { name, number, info, card };
        found.tell();
        found
    };
    at_once(cards.into_iter().enumerate().collect(), open)
}

/// What `work` makes of each, in their order: at the same time, as far as there are threads; if there is none, on this one.
fn at_once<A: Send, B: Send>(items: Vec<A>, work: impl Fn(A) -> B + Sync) -> Vec<B> {
    let others = items.len().saturating_sub(1);
    let (left, done) = (Mutex::new(items.into_iter().enumerate()), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take = || {
        while let Some((at, item)) = next() {
            let made = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, made));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..others {
            // Without it, those that there are have more to do.
            let _ = std::thread::Builder::new().name("gpu-found".to_owned()).spawn_scoped(scope, take);
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

/// What checks cards and takes over from them.
fn cpu() -> &'static dyn Backend {
    *detect().last().expect("there is always one")
}

/// What runs the kernels without a card. Slow: for tests alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandIn {
    /// CUDA's kernels as C++.
    CudaTwin,
    /// A Vulkan driver in software, with the quicker arithmetic that it has.
    Vulkan,
    /// The same with 32-bit integers alone.
    VulkanPlain,
}

/// One of them.
///
/// # Errors
/// [`Fault::Missing`] where it is not to be had, and what is wrong with it.
pub fn stand_in(which: StandIn) -> Result<Gpu, Fault> {
    match which {
        StandIn::CudaTwin => twin(),
        StandIn::Vulkan => software(None),
        StandIn::VulkanPlain => software(Some(Arithmetic::Plain)),
    }
}

#[cfg(all(feature = "host-twin", target_arch = "x86_64"))]
fn twin() -> Result<Gpu, Fault> {
    Gpu::open(BackendName::Cuda, super::twin::Twin::open(), cpu())
}

#[cfg(not(all(feature = "host-twin", target_arch = "x86_64")))]
fn twin() -> Result<Gpu, Fault> {
    Err(Fault::Missing("the host twin is built for tests on x86-64".to_owned()))
}

fn software(arithmetic: Option<Arithmetic>) -> Result<Gpu, Fault> {
    let mut cards = within(LOOK, move || Ok(wgpu::open_all(Kind::Software, arithmetic)))?;
    let card = cards.swap_remove(0)?;
    Gpu::open(BackendName::Wgpu, card, cpu())
}

#[cfg(test)]
mod tests;
