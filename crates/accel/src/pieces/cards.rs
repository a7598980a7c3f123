//! How fast the kernels of graphics cards are without copies, for the engine's bench.

pub use crate::gpu::rates::Step;
use crate::gpu::{Fault, Gpu};
use std::time::Duration;

/// A measurement takes about so long.
const ABOUT: Duration = Duration::from_millis(200);
/// Most repetitions.
const TIMES_MAX: f64 = 256.0;

/// How often a second a card does a step, `items` side by side: repeated until it has taken a while.
///
/// # Errors
/// The card's; [`Fault::Lies`] if an answer is wrong.
pub fn per_second(card: &Gpu, step: Step, items: usize) -> Result<f64, Fault> {
    let once = card.rate(step, items, 1)?;
    let times = (ABOUT.as_secs_f64() / once.1.as_secs_f64().max(1e-9)).clamp(1.0, TIMES_MAX) as u32;
    let (done, took) = if times > 1 { card.rate(step, items, times)? } else { once };
    Ok(done as f64 / took.as_secs_f64().max(1e-9))
}
