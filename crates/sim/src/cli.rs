//! `vigil-sim`: arguments, one line a failing seed, one JSON object last.

use crate::guardians::cli::Guardians;
use crate::liars::Strategy;
use crate::reset::cli::Reset;
use crate::runner::run_seed;
use crate::scenario::Scenario;
use crate::summary::Summary;
use crate::variants;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::ops::Range;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "vigil-sim", about = "Whole networks in one process: virtual time, seeded faults and liars", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Validators that settle blocks, under faults and lies
    Consensus(Consensus),
    /// Guardians that finalize checkpoints, some silent, some lying
    Guardians(Guardians),
    /// A corrupt committee settles two chains, and operators reset the chain
    Reset(Reset),
}

/// Whether validators join, leave and change their stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SetChanges {
    /// In every second seed.
    Half,
    /// In every seed.
    On,
    /// In none.
    Off,
}

#[derive(Args)]
struct Consensus {
    /// Validators, of equal stake unless --weights says otherwise
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    validators: usize,
    /// How many of them lie: less than a third of the stake [default: the most that equal stakes tolerate]
    #[arg(long, value_name = "COUNT")]
    byzantine: Option<usize>,
    /// How many more have their signing journal rolled back now and then: less than a third together with the liars
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    forgetful: usize,
    /// Stakes, for example 5,4,3,3,2,2,1; sets the number of validators
    #[arg(long, value_delimiter = ',', value_name = "STAKES")]
    weights: Vec<u64>,
    /// Seeds a..b, b excluded
    #[arg(long, default_value = "0..100", value_parser = parse_seeds, value_name = "A..B")]
    seeds: Range<u64>,
    /// Membership and stake changes
    #[arg(long, value_enum, default_value_t = SetChanges::Half)]
    set_changes: SetChanges,
    /// How the liars choose what they do in an epoch; `greedy` is slow, and has its own setting: GST within 65 Δ,
    /// execution takes no time, 100 Δ are watched
    #[arg(long, value_enum, default_value_t = Strategy::Mix)]
    adversary: Strategy,
    /// Rules of the honest: `default` or an unsafe or stalling variant
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = parse_rules)]
    rules: String,
    /// The last line alone on standard output, as JSON
    #[arg(long)]
    json: bool,
    /// Every event of every seed on standard error
    #[arg(long)]
    log: bool,
}

/// Seeds as `A..B`.
pub(crate) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("seeds are written A..B, for example 0..1000")?;
    let number = |part: &str| part.parse::<u64>().map_err(|_| format!("`{part}` is not a number; seeds are A..B"));
    let range = number(from)?..number(to)?;
    if range.is_empty() { Err(format!("{text} holds no seed: B is excluded")) } else { Ok(range) }
}

fn parse_rules(name: &str) -> Result<String, String> {
    let known = || variants::names().collect::<Vec<_>>().join(", ");
    variants::find(name).map(|_| name.to_owned()).ok_or_else(|| format!("no such rules; there are: {}", known()))
}

impl Consensus {
    /// The scenarios of even and odd seeds.
    fn scenarios(&self) -> Result<[Scenario; 2], String> {
        let weights = if self.weights.is_empty() { vec![1; self.validators] } else { self.weights.clone() };
        check_weights(&weights)?;
        let byzantine = self.byzantine.unwrap_or(((weights.len() - 1) / 3).saturating_sub(self.forgetful));
        check_faulty(&weights, byzantine, self.forgetful)?;
        let variant = variants::find(&self.rules).expect("checked when parsed");
        let mix = Scenario { rules: variant, ..Scenario::mix(weights, byzantine) }.with_rollbacks(self.forgetful);
        let plain = match self.adversary {
            Strategy::Mix => mix,
            Strategy::Greedy => mix.greedy(),
        };
        let changing = plain.clone().with_set_changes(2);
        Ok(match self.set_changes {
            SetChanges::Half => [plain, changing],
            SetChanges::On => [changing.clone(), changing],
            SetChanges::Off => [plain.clone(), plain],
        })
    }

    /// The one command that replays a seed.
    fn replay(&self, seed: u64) -> String {
        use std::fmt::Write as _;
        let mut line = String::from("vigil-sim consensus");
        if self.weights.is_empty() {
            let _ = write!(line, " --validators {}", self.validators);
        } else {
            let stakes: Vec<_> = self.weights.iter().map(u64::to_string).collect();
            let _ = write!(line, " --weights {}", stakes.join(","));
        }
        if let Some(byzantine) = self.byzantine {
            let _ = write!(line, " --byzantine {byzantine}");
        }
        if self.forgetful > 0 {
            let _ = write!(line, " --forgetful {}", self.forgetful);
        }
        if self.set_changes != SetChanges::Half {
            let _ = write!(line, " --set-changes {}", if self.set_changes == SetChanges::On { "on" } else { "off" });
        }
        if self.adversary == Strategy::Greedy {
            line.push_str(" --adversary greedy");
        }
        if self.rules != "default" {
            let _ = write!(line, " --rules {}", self.rules);
        }
        let _ = write!(line, " --seeds {seed}..{}", seed + 1);
        line
    }
}

/// Most validators of a committee, spares of the set changes left room for.
const VALIDATORS_MAX: usize = vigil_primitives::VALIDATORS_MAX - 2;

fn check_weights(weights: &[u64]) -> Result<(), String> {
    if weights.is_empty() || weights.len() > VALIDATORS_MAX {
        return Err(format!("--validators is {}, must be 1 to {VALIDATORS_MAX}", weights.len()));
    }
    match weights.iter().find(|weight| **weight == 0 || **weight > 1_000_000) {
        Some(weight) => Err(format!("--weights has {weight}, stakes are 1 to 1000000")),
        None => Ok(()),
    }
}

/// Some choice of that many liars and forgetful must be less than a third.
fn check_faulty(weights: &[u64], byzantine: usize, forgetful: usize) -> Result<(), String> {
    let faulty = byzantine.saturating_add(forgetful);
    let mut sorted = weights.to_vec();
    sorted.sort_unstable();
    let least: u64 = sorted.iter().take(faulty).sum();
    let total: u64 = sorted.iter().sum();
    if faulty > weights.len() || 3 * least >= total {
        return Err(format!(
            "--byzantine {byzantine} and --forgetful {forgetful} of stakes {weights:?} are a third or more ({least} of \
             {total}): no rule can keep its promises"
        ));
    }
    Ok(())
}

/// Runs the command line. Exit codes: 0 no violation, 1 violations, 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    let clean = match &cli.command {
        Command::Consensus(command) => consensus(command),
        Command::Guardians(command) => command.run(),
        Command::Reset(command) => command.run(),
    };
    match clean {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}

fn consensus(command: &Consensus) -> Result<bool, String> {
    let scenarios = command.scenarios()?;
    let mut summary = Summary::default();
    for seed in command.seeds.clone() {
        let outcome = run_seed(&scenarios[(seed % 2) as usize], seed, command.log);
        if let Some(violation) = &outcome.violation {
            let _ = writeln!(io::stderr(), "seed {seed}: {violation}\n  replay: {}", command.replay(seed));
        }
        summary.add(seed, outcome, command.replay(seed));
    }
    let line = if command.json { summary.to_json() } else { summary.to_text() };
    let _ = writeln!(io::stdout(), "{line}");
    Ok(summary.is_clean())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Consensus, String> {
        let words = std::iter::once("vigil-sim").chain(line.split(' '));
        match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
            Command::Consensus(command) => command.scenarios().map(|_| command),
            Command::Guardians(_) | Command::Reset(_) => Err("another command".into()),
        }
    }

    #[test]
    fn good_flags_are_read_and_the_replay_line_parses_to_the_same() {
        let line = "consensus --weights 5,4,3,3,2,2,1 --byzantine 1 --forgetful 1 --set-changes on --adversary greedy --seeds 3..9";
        let command = parse(line).unwrap();
        assert_eq!((command.seeds.clone(), command.weights.len()), (3..9, 7));
        let replay = command.replay(4);
        let again = parse(replay.strip_prefix("vigil-sim ").unwrap()).unwrap();
        assert_eq!((again.seeds, again.weights, again.set_changes), (4..5, command.weights, SetChanges::On));
        assert_eq!((again.adversary, again.forgetful), (Strategy::Greedy, 1));
    }

    #[test]
    fn bad_flags_say_what_is_wrong() {
        for (line, part) in [
            ("consensus --seeds 5..5", "holds no seed"),
            ("consensus --seeds 5", "A..B"),
            ("consensus --seeds x..5", "not a number"),
            ("consensus --validators 3 --byzantine 1", "a third or more"),
            ("consensus --validators 4 --byzantine 1 --forgetful 1", "a third or more"),
            ("consensus --validators 0", "must be 1 to"),
            ("consensus --validators 32", "must be 1 to"),
            ("consensus --weights 1,0", "has 0"),
            ("consensus --rules none", "there are: default"),
            ("consensus --adversary kind", "mix, greedy"),
            ("consensus --nonsense", "nonsense"),
            ("agree", "agree"),
        ] {
            let error = parse(line).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
