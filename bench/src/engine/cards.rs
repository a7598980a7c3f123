//! Graphics cards beside all workers of the processor, on the wall clock: operations from host memory to host memory, and the
//! kernels alone.

mod crossover;
mod kernels;
pub(crate) mod model;
mod workloads;

pub(crate) use crossover::{Crossover, crossovers};

use super::plan::{Callers, Op, Plan, WITH_CARDS};
use super::rounds::{WithWorkloads, WrongAnswer, measure};
use super::row::{Row, rows};
use vigil_accel::gpu::{self, Gpu, StandIn};
use vigil_accel::{Backend as _, BackendName};

/// Cards, as backends' names.
const HARDWARE: [BackendName; 2] = [BackendName::Cuda, BackendName::Wgpu];
/// What stands in for them, likewise.
pub(crate) const STAND_INS: [(&str, StandIn); 2] =
    [("cuda-twin", StandIn::CudaTwin), ("wgpu-software", StandIn::Vulkan)];

/// A card that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card {
    /// As in the rows.
    pub(crate) label: &'static str,
    pub(crate) gpu: &'static Gpu,
}

impl Card {
    /// Those of this machine that are ready.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(name: BackendName) -> Result<Vec<Self>, String> {
        let (mut ready, mut why) = (Vec::new(), "no card".to_owned());
        for found in gpu::cards().iter().filter(|found| found.name == name) {
            match &found.card {
                Ok(gpu) => ready.push(Self { label: numbered(name, ready.len()), gpu }),
                Err(fault) => why = fault.to_string(),
            }
        }
        if ready.is_empty() { Err(why) } else { Ok(ready) }
    }

    /// One in software.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn stand_in(label: &'static str, which: StandIn) -> Result<Self, String> {
        let gpu = gpu::stand_in(which).map_err(|why| why.to_string())?;
        // Cards live as long as the process, and so does this one.
        Ok(Self { label, gpu: Box::leak(Box::new(gpu)) })
    }

    /// All of this machine that are ready.
    pub(crate) fn all() -> Vec<Self> {
        HARDWARE.into_iter().filter_map(|name| Self::of(name).ok()).flatten().collect()
    }

    /// For the record: `cuda: A card, driver`.
    pub(crate) fn in_words(&self) -> String {
        let info = self.gpu.info();
        let software = if info.software { "; software that stands in for a card: its speed means nothing" } else { "" };
        format!("{}: {}, {}{software}", self.label, info.name, info.driver)
    }

    fn is_cuda(&self) -> bool {
        self.gpu.name() == BackendName::Cuda
    }
}

/// `cuda`, `cuda:1`, ...
fn numbered(name: BackendName, number: usize) -> &'static str {
    match number {
        0 => name.as_str(),
        // As many as there are cards, once.
        _ => Box::leak(format!("{name}:{number}").into_boxed_str()),
    }
}

/// Whether rows of this backend are those of a card, or of an engine with cards.
pub(crate) fn is_card(backend: &str) -> bool {
    backend == WITH_CARDS || is_hardware(backend) || STAND_INS.iter().any(|(label, _)| *label == backend)
}

/// Whether this is the label of a card, and of none in software.
pub(crate) fn is_hardware(label: &str) -> bool {
    let kind = label.split(':').next();
    HARDWARE.iter().any(|name| Some(name.as_str()) == kind)
}

/// Gives rows to `keep` as soon as they are measured: first how many multiplications the cards do, then kernels alone, then
/// operations from host memory, by one card of each name. Tells which cards failed: of what they were asked then, the processor
/// did some, so there is no row.
///
/// # Errors
/// [`WrongAnswer`], as `keep`'s error, and `keep`'s own.
pub(crate) fn measure_all<E: From<WrongAnswer>>(
    plan: &Plan,
    keep: &mut impl FnMut(Vec<Row>) -> Result<(), E>,
) -> Result<Vec<String>, E> {
    let mut faults = Vec::new();
    let of_multipliers: Vec<Row> = plan.cards.iter().filter_map(kernels::multiplications).collect();
    let multipliers = kernels::multipliers(&plan.cards, &of_multipliers);
    if !plan.cards.is_empty() {
        keep(of_multipliers)?;
    }
    for card in &plan.cards {
        eprintln!("{}", card.in_words());
        let rate = multipliers.iter().find(|(name, _)| *name == card.gpu.info().name).map(|(_, rate)| *rate);
        let with_limits = |mut rows: Vec<Row>| {
            if let Some(rate) = rate {
                rows.iter_mut().filter(|row| row.backend == card.label).for_each(|row| model::compare(row, rate));
            }
            rows
        };
        let ops = || plan.ops.iter().copied().filter(|op| *op != Op::Trie);
        keep(with_limits(ops().flat_map(|op| kernels::rows(card, op)).collect()))?;
        if is_twin(card, &plan.cards) {
            eprintln!("  from host memory: not measured, there is another {}", card.gpu.info().name);
            continue;
        }
        for op in ops() {
            let plan = plan.of_card(*card, op);
            let mut measured = from_host_memory(&plan, op)?;
            if let Some((name, fault)) = plan.failed_card() {
                faults.push(format!("{name} failed in {}: {fault}", op.as_str()));
                if card.gpu.why_not().is_some() {
                    break;
                }
                // Another one: it had a part in the engine alone.
                measured.retain(|row| row.backend != WITH_CARDS);
            }
            super::say(&measured);
            keep(with_limits(measured))?;
        }
    }
    Ok(faults)
}

/// Whether a card of the same name stands before this one.
fn is_twin(card: &Card, cards: &[Card]) -> bool {
    let same = |other: &&Card| (other.gpu.name(), &other.gpu.info().name) == (card.gpu.name(), &card.gpu.info().name);
    cards.iter().find(same).is_some_and(|first| first.label != card.label)
}

fn from_host_memory(plan: &Plan, op: Op) -> Result<Vec<Row>, WrongAnswer> {
    let with: WithWorkloads = match op {
        Op::Recover => workloads::recover,
        Op::VerifyKnown => workloads::hot_payer,
        Op::Keccak256 => workloads::keccak256,
        Op::Checkpoint => workloads::checkpoint,
        Op::SignerVectors => workloads::signer_vectors,
        Op::Trie => return Ok(Vec::new()),
    };
    let threads = if matches!(op, Op::Checkpoint | Op::SignerVectors) { 1 } else { plan.threads(&Callers::Pool) };
    eprintln!("{} beside {threads} thread(s) of the processor, by the wall clock", op.as_str());
    Ok(rows(op.as_str(), threads, plan.clock, &measure(plan, plan.sizes(op), &Callers::Pool, with)?))
}
