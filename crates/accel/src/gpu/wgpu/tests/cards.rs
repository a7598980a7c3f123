//! The cards that tests run on.

use crate::gpu::card::{Card, CardInfo};
use crate::gpu::wgpu::device::Wgpu;
use crate::gpu::wgpu::open::{adapters, open};
use crate::gpu::wgpu::open_all;
use crate::gpu::wgpu::shaders::Arithmetic;
use std::sync::{Arc, LazyLock};
use wgpu::Features;

/// Every card, with each arithmetic that it has; opened once.
static CARDS: LazyLock<Vec<(Arc<Wgpu>, Arithmetic)>> = LazyLock::new(|| {
    let mut cards = vec![];
    for adapter in adapters().unwrap_or_default() {
        for arithmetic in [Arithmetic::Int64, Arithmetic::Plain] {
            if arithmetic == Arithmetic::Plain || adapter.features().contains(Features::SHADER_INT64) {
                let card = open(&adapter, arithmetic).unwrap_or_else(|fault| panic!("{arithmetic:?}: {fault}"));
                eprintln!("{:?}", card.info());
                cards.push((card, arithmetic));
            }
        }
    }
    cards
});

/// Runs a test on every card; says so if there is none, or fails if `VIGIL_REQUIRE_BACKENDS` names wgpu.
pub(super) fn on_all(test: impl Fn(&Arc<Wgpu>, Arithmetic)) {
    if CARDS.is_empty() {
        let required = std::env::var("VIGIL_REQUIRE_BACKENDS").unwrap_or_default();
        assert!(!required.split(',').any(|name| name.trim() == "wgpu"), "no Vulkan device, and wgpu is required");
        eprintln!("skipped: no Vulkan device");
    }
    for (card, arithmetic) in CARDS.iter() {
        test(card, *arithmetic);
    }
}

#[test]
fn every_card_opens_or_says_why_not() {
    for card in open_all(None) {
        match card {
            Ok(card) => {
                let CardInfo { name, buffer_bytes_max, items_max, .. } = card.info();
                assert!(!name.is_empty() && *buffer_bytes_max >= 128 << 20 && *items_max >= 4096);
            }
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
}
