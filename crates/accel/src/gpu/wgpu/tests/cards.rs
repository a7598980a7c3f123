//! The cards that tests run on.

use crate::gpu::card::{Card, CardInfo, Fault};
use crate::gpu::wgpu::device::Wgpu;
use crate::gpu::wgpu::open::{adapters, open};
use crate::gpu::wgpu::shaders::Arithmetic;
use crate::gpu::wgpu::{Kind, open_all};
use std::process::Command;
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

/// Runs a test on every card; says so if there is none, or fails if `VIGIL_REQUIRE_BACKENDS` names one.
pub(super) fn on_all(test: impl Fn(&Arc<Wgpu>, Arithmetic)) {
    if CARDS.is_empty() {
        let required = std::env::var("VIGIL_REQUIRE_BACKENDS").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name.trim().starts_with("wgpu")),
            "no Vulkan device, and {required} are required"
        );
        eprintln!("skipped: no Vulkan device");
    }
    for (card, arithmetic) in CARDS.iter() {
        test(card, *arithmetic);
    }
}

/// Also run by the tests below, in processes with other environments.
#[test]
fn every_card_opens_or_says_why_not() {
    let plain = std::env::var("VIGIL_WGPU_INT64").is_ok_and(|value| value == "0");
    let kinds = [Kind::Hardware, Kind::Software].map(|kind| (kind, open_all(kind, None)));
    assert!(kinds.iter().all(|(_, cards)| !cards.is_empty()));
    for (kind, card) in kinds.iter().flat_map(|(kind, cards)| cards.iter().flatten().map(move |card| (*kind, card))) {
        assert_eq!(card.info().software, kind == Kind::Software);
    }
    let cards: Vec<_> = kinds.into_iter().flat_map(|(_, cards)| cards).collect();
    assert!(std::env::var_os(NO_DRIVER).is_none() || cards.iter().all(|card| matches!(card, Err(Fault::Missing(_)))));
    for card in cards {
        match card {
            Ok(card) => {
                let CardInfo { name, driver, buffer_bytes_max, items_max, .. } = card.info();
                assert!(!name.is_empty() && *buffer_bytes_max >= 128 << 20 && *items_max >= 4096);
                assert!(
                    !plain || driver.ends_with(": 32-bit integers (64-bit ones: turned off by VIGIL_WGPU_INT64=0)"),
                    "{driver}"
                );
            }
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
}

/// Says to the test above that no card can be there.
const NO_DRIVER: &str = "VIGIL_TEST_NO_DRIVER";

fn opens_where(environment: &[(&str, &str)]) {
    let program = std::env::current_exe().expect("this program");
    let test = "gpu::wgpu::tests::cards::every_card_opens_or_says_why_not";
    let run = Command::new(program).args(["--exact", test]).envs(environment.iter().copied()).output().expect("runs");
    let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(run.status.success() && said.contains("1 passed"), "{environment:?}: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_drivers_opening_says_so() {
    opens_where(&[("VK_DRIVER_FILES", "/nowhere"), ("VK_ICD_FILENAMES", "/nowhere"), (NO_DRIVER, "1")]);
}

#[test]
fn the_environment_forces_plain_arithmetic() {
    opens_where(&[("VIGIL_WGPU_INT64", "0")]);
}
