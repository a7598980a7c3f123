//! `vigil-sim guardians`: arguments, one line a failing seed, one JSON object last.

use super::scenario::{Liars, Scenario, SignatureKind};
use super::world::{Run, run_seed};
use crate::cli::parse_seeds;
use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::ops::Range;
use vigil_crypto::bls::Scheme;

/// How guardians sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Signing {
    /// Numbers that add up as signatures do
    Symbolic,
    /// BLS12-381, H(pk || m)
    Augmented,
    /// BLS12-381, H(m)
    ProofOfPossession,
}

/// What the byzantine guardians do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lying {
    /// Half of them nothing, half send invalid aggregates
    Paper,
    /// Nothing
    Silent,
    /// Every attack there is
    Attack,
}

/// Arguments of `vigil-sim guardians`.
#[derive(Args)]
pub struct Guardians {
    /// Guardians
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    nodes: usize,
    /// Average number of neighbours
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    degree: usize,
    /// Share of them that is byzantine, less than 1/3
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    byzantine: f64,
    /// What those do
    #[arg(long, value_enum, default_value_t = Lying::Paper)]
    liars: Lying,
    /// Checkpoints, one after the other
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    checkpoints: u64,
    /// Stakes of 1 to 10 instead of equal ones
    #[arg(long)]
    weighted: bool,
    /// Crashes, restarts and partitions until the last but two checkpoints
    #[arg(long)]
    faults: bool,
    /// The validators show two chains, and two fifths of the guardians vote on both
    #[arg(long, conflicts_with_all = ["byzantine", "faults"])]
    corrupt: bool,
    /// How they sign
    #[arg(long, value_enum, default_value_t = Signing::Symbolic)]
    signatures: Signing,
    /// Seeds a..b, b excluded
    #[arg(long, default_value = "0..10", value_parser = parse_seeds, value_name = "A..B")]
    seeds: Range<u64>,
    /// The last line alone on standard output, as JSON
    #[arg(long)]
    json: bool,
}

impl Signing {
    pub(crate) fn kind(self) -> SignatureKind {
        match self {
            Self::Symbolic => SignatureKind::Symbolic,
            Self::Augmented => SignatureKind::Real(Scheme::Augmented),
            Self::ProofOfPossession => SignatureKind::Real(Scheme::ProofOfPossession),
        }
    }
}

impl Guardians {
    fn scenario(&self) -> Result<Scenario, String> {
        let range = |name: &str, got: u64, min: u64, max: u64| match (min..=max).contains(&got) {
            true => Ok(()),
            false => Err(format!("--{name} is {got}, must be {min} to {max}")),
        };
        range("nodes", self.nodes as u64, 1, vigil_primitives::GUARDIANS_MAX as u64)?;
        range("degree", self.degree as u64, 2, 1_000)?;
        range("checkpoints", self.checkpoints, 1, 10_000)?;
        if !(0.0..1.0 / 3.0).contains(&self.byzantine) {
            return Err(format!("--byzantine is {}, must be at least 0 and less than 1/3", self.byzantine));
        }
        Ok(Scenario {
            nodes: self.nodes,
            degree: self.degree,
            byzantine: self.byzantine,
            liars: match self.liars {
                Lying::Paper => Liars::Paper,
                Lying::Silent => Liars::Silent,
                Lying::Attack => Liars::Attack,
            },
            checkpoints: self.checkpoints,
            weighted: self.weighted,
            faults: self.faults,
            corrupt: self.corrupt,
            signatures: self.signatures.kind(),
        })
    }

    /// The one command that replays a seed.
    fn replay(&self, seed: u64) -> String {
        let name = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
            value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let mut line = format!("vigil-sim guardians --nodes {} --degree {}", self.nodes, self.degree);
        if self.byzantine > 0.0 {
            line += &format!(" --byzantine {}", self.byzantine);
        }
        line += &format!(" --liars {}", name(&|| self.liars.to_possible_value()));
        line += &format!(" --signatures {}", name(&|| self.signatures.to_possible_value()));
        line += &format!(" --checkpoints {}", self.checkpoints);
        let switches = [(self.weighted, "weighted"), (self.faults, "faults"), (self.corrupt, "corrupt")];
        for (_, switch) in switches.iter().filter(|(on, _)| *on) {
            line += &format!(" --{switch}");
        }
        line + &format!(" --seeds {seed}..{}", seed + 1)
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
    let most = |of: fn(&Run) -> u64| runs.iter().map(of).max().unwrap_or(0);
    let broken = runs.iter().filter(|run| run.violation.is_some()).count();
    format!(
        "{} seeds, {broken} violations; fewest final checkpoints {}; at most {} rounds, largest entry {}, {} bytes and {} \
         messages a node and checkpoint; {} forged votes sent",
        runs.len(),
        runs.iter().map(|run| run.finalized).min().unwrap_or(0),
        most(|run| u64::from(run.rounds)),
        most(|run| u64::from(run.max_entry)),
        most(|run| run.bytes_per_node),
        most(|run| run.messages_per_node),
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
        guardians: Guardians,
    }

    fn parse(line: &str) -> Result<Guardians, String> {
        let words = std::iter::once("guardians").chain(line.split_whitespace());
        let guardians = Line::try_parse_from(words).map_err(|error| error.to_string())?.guardians;
        guardians.scenario().map(|_| guardians)
    }

    #[test]
    fn the_replay_line_parses_to_the_same() {
        let line =
            "--nodes 50 --degree 8 --byzantine 0.25 --liars attack --weighted --faults --checkpoints 6 --seeds 2..9";
        let command = parse(line).unwrap();
        let replay = command.replay(4);
        let again = parse(replay.strip_prefix("vigil-sim guardians ").unwrap()).unwrap();
        assert_eq!(again.seeds, 4..5);
        assert_eq!(again.replay(4), replay);
        assert_eq!(format!("{:?}", again.scenario()), format!("{:?}", command.scenario()));
    }

    #[test]
    fn bad_flags_say_what_is_wrong() {
        for (line, part) in [
            ("--nodes 0", "must be 1 to"),
            ("--nodes 16385", "must be 1 to 16384"),
            ("--degree 1", "must be 2 to"),
            ("--byzantine 0.34", "less than 1/3"),
            ("--byzantine NaN", "less than 1/3"),
            ("--checkpoints 0", "must be 1 to"),
            ("--corrupt --byzantine 0.2", "cannot be used with"),
            ("--seeds 4..4", "holds no seed"),
            ("--liars kind", "paper, silent, attack"),
        ] {
            let error = parse(line).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
