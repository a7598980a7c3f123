//! The node's verification engine: from configuration and calibration to a running [`Engine`].

use crate::{BackendChoice, Config};
use std::path::{Path, PathBuf};
use std::time::Duration;
use vigil_accel::engine::calibrate::{Calibration, Unusable};
use vigil_accel::engine::machine::Machine;
use vigil_accel::engine::{EngineConfig, FlushAt, Op};
use vigil_accel::gpu::{self, Fault, Found, Gpu};
use vigil_accel::{Backend, BackendName, Engine, detect};
use vigil_primitives::Hash;
use vigil_trie::BatchHasher;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum AccelError {
    /// The configuration asks for a backend that this machine cannot run.
    #[error(
        "`accel.backend` is {asked}, which this machine cannot run; it has {found}. `vigil doctor` says what is missing"
    )]
    Backend {
        /// Asked for.
        asked: BackendName,
        /// What there is.
        found: String,
    },
    /// No threads.
    #[error("starting the threads of the verification engine")]
    Threads(#[source] std::io::Error),
}

/// The backends of the CPU that may be used, the slowest first, and the graphics cards. A backend of cards that is asked for
/// goes with all of the CPU.
///
/// # Errors
/// [`AccelError::Backend`].
pub fn allowed(choice: BackendChoice) -> Result<(Vec<&'static dyn Backend>, Vec<&'static Gpu>), AccelError> {
    let there = detect();
    let Some(asked) = choice.0 else { return Ok((there, usable_cards())) };
    if let Some(only) = there.iter().find(|backend| backend.name() == asked) {
        return Ok((vec![*only], Vec::new()));
    }
    let is_for_cards = matches!(asked, BackendName::Wgpu | BackendName::Cuda);
    let cards = if is_for_cards { good_cards() } else { Vec::new() };
    let cards: Vec<_> = cards.into_iter().filter(|card| card.name() == asked).collect();
    if cards.is_empty() {
        return Err(AccelError::Backend { asked, found: names(&there) });
    }
    Ok((there, cards))
}

/// The graphics cards that passed their test, each once: those that are there through CUDA are left out of wgpu's.
pub fn usable_cards() -> Vec<&'static Gpu> {
    each_once(&good_cards(), |card| (card.name(), card.info().name.as_str()))
}

/// Of what drivers call cards: CUDA and Vulkan have the same name for one.
fn each_once<C: Copy>(cards: &[C], of: impl Fn(&C) -> (BackendName, &str)) -> Vec<C> {
    let by_cuda = |card: &C| cards.iter().any(|other| of(other) == (BackendName::Cuda, of(card).1));
    cards.iter().copied().filter(|card| of(card).0 == BackendName::Cuda || !by_cuda(card)).collect()
}

/// The graphics cards that passed their test; of the others the log tells.
fn good_cards() -> Vec<&'static Gpu> {
    let usable = |found: &'static Found| match &found.card {
        Ok(card) => Some(card),
        Err(Fault::Missing(why)) => {
            tracing::debug!("no {}: {why}", found.name);
            None
        }
        Err(fault) => {
            tracing::warn!("a graphics card is not used ({}): {fault}", found.name);
            None
        }
    };
    gpu::cards().iter().filter_map(usable).collect()
}

/// `portable, avx2`.
pub fn names(backends: &[&'static dyn Backend]) -> String {
    backends.iter().map(|backend| backend.name().as_str()).collect::<Vec<_>>().join(", ")
}

/// Starts the engine as configured, on the calibration in `file`, which is made if it is not there, or not of this machine
/// and build.
///
/// # Errors
/// [`AccelError`].
pub fn start(config: &Config, file: &Path, commit: &str) -> Result<Engine, AccelError> {
    let (backends, cards) = allowed(config.accel_backend)?;
    let calibration = calibration(file, &cards, commit);
    let plan = Some(calibration.plan(&backends, &cards));
    let engine = EngineConfig {
        threads: config.accel_threads,
        pin: config.accel_pin,
        backends,
        cards,
        plan,
        payer_cache_bytes: config.accel_payer_cache_mib * 1024 * 1024,
    };
    let engine = Engine::start(engine).map_err(AccelError::Threads)?;
    let who = Op::ALL.map(|op| format!("{op} by {}", engine.plan().in_words(op))).join("; ");
    tracing::info!("verification engine, {} threads: {who}", engine.threads());
    Ok(engine)
}

/// When a batch of transactions starts.
pub fn flush_at(config: &Config) -> FlushAt {
    let age = Duration::from_micros(config.accel_batch_age_us.into());
    FlushAt { items: config.accel_batch_items, age }
}

/// The calibration in `file`; if it is of no use to a program built from `commit` and these cards, a new one, which is written
/// there if possible.
pub fn calibration(file: &Path, cards: &[&'static Gpu], commit: &str) -> Calibration {
    let backends = detect();
    let why = match Calibration::read(file, &Machine::here(&backends, cards), commit) {
        Ok(found) => return found,
        Err(why @ Unusable::Missing) => {
            tracing::info!("measuring the verification engine once, for a few seconds");
            why
        }
        Err(why) => {
            tracing::warn!("measuring the verification engine anew: {}: {why}", file.display());
            why
        }
    };
    let measured = Calibration::measure(&backends, cards, commit);
    if cards.iter().any(|card| card.why_not().is_some()) {
        tracing::warn!("a graphics card failed while it was measured: the next start measures again");
        return measured;
    }
    if let Err(error) = measured.write(file) {
        tracing::warn!(
            "cannot keep the measurements ({why}), so the next start repeats them: {}: {error}",
            file.display()
        );
    }
    measured
}

/// Lets several data folders on this machine, of nodes with the default configuration, share one calibration, so that it is made
/// once. One that cannot be written is made by its node.
pub fn share_calibration(files: &[PathBuf], commit: &str) {
    let cards = usable_cards();
    let here = Machine::here(&detect(), &cards);
    let is_there = |file: &PathBuf| Calibration::read(file, &here, commit);
    let without: Vec<&PathBuf> = files.iter().filter(|file| is_there(file).is_err()).collect();
    if without.is_empty() {
        return;
    }
    let found = files.iter().find_map(|file| is_there(file).ok());
    let calibration = found.unwrap_or_else(|| Calibration::measure(&detect(), &cards, commit));
    for file in without {
        if let Err(error) = calibration.write(file) {
            tracing::warn!("{}: {error}", file.display());
        }
    }
}

/// Hashes the nodes of tries on an engine.
#[derive(Clone, Debug)]
pub struct Hasher(pub Engine);

impl BatchHasher for Hasher {
    fn keccak256_batch(&self, messages: &[&[u8]]) -> Vec<Hash> {
        self.0.keccak256(messages)
    }

    fn prefetch(&self, start: *const u8, bytes: usize) {
        vigil_accel::prefetch(start, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_that_is_not_there_is_refused_by_name() {
        let there: Vec<BackendName> = detect().iter().map(|backend| backend.name()).collect();
        for name in BackendName::ALL {
            match allowed(BackendChoice(Some(name))) {
                Ok((only, cards)) if cards.is_empty() => {
                    assert!(only.len() == 1 && only[0].name() == name && there.contains(&name));
                }
                Ok((all, cards)) => assert!(all.len() == there.len() && cards.iter().all(|card| card.name() == name)),
                Err(error) => {
                    assert!(!there.contains(&name));
                    let text = error.to_string();
                    assert!(text.contains(name.as_str()) && text.contains("it has portable"), "{text}");
                }
            }
        }
        assert_eq!(allowed(BackendChoice::AUTO).expect("always").0.len(), there.len());
    }

    #[test]
    fn a_card_with_two_drivers_is_used_once() {
        use BackendName::{Cuda, Wgpu};
        let used = |cards: &[(BackendName, &'static str)]| each_once(cards, |card| *card);
        let two = [(Cuda, "NVIDIA H200"), (Wgpu, "NVIDIA H200")];
        assert_eq!(used(&two), [two[0]]);
        assert_eq!(used(&[two[1], two[0]]), [two[0]], "in whatever order");
        // Two of a kind, and another maker's beside them.
        let many = [two[0], two[0], (Wgpu, "AMD Radeon"), two[1], two[1]];
        assert_eq!(used(&many), [two[0], two[0], (Wgpu, "AMD Radeon")]);
        // One that CUDA does not have: it is another card, or CUDA's driver is not there.
        assert_eq!(used(&many[2..]), many[2..]);
        assert_eq!(used(&[two[0], (Wgpu, "NVIDIA H100")]), [two[0], (Wgpu, "NVIDIA H100")]);
        assert_eq!(used(&[]), []);
    }

    #[test]
    fn measurements_are_made_once_and_damaged_ones_again() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = |n: usize| dir.path().join(format!("{n}.json"));
        let first = calibration(&file(0), &[], "abc");
        assert_eq!(calibration(&file(0), &[], "abc"), first, "read from the file");
        share_calibration(&[file(1), file(0), file(2)], "abc");
        for n in 1..3 {
            assert_eq!(calibration(&file(n), &[], "abc"), first, "shared");
        }
        std::fs::write(file(1), "{").expect("written");
        assert_ne!(calibration(&file(1), &[], "abc"), first, "measured anew, and kept:");
        assert_ne!(calibration(&file(1), &[], "abc"), first);
        assert_eq!(calibration(&file(2), &[], "def").commit, "def", "another build measures anew");
        share_calibration(&[file(0), file(2)], "def");
        assert_eq!(calibration(&file(0), &[], "def"), calibration(&file(2), &[], "def"), "not the older one");
        let nowhere = dir.path().join("no folder").join("calibration.json");
        assert_eq!(calibration(&nowhere, &[], "ghi").commit, "ghi", "usable though it cannot be kept");
    }
}
