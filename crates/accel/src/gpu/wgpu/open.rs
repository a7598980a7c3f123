//! Finding cards.

use super::device::{Wgpu, guarded};
use super::pipelines::Pipelines;
use super::shaders::Arithmetic;
use super::trial;
use crate::gpu::card::{Card, CardInfo, Fault};
use std::sync::Arc;
use wgpu::{
    Adapter, AdapterInfo, Backends, DeviceDescriptor, DeviceType, Features, Instance, InstanceDescriptor,
    InstanceFlags, Limits, MemoryHints,
};

/// The interfaces that are asked, the first one first: a card that answers to one is not asked through the next.
const BACKENDS: [Backends; 3] = [Backends::VULKAN, Backends::METAL, Backends::DX12];
/// Most items of a launch, so that it takes milliseconds: more on cards with memory of their own.
const ITEMS_MAX: usize = 4_096;
const ITEMS_MAX_DISCRETE: usize = 16_384;
/// A sixth as many rounds of loops at most.
const STEPS_MAX: usize = 250_000;
/// If this is 0, 64-bit integers are not used.
const INT64: &str = "VIGIL_WGPU_INT64";

/// What is opened. The other kind is not touched: trouble with a driver in software says nothing of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Graphics cards.
    Hardware,
    /// Programs on the CPU that play one.
    Software,
}

/// Opens all of a kind, with this arithmetic or the best; what cannot be opened says why. Never empty.
pub(crate) fn open_all(kind: Kind, arithmetic: Option<Arithmetic>) -> Vec<Result<Arc<dyn Card>, Fault>> {
    let turned_off = not_asked_for(arithmetic, std::env::var(INT64).is_ok_and(|value| value == "0"));
    let adapters = match adapters() {
        Ok(adapters) => adapters,
        Err(fault) => return vec![Err(fault)],
    };
    let is_meant = |adapter: &&Adapter| is_software(&adapter.get_info()) == (kind == Kind::Software);
    let cards: Vec<_> = adapters.iter().filter(is_meant).map(|adapter| open_best(adapter, turned_off)).collect();
    let none = match kind {
        Kind::Hardware => "no Vulkan, Metal or Direct3D 12 device",
        Kind::Software => "no Vulkan driver in software (Mesa's lavapipe)",
    };
    if cards.is_empty() { vec![Err(Fault::Missing(none.to_owned()))] } else { cards }
}

/// The adapters of all interfaces, each card once.
pub(super) fn adapters() -> Result<Vec<Adapter>, Fault> {
    guarded(|| {
        let backends = BACKENDS.into_iter().collect();
        let flags = InstanceFlags::empty();
        let new = InstanceDescriptor { backends, flags, ..InstanceDescriptor::new_without_display_handle() };
        let instance = Instance::new(new);
        let mut found: Vec<Adapter> = vec![];
        for backend in BACKENDS {
            let adapters = pollster::block_on(instance.enumerate_adapters(backend));
            let others = found.len();
            for adapter in adapters {
                let info = adapter.get_info();
                let is_known = |(at, known): (usize, &Adapter)| is_same(&known.get_info(), &info, at >= others);
                if !found.iter().enumerate().any(is_known) {
                    found.push(adapter);
                }
            }
        }
        Ok(found)
    })
}

/// Whether two adapters are one card: of two interfaces, or two drivers' of one, which has many cards of a name.
fn is_same(a: &AdapterInfo, b: &AdapterInfo, one_interface: bool) -> bool {
    match [a, b].map(|info| info.device_pci_bus_id.as_str()) {
        ["", _] | [_, ""] => !one_interface && ((a.vendor, a.device) == (b.vendor, b.device) || a.name == b.name),
        [a, b] => a == b,
    }
}

fn is_software(info: &AdapterInfo) -> bool {
    info.device_type == DeviceType::Cpu
}

/// Why 64-bit integers are not even tried, if they are not.
fn not_asked_for(arithmetic: Option<Arithmetic>, turned_off: bool) -> Option<&'static str> {
    match arithmetic {
        Some(Arithmetic::Int64) => None,
        Some(Arithmetic::Plain) => Some("not asked for"),
        None => turned_off.then_some("turned off by VIGIL_WGPU_INT64=0"),
    }
}

/// Opens a card with the quicker arithmetic of which it is a master; [`CardInfo::driver`] says why it is the slower one.
fn open_best(adapter: &Adapter, turned_off: Option<&str>) -> Result<Arc<dyn Card>, Fault> {
    let mut fault = None;
    if turned_off.is_none() && adapter.features().contains(Features::SHADER_INT64) {
        match open(adapter, Arithmetic::Int64) {
            Ok(card) => return Ok(card),
            Err(why) => fault = Some(why.to_string()),
        }
    }
    let card = open_for(adapter, Arithmetic::Plain, Some(&why_plain(turned_off, fault.as_deref())))?;
    if let Some(fault) = fault {
        tracing::warn!("{}: 64-bit integers fail, and 32-bit ones take longer: {fault}", card.info.name);
    }
    Ok(card)
}

/// Why a card does without 64-bit integers: on one line, as it is part of what the card is called.
fn why_plain(turned_off: Option<&str>, fault: Option<&str>) -> String {
    match (turned_off, fault) {
        (Some(why), _) => format!("64-bit ones: {why}"),
        (None, Some(fault)) => format!("64-bit ones fail: {}", fault.lines().next().unwrap_or_default()),
        (None, None) => "64-bit ones: the driver has none".to_owned(),
    }
}

/// Opens a card with this arithmetic.
///
/// # Errors
/// [`Fault::Missing`] if it lacks something, [`Fault::Lies`] if it miscalculates, and the driver's.
pub(super) fn open(adapter: &Adapter, arithmetic: Arithmetic) -> Result<Arc<Wgpu>, Fault> {
    open_for(adapter, arithmetic, None)
}

/// As [`open`], with a reason for this arithmetic.
fn open_for(adapter: &Adapter, arithmetic: Arithmetic, why: Option<&str>) -> Result<Arc<Wgpu>, Fault> {
    guarded(|| {
        let info = adapter.get_info();
        let limits = limits(&adapter.limits()).map_err(|what| Fault::Missing(format!("{}: {what}", info.name)))?;
        let required_features = match arithmetic {
            Arithmetic::Int64 => Features::SHADER_INT64,
            Arithmetic::Plain => Features::empty(),
        };
        let descriptor = DeviceDescriptor {
            required_features,
            required_limits: limits.clone(),
            memory_hints: MemoryHints::MemoryUsage,
            ..DeviceDescriptor::default()
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) = opened.map_err(|error| Fault::Missing(format!("{}: {error}", info.name)))?;
        let card =
            Wgpu::new(describe(&info, &limits, &in_words(arithmetic, why)), device, queue, Pipelines::new(arithmetic));
        let card = Arc::new(card);
        trial::try_out(&card, arithmetic)?;
        Ok(card)
    })
}

/// What is asked for: what kernels need, and buffers as large as there are.
fn limits(has: &Limits) -> Result<Limits, String> {
    let needs = Limits {
        max_storage_buffers_per_shader_stage: 8,
        max_storage_buffer_binding_size: has.max_storage_buffer_binding_size.max(128 << 20),
        max_buffer_size: has.max_buffer_size.max(128 << 20),
        ..Limits::downlevel_defaults()
    };
    let mut lacks = vec![];
    needs.check_limits_with_fail_fn(has, false, |limit, needs, has| {
        lacks.push(format!("{limit} is {has}, not {needs}"))
    });
    if lacks.is_empty() { Ok(needs) } else { Err(lacks.join(", ")) }
}

/// An arithmetic, and why it is this one.
fn in_words(arithmetic: Arithmetic, why: Option<&str>) -> String {
    why.map_or(arithmetic.name().to_owned(), |why| format!("{} ({why})", arithmetic.name()))
}

fn describe(info: &AdapterInfo, limits: &Limits, arithmetic: &str) -> CardInfo {
    let discrete = info.device_type == DeviceType::DiscreteGpu;
    let driver = [&info.driver, &info.driver_info].map(|text| text.trim());
    CardInfo {
        name: info.name.clone(),
        driver: format!("{} {}: {}", info.backend, driver.join(" "), arithmetic),
        place: Some(info.device_pci_bus_id.clone()).filter(|place| !place.is_empty()),
        memory_bytes: None,
        buffer_bytes_max: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        items_max: if discrete { ITEMS_MAX_DISCRETE } else { ITEMS_MAX },
        steps_max: STEPS_MAX,
        kernels: "WGSL".to_owned(),
        software: is_software(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_card_calculates_with_is_said_with_the_reason() {
        assert_eq!(in_words(Arithmetic::Int64, None), "64-bit integers");
        assert_eq!(in_words(Arithmetic::Plain, Some("they fail: x")), "32-bit integers (they fail: x)");
        assert_eq!(why_plain(None, None), "64-bit ones: the driver has none");
        assert_eq!(why_plain(None, Some("x: FieldMul is wrong\nlog")), "64-bit ones fail: x: FieldMul is wrong");
        assert_eq!(why_plain(not_asked_for(None, true), None), "64-bit ones: turned off by VIGIL_WGPU_INT64=0");
        let info = AdapterInfo::new(DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
        let driver = describe(&info, &Limits::default(), "32-bit integers (why)").driver;
        assert!(driver.starts_with("vulkan ") && driver.ends_with(": 32-bit integers (why)"), "{driver}");
    }

    #[test]
    fn a_card_of_two_drivers_is_one() {
        let card = |name: &str, device: u32, place: &str| {
            let info = AdapterInfo::new(DeviceType::DiscreteGpu, wgpu::Backend::Vulkan);
            AdapterInfo { name: name.to_owned(), device, device_pci_bus_id: place.to_owned(), ..info }
        };
        let (radv, amdvlk) = (card("RADV", 1, "0000:01:00.0"), card("AMD", 1, "0000:01:00.0"));
        let other = card("RADV", 1, "0000:02:00.0");
        for one_interface in [false, true] {
            assert!(is_same(&radv, &amdvlk, one_interface) && !is_same(&radv, &other, one_interface));
        }
        // Without places: two of a kind through one interface, one card through two.
        let (nowhere, again) = (card("Apple M3", 7, ""), card("Apple M3", 7, "0000:02:00.0"));
        assert!(!is_same(&nowhere, &again, true) && is_same(&nowhere, &again, false));
    }

    #[test]
    fn who_turned_64_bit_integers_off_is_known() {
        let turned_off = Some("turned off by VIGIL_WGPU_INT64=0");
        for (asked, by_environment, why) in [
            (None, false, None),
            (None, true, turned_off),
            (Some(Arithmetic::Int64), true, None),
            (Some(Arithmetic::Plain), false, Some("not asked for")),
            (Some(Arithmetic::Plain), true, Some("not asked for")),
        ] {
            assert_eq!(not_asked_for(asked, by_environment), why, "{asked:?} {by_environment}");
        }
    }
}
