//! `vigil-sim reset`: arguments, one line a failing seed, one JSON object last.

use super::scenario::{Operators, Scenario};
use super::world::{Run, run_seed};
use crate::cli::parse_seeds;
use crate::guardians::cli::Signing;
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::ops::Range;

/// What operators of honest guardians do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Asking {
    /// One of the others in each seed
    Mix,
    /// All ask for the reset
    All,
    /// Some ask late, some never; those of more than two thirds of the stake ask
    Late,
    /// Those of less than two thirds ask: there is no reset
    Few,
}

/// Arguments of `vigil-sim reset`.
#[derive(Args)]
pub struct Reset {
    /// Validators of equal stake, of which more than a third is corrupt: 4 to 31
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    validators: usize,
    /// Guardians
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    guardians: usize,
    /// Average number of neighbours
    #[arg(long, default_value_t = 8, value_name = "COUNT")]
    degree: usize,
    /// Share of the guardians that lies, less than 1/3; fewer where a side of the split could finalize with them
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    byzantine: f64,
    /// What the operators of the others do
    #[arg(long, value_enum, default_value_t = Asking::Mix)]
    operators: Asking,
    /// How guardians sign
    #[arg(long, value_enum, default_value_t = Signing::Symbolic)]
    signatures: Signing,
    /// Seeds a..b, b excluded
    #[arg(long, default_value = "0..10", value_parser = parse_seeds, value_name = "A..B")]
    seeds: Range<u64>,
    /// The last line alone on standard output, as JSON
    #[arg(long)]
    json: bool,
}

impl Reset {
    fn scenario(&self) -> Result<Scenario, String> {
        let range = |name: &str, got: usize, min: usize, max: usize| match (min..=max).contains(&got) {
            true => Ok(()),
            false => Err(format!("--{name} is {got}, must be {min} to {max}")),
        };
        range("validators", self.validators, 4, vigil_primitives::VALIDATORS_MAX)?;
        range("guardians", self.guardians, 4, 2_000)?;
        range("degree", self.degree, 4, 1_000)?;
        if !(0.0..1.0 / 3.0).contains(&self.byzantine) {
            return Err(format!("--byzantine is {}, must be at least 0 and less than 1/3", self.byzantine));
        }
        Ok(Scenario {
            guardians: self.guardians,
            degree: self.degree,
            byzantine: self.byzantine,
            operators: match self.operators {
                Asking::Mix => Operators::Mix,
                Asking::All => Operators::All,
                Asking::Late => Operators::Late,
                Asking::Few => Operators::Few,
            },
            signatures: self.signatures.kind(),
            ..Scenario::new(self.validators)
        })
    }

    /// The one command that replays a seed.
    fn replay(&self, seed: u64) -> String {
        let name =
            |value: Option<clap::builder::PossibleValue>| value.map_or(String::new(), |v| v.get_name().to_owned());
        format!(
            "vigil-sim reset --validators {} --guardians {} --degree {} --byzantine {} --operators {} --signatures {} \
             --seeds {seed}..{}",
            self.validators,
            self.guardians,
            self.degree,
            self.byzantine,
            name(self.operators.to_possible_value()),
            name(self.signatures.to_possible_value()),
            seed + 1
        )
    }

    /// Runs all seeds. True if nothing was broken.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    pub fn run(&self) -> Result<bool, String> {
        let scenario = self.scenario()?;
        let mut runs = Vec::new();
        for seed in self.seeds.clone() {
            let run = run_seed(&scenario, seed);
            if let Some(violation) = &run.violation {
                let _ = writeln!(io::stderr(), "seed {seed}: {violation}\n  replay: {}", self.replay(seed));
            }
            runs.push(run);
        }
        let line = if self.json { serde_json::json!({ "runs": runs }).to_string() } else { text(&runs) };
        let _ = writeln!(io::stdout(), "{line}");
        Ok(runs.iter().all(|run| run.violation.is_none()))
    }
}

fn text(runs: &[Run]) -> String {
    let broken = runs.iter().filter(|run| run.violation.is_some()).count();
    let reset: Vec<&Run> = runs.iter().filter(|run| run.resets > 0).collect();
    let most = |of: fn(&Run) -> u64| reset.iter().map(|run| of(run)).max().unwrap_or(0);
    let least = |of: fn(&Run) -> u64| reset.iter().map(|run| of(run)).min().unwrap_or(0);
    format!(
        "{} seeds, {broken} violations; {} reset: at least {} validators named, up to {} settled blocks void, {} ms until \
         everybody knew, final again up to height {} at least; {} crashes around journal writes, {} forged votes sent",
        runs.len(),
        reset.len(),
        least(|run| run.named),
        most(|run| run.void),
        most(|run| run.reset_ms),
        least(|run| run.finalized),
        runs.iter().map(|run| run.crashes).sum::<u64>(),
        runs.iter().map(|run| run.forged).sum::<u64>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        reset: Reset,
    }

    fn parse(line: &str) -> Result<Reset, String> {
        let words = std::iter::once("reset").chain(line.split_whitespace());
        let reset = Line::try_parse_from(words).map_err(|error| error.to_string())?.reset;
        reset.scenario().map(|_| reset)
    }

    #[test]
    fn the_replay_line_parses_to_the_same() {
        let command =
            parse("--validators 7 --guardians 30 --degree 9 --byzantine 0.1 --operators late --seeds 2..9").unwrap();
        let replay = command.replay(4);
        let again = parse(replay.strip_prefix("vigil-sim reset ").unwrap()).unwrap();
        assert_eq!((again.seeds.clone(), again.replay(4)), (4..5, replay));
        assert_eq!(format!("{:?}", again.scenario()), format!("{:?}", command.scenario()));
    }

    #[test]
    fn bad_flags_say_what_is_wrong() {
        for (line, part) in [
            ("--validators 3", "must be 4 to 31"),
            ("--validators 32", "must be 4 to 31"),
            ("--guardians 3", "must be 4 to"),
            ("--degree 3", "must be 4 to"),
            ("--byzantine 0.34", "less than 1/3"),
            ("--operators none", "mix, all, late, few"),
            ("--seeds 4..4", "holds no seed"),
        ] {
            let error = parse(line).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
