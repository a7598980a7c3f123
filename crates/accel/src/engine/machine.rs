//! What this machine is and can.

use crate::backend::Backend;
use crate::gpu::Gpu;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The part of a machine that the engine's speed depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Name of the processor, as the operating system tells it.
    pub cpu: String,
    /// Instruction sets that backends look for and that are there.
    pub features: Vec<String>,
    /// Backends found, the slowest first.
    pub backends: Vec<String>,
    /// Graphics cards that are used.
    pub cards: Vec<String>,
}

impl Machine {
    /// This one, with these backends and cards.
    pub fn here(backends: &[&'static dyn Backend], cards: &[&'static Gpu]) -> Self {
        Self {
            cpu: cpu(),
            features: features().into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect(),
            backends: backends.iter().map(|backend| backend.name().to_string()).collect(),
            cards: (0..).zip(cards).map(|(number, card)| label(number, card)).collect(),
        }
    }
}

/// `AMD EPYC (26/2/1) [avx2 bmi2 adx], backends portable, avx2`, then the cards.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}], backends {}", self.cpu, self.features.join(" "), self.backends.join(", "))?;
        if self.cards.is_empty() { Ok(()) } else { write!(f, ", cards {}", self.cards.join(", ")) }
    }
}

/// `0 cuda: NVIDIA H200 (CUDA 13.0)`
pub(crate) fn label(number: usize, card: &Gpu) -> String {
    let info = card.info();
    format!("{number} {}: {} ({})", card.name(), info.name, info.driver)
}

/// Threads of an engine that is told no number ([`crate::EngineConfig::threads`]).
pub fn usual_threads() -> usize {
    super::workers::usual_count(&super::workers::physical_cores())
}

/// Whether an engine of so many threads keeps each on its core, if it is told to ([`crate::EngineConfig::pin`]).
pub fn are_pinned(threads: usize) -> bool {
    super::workers::fill(threads, &super::workers::physical_cores())
}

/// Physical cores that this process may use, and memory of the machine in MiB; 0 where it is not told.
pub fn cores_and_memory() -> (usize, u64) {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = field(&memory, "MemTotal").split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
    (super::workers::physical_cores().len(), kib.unwrap_or_default() / 1024)
}

/// Instruction sets that backends look for on this kind of processor, and whether they are there.
pub fn features() -> Vec<(&'static str, bool)> {
    #[cfg(target_arch = "x86_64")]
    return vec![
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("adx", is_x86_feature_detected!("adx")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512dq", is_x86_feature_detected!("avx512dq")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ("avx512ifma", is_x86_feature_detected!("avx512ifma")),
    ];
    #[cfg(target_arch = "aarch64")]
    return vec![
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("sha3", std::arch::is_aarch64_feature_detected!("sha3")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Vec::new();
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let parts = ["model name", "CPU implementer", "CPU part"].map(|key| field(&info, key));
    let name = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let model = ["cpu family", "model\t", "stepping"].map(|key| field(&info, key)).join("/");
    match (name.is_empty(), model.trim_matches('/').is_empty()) {
        (true, _) => std::env::consts::ARCH.to_owned(),
        (false, true) => name,
        (false, false) => format!("{name} ({model})"),
    }
}

/// The value of the first line `<key>...: <value>`.
fn field(text: &str, key: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::BackendName;

    #[test]
    fn the_machine_has_a_name() {
        let here = Machine::here(&crate::detect(), &[]);
        eprintln!("{here:?} {:?}", cores_and_memory());
        assert!(!here.cpu.is_empty());
        assert_eq!(here.backends[0], "portable");
        let engine = crate::Engine::start(crate::EngineConfig::default()).expect("threads");
        assert_eq!(usual_threads(), engine.threads());
    }

    /// A backend is here exactly if all instruction sets are that it is said to need.
    #[test]
    fn backends_need_what_they_say() {
        let there = features();
        for name in BackendName::ALL {
            if matches!(name, BackendName::Wgpu | BackendName::Cuda) {
                continue; // cards are found elsewhere
            }
            let has = name.needs().is_none_or(|(arch, needed)| {
                arch == std::env::consts::ARCH && needed.iter().all(|needs| there.contains(&(*needs, true)))
            });
            assert_eq!(crate::detect().iter().any(|backend| backend.name() == name), has, "{name} of {there:?}");
            let Some((_, needed)) = name.needs().filter(|(arch, _)| *arch == std::env::consts::ARCH) else { continue };
            assert!(needed.iter().all(|needs| there.iter().any(|(name, _)| name == needs)), "{name} needs {needed:?}");
        }
    }

    #[test]
    fn fields_are_found() {
        let text = "processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n";
        assert_eq!(["model name", "model\t", "stepping"].map(|key| field(text, key)), ["AMD EPYC", "2", ""]);
    }
}
