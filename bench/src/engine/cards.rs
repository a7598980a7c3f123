//! Graphics cards beside all workers of the processor, on the wall clock: operations from host memory to host memory, and the
//! kernels alone.

mod crossover;
mod kernels;
mod model;
mod workloads;

pub(crate) use crossover::{Crossover, crossovers};

use super::plan::{Callers, Op, Plan};
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
    /// The first of this machine that is ready.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(name: BackendName) -> Result<Self, String> {
        let mut why = "no card".to_owned();
        for found in gpu::cards().iter().filter(|found| found.name == name) {
            match &found.card {
                Ok(gpu) => return Ok(Self { label: name.as_str(), gpu }),
                Err(fault) => why = fault.to_string(),
            }
        }
        Err(why)
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

    /// All cards of this machine that are ready, one for each backend.
    pub(crate) fn all() -> Vec<Self> {
        HARDWARE.into_iter().filter_map(|name| Self::of(name).ok()).collect()
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

/// Whether rows of this backend are a card's.
pub(crate) fn is_card(backend: &str) -> bool {
    HARDWARE.iter().any(|name| name.as_str() == backend) || STAND_INS.iter().any(|(label, _)| *label == backend)
}

/// The rows of all cards, and which cards failed: of what they were asked then, the processor did some, so there is no row.
///
/// # Errors
/// [`WrongAnswer`].
pub(crate) fn measure_all(plan: &Plan) -> Result<(Vec<Row>, Vec<String>), WrongAnswer> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for card in &plan.cards {
        eprintln!("{}", card.in_words());
        all.extend(kernels::multiplications(card));
    }
    let multipliers = kernels::multipliers(&plan.cards, &all);
    for card in &plan.cards {
        let mut new = Vec::new();
        for op in plan.ops.iter().filter(|op| **op != Op::Trie) {
            let measured = from_host_memory(&plan.of_card(*card, *op), *op)?;
            if let Some(fault) = card.gpu.why_not() {
                faults.push(format!("{} failed in {}: {fault}", card.label, op.as_str()));
                break;
            }
            super::say(&measured);
            new.extend(measured);
            new.extend(kernels::rows(card, *op));
        }
        if let Some(rate) = multipliers.iter().find(|(name, _)| *name == card.gpu.info().name).map(|(_, rate)| *rate) {
            new.iter_mut().for_each(|row| model::compare(row, rate));
        }
        all.extend(new);
    }
    Ok((all, faults))
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
