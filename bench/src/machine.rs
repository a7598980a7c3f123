//! What a figure was measured on.

use serde::{Deserialize, Serialize};

/// The commit that this program was built from, `-dirty` if its sources differed from it; `unknown` outside of a checkout.
pub(crate) const COMMIT: &str = env!("VIGIL_COMMIT");

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    /// Simultaneous multithreading: `on`, `off`, or empty: not known.
    #[serde(default)]
    pub(crate) smt: String,
    /// Graphics cards that were measured, each with its name in the rows, and what only stood in for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cards: Vec<String>,
}

impl Machine {
    /// This one; what cannot be read is empty or 0.
    pub(crate) fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, key: &str| {
            let line = text.lines().find(|l| l.starts_with(key)).unwrap_or_default();
            line.split_once(':').map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
        };
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal");
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            smt: smt(&read("/sys/devices/system/cpu/smt/active")).to_owned(),
            cards: Vec::new(),
        }
    }

    /// Its cards, and the rest.
    pub(crate) fn without_cards(mut self) -> (Vec<String>, Self) {
        (std::mem::take(&mut self.cards), self)
    }
}

/// What the kernel writes into `smt/active`, in words.
fn smt(active: &str) -> &'static str {
    match active.trim() {
        "0" => "off",
        "1" => "on",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smt_is_said_where_it_is_known() {
        assert_eq!(["0\n", "1\n", ""].map(smt), ["off", "on", ""]);
    }

    #[test]
    fn the_commit_is_that_of_the_build() {
        let hex = COMMIT.strip_suffix("-dirty").unwrap_or(COMMIT);
        assert!(hex == "unknown" || hex.len() >= 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{COMMIT}");
    }
}
