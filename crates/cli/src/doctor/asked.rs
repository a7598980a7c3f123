//! What is asked for and not there, and what to do about it.

use crate::gpu::{self, Card};
use vigil_accel::gpu::{Fault, StandIn, stand_in};
use vigil_accel::{BackendName, detect, engine::machine::features};

/// Names of backends that must be there, with commas; tests read it too.
pub(super) const REQUIRED: &str = "VIGIL_REQUIRE_BACKENDS";
/// What plays a card in tests, by the name that [`REQUIRED`] has for it. `cuda` and `wgpu` are cards alone.
const TWIN: &str = "cuda-twin";
const SOFTWARE: &str = "wgpu-software";
const PLAIN: &str = "wgpu-plain";

/// A sentence for each backend of the list that is not there.
pub(super) fn missing(list: &str, cards: &[Card]) -> Vec<String> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.filter_map(|name| Some(format!("{REQUIRED} names {name}: {}", why_not(name, cards)?))).collect()
}

/// What is wrong with a name of that list; `None`: nothing.
fn why_not(name: &str, cards: &[Card]) -> Option<String> {
    match (name, name.parse()) {
        (TWIN, _) if cfg!(target_arch = "x86_64") => None, // built into the tests that need it
        (TWIN, _) => Some("it is for x86_64".to_owned()),
        (SOFTWARE, _) => stands_in(StandIn::Vulkan),
        (PLAIN, _) => stands_in(StandIn::VulkanPlain),
        (_, Ok(backend)) => lacks(backend, cards).map(|why| with_advice(backend, &why, cards)),
        (_, Err(_)) => {
            let all = BackendName::ALL.map(BackendName::as_str).join(", ");
            Some(format!("there is no such backend; there are {all}, and in tests {TWIN}, {SOFTWARE} and {PLAIN}"))
        }
    }
}

fn stands_in(which: StandIn) -> Option<String> {
    stand_in(which).err().map(|fault| format!("{fault}. Install it: mesa-vulkan-drivers on Debian and Ubuntu"))
}

/// What a backend lacks here, instruction sets or a card; `None`: it is there.
pub(super) fn lacks(name: BackendName, cards: &[Card]) -> Option<String> {
    if is_for_cards(name) {
        let is_ready = gpu::ready(cards).contains(&name);
        let fault = cards.iter().filter(|card| card.backend == name).find_map(Card::why_not);
        return (!is_ready).then(|| fault.map_or("no card".to_owned(), Fault::to_string));
    }
    if detect().iter().any(|backend| backend.name() == name) {
        return None;
    }
    let (arch, needed) = name.needs()?;
    if arch != std::env::consts::ARCH {
        return Some(format!("is for {arch}"));
    }
    let there = features();
    let is_there = |needs: &str| there.iter().any(|(name, there)| *name == needs && *there);
    let missing: Vec<&str> = needed.iter().copied().filter(|needs| !is_there(needs)).collect();
    Some(match missing.is_empty() {
        true => "is not part of this program".to_owned(),
        false => format!("lacks {}", missing.join(", ")),
    })
}

/// With what can be done about it.
pub(super) fn with_advice(name: BackendName, why: &str, cards: &[Card]) -> String {
    let fails = |card: &Card| card.backend == name && !matches!(card.why_not(), None | Some(Fault::Missing(_)));
    let advice = match name {
        _ if cards.iter().any(fails) => {
            "what is there is not used; `vigil gpu selftest` tries again, a newer driver may help"
        }
        BackendName::Cuda => "install NVIDIA's driver, or a newer one: `nvidia-smi` must list the card",
        BackendName::Wgpu => {
            "install the card's driver for Vulkan: `vulkaninfo --summary` must list it; a driver in software does not count"
        }
        _ => "another backend of the processor serves, and `auto` takes the best that is there",
    };
    format!("{why}; {advice}")
}

fn is_for_cards(name: BackendName) -> bool {
    matches!(name, BackendName::Cuda | BackendName::Wgpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_list_is_looked_for() {
        assert_eq!(missing(" portable ,, ", &[]), [""; 0]);
        let none = missing("opencl,cuda,portable", &[]);
        assert_eq!(none.len(), 2, "{none:?}");
        assert!(none[0].contains("names opencl: there is no such backend; there are portable, "), "{none:?}");
        assert!(none[1].contains("names cuda: no card; install NVIDIA's driver"), "{none:?}");
        let other = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
        assert!(missing(other, &[])[0].contains(": is for "));
        assert_eq!(missing(TWIN, &[]).is_empty(), cfg!(target_arch = "x86_64"));
        // The driver in software is there for both arithmetics, or for none.
        let [software, plain] = [SOFTWARE, PLAIN].map(|name| missing(name, &[]));
        assert_eq!(software.is_empty(), plain.is_empty());
        assert!(software.iter().chain(&plain).all(|why| why.contains("mesa-vulkan-drivers")));
        // It is no card, whether it is there or not.
        let broken = Card::new(BackendName::Wgpu, None, Some(Fault::Lies("a digest is wrong".into())));
        assert!(missing("wgpu", &[])[0].contains("names wgpu: no card; install the card's driver for Vulkan"));
        assert!(missing("wgpu", &[broken])[0].contains("names wgpu: a digest is wrong; what is there is not used"));
    }

    #[test]
    fn a_card_that_is_not_used_says_why() {
        let card = |why: Option<Fault>| Card::new(BackendName::Cuda, None, why);
        let old = card(Some(Fault::Missing("the driver is too old".into())));
        assert_eq!(lacks(BackendName::Cuda, std::slice::from_ref(&old)).as_deref(), Some("the driver is too old"));
        assert_eq!(lacks(BackendName::Cuda, &[old, card(None)]), None, "another is ready");
        assert_eq!(lacks(BackendName::Wgpu, &[card(None)]).as_deref(), Some("no card"));
    }
}
