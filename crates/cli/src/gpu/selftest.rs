//! `vigil gpu selftest`: every question with known answers to every card.

use crate::{CliError, Output};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use vigil_accel::gpu::{self, Fault, Gpu, StandIn};

/// Which cards.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also test the software Vulkan driver, which stands in for a card in tests
    #[arg(long)]
    software: bool,
}

/// What became of one.
struct Tested {
    backend: &'static str,
    name: Option<String>,
    result: Result<Duration, Fault>,
}

/// Tests. A card that fails is a failure; one that is not there is said, and none.
pub(super) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let mut all: Vec<Tested> =
        gpu::cards().iter().map(|found| test(found.name.as_str(), found.card.as_ref())).collect();
    if args.software {
        all.push(test("wgpu (software)", gpu::stand_in(StandIn::Vulkan).as_ref()));
    }
    let failed: Vec<&Tested> = all.iter().filter(|tested| tested.has_failed()).collect();
    let cards: Vec<Value> = all.iter().map(Tested::as_json).collect();
    output.result(in_words(&all), &json!({ "cards": cards, "failed": failed.len() }));
    match failed.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(CliError::failed(format!(
            "{} of {} failed the self-test, the first: {}. Work goes to the processor instead; a newer driver may help",
            failed.len(),
            all.len(),
            first.in_words()
        ))),
    }
}

fn test(backend: &'static str, card: Result<&Gpu, &Fault>) -> Tested {
    let name = card.as_ref().ok().map(|card| card.info().name.clone());
    let result = card.map_err(Clone::clone).and_then(|card| {
        let begun = Instant::now();
        card.self_test().map(|()| begun.elapsed())
    });
    Tested { backend, name, result }
}

impl Tested {
    fn is_absent(&self) -> bool {
        matches!(self.result, Err(Fault::Missing(_)))
    }

    fn has_failed(&self) -> bool {
        self.result.is_err() && !self.is_absent()
    }

    fn in_words(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let outcome = match &self.result {
            Ok(took) => format!("passed in {:.1} ms", took.as_secs_f64() * 1000.0),
            Err(Fault::Missing(what)) => format!("not tested: {what}"),
            Err(fault) => format!("FAILED: {fault}"),
        };
        format!("{}{name}: {outcome}", self.backend)
    }

    fn as_json(&self) -> Value {
        let outcome = match &self.result {
            Ok(_) => "passed",
            Err(Fault::Missing(_)) => "absent",
            Err(_) => "failed",
        };
        json!({
            "backend": self.backend,
            "name": self.name,
            "outcome": outcome,
            "milliseconds": self.result.as_ref().ok().map(|took| took.as_secs_f64() * 1000.0),
            "why": self.result.as_ref().err().map(Fault::to_string),
        })
    }
}

fn in_words(all: &[Tested]) -> String {
    let mut lines: Vec<String> = all.iter().map(Tested::in_words).collect();
    if all.iter().all(Tested::is_absent) {
        lines.push("No graphics card here: nothing was tested.".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested(result: Result<Duration, Fault>) -> Tested {
        Tested { backend: "cuda", name: Some("A card".into()), result }
    }

    #[test]
    fn what_is_not_there_has_not_failed() {
        let passed = tested(Ok(Duration::from_micros(12_340)));
        let absent = tested(Err(Fault::Missing("no driver".into())));
        let failed = tested(Err(Fault::Lies("a digest".into())));
        assert_eq!([&passed, &absent, &failed].map(Tested::has_failed), [false, false, true]);
        assert_eq!(passed.in_words(), "cuda A card: passed in 12.3 ms");
        assert_eq!(failed.in_words(), "cuda A card: FAILED: a digest");
        assert_eq!(failed.as_json()["outcome"], "failed");
        assert!(in_words(&[absent]).ends_with("no driver\nNo graphics card here: nothing was tested."));
        assert!(!in_words(&[passed, failed]).contains("nothing was tested"));
    }
}
