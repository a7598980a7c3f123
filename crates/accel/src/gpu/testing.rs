//! What stands in for cards in tests.

use super::card::Card;
use super::wgpu::{self, Arithmetic, Kind};
use std::sync::Arc;

/// What stands in for cards here: the host twin where it is built, drivers in software in both arithmetics.
pub(crate) fn cards() -> Vec<Arc<dyn Card>> {
    let mut cards: Vec<Arc<dyn Card>> = Vec::new();
    #[cfg(all(feature = "host-twin", target_arch = "x86_64"))]
    cards.extend([super::twin::Twin::open() as Arc<dyn Card>, super::twin::Twin::with_launches_of(1_024)]);
    for arithmetic in [Arithmetic::Int64, Arithmetic::Plain] {
        cards.extend(wgpu::open_all(Kind::Software, Some(arithmetic)).into_iter().filter_map(Result::ok));
    }
    cards
}
