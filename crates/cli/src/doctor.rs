//! `vigil doctor`: what the machine has, what the verification engine will use, what is missing.

mod asked;

use crate::gpu::{self, Card};
use crate::{CliError, Globals, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use vigil_accel::engine::calibrate::Calibration;
use vigil_accel::engine::machine::{Machine, are_pinned, cores_and_memory, features};
use vigil_accel::engine::{Op, Plan};
use vigil_accel::{BackendName, detect};
use vigil_node::layout::Layout;
use vigil_node::{Config, accel};

/// Of which node.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder made by `vigil init` [default: node in the home folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// What was found.
struct Findings {
    cpu: String,
    cores: usize,
    memory_mib: u64,
    config: Config,
    plan: Plan,
    calibration: String,
    usable: bool,
    file: PathBuf,
    cards: Vec<Card>,
    /// Each makes the command fail.
    problems: Vec<String>,
}

/// Looks. Fails if something is missing that the configuration or `VIGIL_REQUIRE_BACKENDS` asks for.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let layout = crate::init::data_dir(args.data_dir.as_ref(), globals)?;
    if args.data_dir.is_some() {
        // Not the defaults, as if they were that node's.
        crate::init::must_be_data_dir(&layout)?;
    }
    let found = look(&layout)?;
    output.result(found.in_words(), &found.as_json());
    match found.problems.len() {
        0 => Ok(()),
        count => {
            Err(CliError::failed(format!("{count} of what is asked for is missing: {}", found.problems.join("; "))))
        }
    }
}

fn look(layout: &Layout) -> Result<Findings, CliError> {
    let config = crate::init::config(layout, [])?;
    accel::limit_cards(&config);
    let cards = gpu::found();
    let mut problems = asked::missing(&std::env::var(asked::REQUIRED).unwrap_or_default(), &cards);
    let (allowed, allowed_cards) = accel::allowed(&config).unwrap_or_else(|error| {
        problems.push(match config.accel_backend.0.and_then(|name| Some((name, asked::lacks(name, &cards)?))) {
            Some((name, why)) => format!("`accel.backend` is {name}: {}", asked::with_advice(name, &why, &cards)),
            None => error.to_string(),
        });
        (detect(), Vec::new())
    });
    let machine = Machine::here(&detect(), &allowed_cards);
    let file = layout.calibration();
    let (plan, calibration, usable) = match Calibration::read(&file, &machine, crate::start::COMMIT) {
        Ok(found) => (found.plan(&allowed, &allowed_cards), format!("measured by commit {}", found.commit), true),
        Err(why) => (Plan::unmeasured(&allowed), format!("not measured: {why}; the next start measures"), false),
    };
    let (cores, memory_mib) = cores_and_memory();
    Ok(Findings { cpu: machine.cpu, cores, memory_mib, config, plan, calibration, usable, file, cards, problems })
}

impl Findings {
    fn threads(&self) -> usize {
        accel::threads(&self.config)
    }

    /// Where the threads run.
    fn places(&self) -> &'static str {
        match (self.config.accel_pin, are_pinned(self.threads())) {
            (true, true) => "each on its core",
            (true, false) => "not pinned: there is not one for each core",
            (false, _) => "not pinned",
        }
    }

    fn in_words(&self) -> String {
        let features: Vec<_> =
            features().iter().map(|(name, there)| format!("{}{name}", if *there { "" } else { "no " })).collect();
        let backends = BackendName::ALL.map(|name| match asked::lacks(name, &self.cards) {
            None => format!("  {name}: found\n"),
            Some(why) => format!("  {name}: {why}\n"),
        });
        let operations = Op::ALL.map(|op| format!("  {op}: {}\n", self.plan.in_words(op, self.threads())));
        let mut cards: Vec<_> =
            self.cards.iter().map(|card| format!("  {}: {}\n", card.backend, card.brief())).collect();
        if cards.is_empty() {
            cards.push("  none\n".to_owned());
        }
        format!(
            "Processor: {}\n  physical cores {}, memory {} MiB\n  {}\nBackends:\n{}Graphics cards (`vigil gpu list`):\n{}Used, by the number of items \
             (accel.backend is {}):\n{}Threads: {}, {}; memory for payers' tables {} MiB; batches of {} or after {} us\n\
             Calibration: {}: {}",
            self.cpu,
            self.cores,
            self.memory_mib,
            features.join(", "),
            backends.concat(),
            cards.concat(),
            self.backend(),
            operations.concat(),
            self.threads(),
            self.places(),
            self.config.accel_payer_cache_mib,
            self.config.accel_batch_items,
            self.config.accel_batch_age_us,
            self.file.display(),
            self.calibration,
        )
    }

    fn backend(&self) -> &'static str {
        self.config.accel_backend.0.map_or("auto", BackendName::as_str)
    }

    fn as_json(&self) -> Value {
        let backends = BackendName::ALL.iter().map(|name| {
            let missing = asked::lacks(*name, &self.cards);
            json!({ "name": name.as_str(), "found": missing.is_none(), "missing": missing })
        });
        let backends: Vec<_> = backends.collect();
        let steps = |op: Op| self.plan.steps(op).iter().map(crate::calibrate::step).collect::<Vec<_>>();
        let operations: serde_json::Map<_, _> = Op::ALL.iter().map(|op| (op.to_string(), json!(steps(*op)))).collect();
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "memory_mib": self.memory_mib,
            "features": features().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "backends": backends,
            "cards": self.cards.iter().map(Card::as_json).collect::<Vec<_>>(),
            "operations": operations,
            "calibration": { "file": self.file, "usable": self.usable, "state": self.calibration },
            "accel": {
                "backend": self.backend(),
                "threads": self.threads(),
                "pin": self.config.accel_pin,
                "pinned": self.config.accel_pin && are_pinned(self.threads()),
                "payer_cache_mib": self.config.accel_payer_cache_mib,
                "batch_items": self.config.accel_batch_items,
                "batch_age_us": self.config.accel_batch_age_us,
            },
            "problems": self.problems,
        })
    }
}
