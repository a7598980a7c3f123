//! The node's verification engine: from configuration and calibration to a running [`Engine`].

use crate::Config;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vigil_accel::engine::calibrate::{Calibration, Unusable};
use vigil_accel::engine::machine::{Machine, usual_threads};
use vigil_accel::engine::{EngineConfig, FlushAt, Op};
use vigil_accel::gpu::{self, Fault, Found, Gpu, Limits};
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
pub fn allowed(config: &Config) -> Result<(Vec<&'static dyn Backend>, Vec<&'static Gpu>), AccelError> {
    limit_cards(config);
    let there = detect();
    let Some(asked) = config.accel_backend.0 else { return Ok((there, usable_cards())) };
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

/// What cards may take, which are not open yet: memory for as many tables of payers as the processor has, and threads.
pub fn limit_cards(config: &Config) {
    gpu::limit(Limits {
        table_bytes: payer_cache_bytes(config) as u64,
        threads: if config.accel_threads == 0 { usize::MAX } else { config.accel_threads },
    });
}

/// Worker threads of the engine of this configuration.
pub fn threads(config: &Config) -> usize {
    if config.accel_threads == 0 { usual_threads() } else { config.accel_threads }
}

fn payer_cache_bytes(config: &Config) -> usize {
    config.accel_payer_cache_mib * 1024 * 1024
}

/// The graphics cards that passed their test, each once.
pub fn usable_cards() -> Vec<&'static Gpu> {
    each_card_once(&good_cards())
}

/// Those that are there through CUDA are left out of wgpu's.
pub fn each_card_once(cards: &[&'static Gpu]) -> Vec<&'static Gpu> {
    each_once(cards, |card| (card.name(), &card.info().name, card.info().place.as_deref()))
}

/// A card's backend, its name and its place.
type Seen<'c> = (BackendName, &'c str, Option<&'c str>);

/// CUDA and Vulkan have the same place for one card, or the same name where one tells no place.
fn each_once<'c, C: Copy>(cards: &[C], of: impl Fn(C) -> Seen<'c>) -> Vec<C> {
    let is_same = |(_, name, place): Seen<'_>, (backend, other, there): Seen<'_>| {
        let has_places = place.is_some() && there.is_some();
        backend == BackendName::Cuda && if has_places { place == there } else { name == other }
    };
    let by_cuda = |card: C| cards.iter().any(|other| is_same(of(card), of(*other)));
    cards.iter().copied().filter(|card| of(*card).0 == BackendName::Cuda || !by_cuda(*card)).collect()
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
    let (backends, cards) = allowed(config)?;
    let calibration = calibration(file, &cards, commit);
    let plan = Some(calibration.plan(&backends, &cards));
    let engine = EngineConfig {
        threads: config.accel_threads,
        pin: config.accel_pin,
        backends,
        cards,
        plan,
        payer_cache_bytes: payer_cache_bytes(config),
    };
    let engine = Engine::start(engine).map_err(AccelError::Threads)?;
    let who = Op::ALL.map(|op| format!("{op} by {}", engine.plan().in_words(op, engine.threads()))).join("; ");
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
    if let Err(problem) = keep(&measured, file, cards) {
        tracing::warn!("the measurements are not kept ({why}), so the next start repeats them: {problem}");
    }
    measured
}

/// Why measurements were not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// Of a card that failed meanwhile the figures say nothing.
    #[error("{card} failed meanwhile: {why}")]
    Card {
        /// Its label.
        card: String,
        /// Its fault.
        why: Fault,
    },
    /// Something failed while it was measured.
    #[error("there is no figure of {0}")]
    Lacks(String),
    /// The file cannot be written.
    #[error("{}: {why}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

/// Keeps measurements for the starts to come.
///
/// # Errors
/// [`NotKept`].
pub fn keep(measured: &Calibration, file: &Path, cards: &[&Gpu]) -> Result<(), NotKept> {
    if let Some((card, why)) = cards.iter().find_map(|card| Some((card.label().to_owned(), card.why_not()?))) {
        return Err(NotKept::Card { card, why });
    }
    if let Some(what) = measured.lacks() {
        return Err(NotKept::Lacks(what));
    }
    measured.write(file).map_err(|why| NotKept::File { file: file.to_owned(), why })
}

/// Lets several data folders on this machine, of nodes with the default configuration, share one calibration, so that it is made
/// once. One that cannot be written is made by its node.
pub fn share_calibration(files: &[PathBuf], commit: &str) {
    limit_cards(&Config::default());
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
        if let Err(problem) = keep(&calibration, file, &cards) {
            tracing::warn!("the measurements are not shared: {problem}");
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
    use crate::BackendChoice;

    #[test]
    fn a_backend_that_is_not_there_is_refused_by_name() {
        let there: Vec<BackendName> = detect().iter().map(|backend| backend.name()).collect();
        for name in BackendName::ALL {
            match allowed(&Config { accel_backend: BackendChoice(Some(name)), ..Config::default() }) {
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
        assert_eq!(allowed(&Config::default()).expect("always").0.len(), there.len());
    }

    #[test]
    fn a_card_with_two_drivers_is_used_once() {
        use BackendName::{Cuda, Wgpu};
        let used = |cards: &[(BackendName, &'static str)]| each_once(cards, |(backend, name)| (backend, name, None));
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
        let placed = |cards: &[Seen<'static>]| each_once(cards, |card| card);
        let (here, there) = (Some("0000:01:00.0"), Some("0000:02:00.0"));
        // Mesa's driver has another name for it; a card of the same name is elsewhere.
        let three = [(Cuda, "NVIDIA H200", here), (Wgpu, "NVK", here), (Wgpu, "NVIDIA H200", there)];
        assert_eq!(placed(&three), [three[0], three[2]]);
        assert_eq!(placed(&[three[0], (Wgpu, "NVIDIA H200", None)]), [three[0]], "the name, where no place is told");
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
