//! Which cards there are.

use super::backend::Gpu;
use super::card::{Card, Fault};
use super::cuda;
use super::post::within;
use super::wgpu::{self, Arithmetic};
use crate::backend::{Backend, BackendName, detect};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Time to look for cards of one kind.
const LOOK: Duration = Duration::from_secs(30);

/// A card that was found, or what was wrong with it.
#[derive(Debug)]
pub struct Found {
    /// Through what.
    pub name: BackendName,
    /// The card, ready, or why it is not used.
    pub card: Result<Gpu, Fault>,
}

/// The graphics cards of this machine, opened and tested at the first call, which takes seconds where kernels must be compiled.
/// Software that only plays a card is not among them.
pub fn cards() -> &'static [Found] {
    static CARDS: OnceLock<Vec<Found>> = OnceLock::new();
    CARDS.get_or_init(|| {
        let kinds = [(BackendName::Cuda, cuda::open_all as Look), (BackendName::Wgpu, look_for_wgpu)];
        kinds.into_iter().flat_map(|(name, look)| found(name, look)).collect()
    })
}

/// Opens all cards of a kind.
type Look = fn() -> Vec<Result<Arc<dyn Card>, Fault>>;

fn look_for_wgpu() -> Vec<Result<Arc<dyn Card>, Fault>> {
    wgpu::open_all(None)
}

fn found(name: BackendName, look: Look) -> Vec<Found> {
    let cards = within(LOOK, move || Ok(look())).unwrap_or_else(|fault| vec![Err(fault)]);
    let hardware = cards.into_iter().filter(|card| card.as_ref().map_or(true, |card| !card.info().software));
    hardware.map(|card| Found { name, card: card.and_then(|card| Gpu::open(name, card, cpu())) }).collect()
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
    let cards = within(LOOK, move || Ok(wgpu::open_all(arithmetic)))?;
    let software = cards.into_iter().filter_map(Result::ok).find(|card| card.info().software);
    let card = software.ok_or_else(|| Fault::Missing("no Vulkan driver in software (Mesa's lavapipe)".to_owned()))?;
    Gpu::open(BackendName::Wgpu, card, cpu())
}
