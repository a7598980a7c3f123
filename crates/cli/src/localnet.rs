//! `vigil localnet`: a private network of real processes on this machine.

use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use vigil_node::localnet::{self, Event, LocalnetError, Options, PortError, SetupError, Shape, Summary};

/// Without a terminal, every so many progress lines are printed.
const PROGRESS_EVERY: u32 = 5;

/// What network.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Number of validators
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    validators: usize,
    /// Number of guardians
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    guardians: usize,
    /// Processes that the guardians are spread over [default: one each up to 4 guardians, else 4 to 8]
    #[arg(long, value_name = "COUNT")]
    guardian_processes: Option<usize>,
    /// Folder of the network; one that is there goes on [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// First port; node i uses the five ports from here + 20 * i [default: 16888, 30001, 16900 and from 17000 on]
    #[arg(long, value_name = "PORT")]
    base_port: Option<u16>,
    /// Send this many transactions a second
    #[arg(long, value_name = "TPS", value_parser = clap::value_parser!(u32).range(1..))]
    load: Option<u32>,
    /// End after this time, as in 60s, 5m, 1h [default: run until Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Sets a rule of a new network, as `checkpoint_interval=10`; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    genesis: Vec<String>,
    /// Start a node again that ends by itself
    #[arg(long)]
    restart: bool,
    /// Let every node write the signed messages that leave to sent.jsonl in its folder
    #[arg(long)]
    sent_log: bool,
}

/// Runs it.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let shape = Shape::new(args.validators, args.guardians, args.guardian_processes).map_err(CliError::usage)?;
    crate::wallet::install_dev_keys(&globals.home()?)?;
    let temporary = match args.data_dir {
        Some(_) => None,
        None => {
            let made = tempfile::Builder::new().prefix("vigil-localnet-").tempdir();
            Some(made.map_err(CliError::while_doing("cannot make a temporary folder"))?)
        }
    };
    let given = args.data_dir.clone();
    let data_dir = given.or_else(|| temporary.as_ref().map(|t| t.path().to_path_buf())).unwrap_or_default();
    let options = Options {
        shape,
        data_dir,
        base_port: args.base_port,
        genesis: args.genesis.clone(),
        load: args.load,
        duration: args.duration,
        restart: args.restart,
        node_args: if args.sent_log { vec!["--sent-log".to_owned()] } else { Vec::new() },
        commit: crate::start::COMMIT.to_owned(),
        program: std::env::current_exe().map_err(CliError::while_doing("cannot find this program"))?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::while_doing("cannot start the runtime"))?;
    let mut lines = 0;
    let mut tell = |event: Event| match event {
        Event::Ready(line) => output.line(line),
        Event::Note(text) => output.note(text),
        Event::Progress(text) => {
            lines += 1;
            if output.is_terminal() || lines % PROGRESS_EVERY == 0 {
                output.note(text);
            }
        }
    };
    let result = runtime.block_on(async {
        let stop = crate::start::until_told(false)?;
        localnet::run(&options, stop, &mut tell).await.map_err(|why| match why {
            LocalnetError::Port(PortError::Range { .. }) | LocalnetError::Setup(SetupError::Genesis(_)) => {
                CliError::usage(why)
            }
            _ => CliError::caused(&why),
        })
    });
    if result.is_err()
        && let Some(kept) = temporary
        && kept.path().join("genesis.json").exists()
    {
        output.note(format!("the nodes' folders are kept in {}", kept.keep().display()));
    }
    let summary = result?;
    if globals.json {
        output.line(json!(summary).to_string());
    } else {
        output.note(in_words(&summary));
    }
    Ok(())
}

/// The summary for a person.
fn in_words(summary: &Summary) -> String {
    let Summary { settled_height, finalized_height, txs_settled, tps_settled, latency_ms, forks, errors, .. } = summary;
    let roots = if summary.roots_equal { "equal" } else { "NOT EQUAL" };
    let finalized = match finalized_height {
        0 => String::new(),
        _ => format!(", finalized up to {finalized_height}"),
    };
    let load = match txs_settled {
        0 => String::new(),
        _ => format!(
            ", {txs_settled} transactions at {tps_settled} a second, latency p50 {} ms, p99 {} ms",
            latency_ms.p50, latency_ms.p99
        ),
    };
    format!(
        "settled up to height {settled_height}{finalized}{load}; forks {forks}, errors {errors}, state roots {roots}"
    )
}

/// `90`, `90s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("a time is a number with s, m or h, as in 60s".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a time is a number with s, m or h, as in 60s".to_owned())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_a_sentence() {
        let mut summary = Summary { settled_height: 27, roots_equal: true, ..Summary::default() };
        assert_eq!(in_words(&summary), "settled up to height 27; forks 0, errors 0, state roots equal");
        summary.txs_settled = 569;
        summary.tps_settled = 46.8;
        (summary.latency_ms.p50, summary.latency_ms.p99) = (901.0, 1160.0);
        (summary.forks, summary.roots_equal, summary.finalized_height) = (1, false, 20);
        let expected = "settled up to height 27, finalized up to 20, 569 transactions at 46.8 a second, latency p50 901 ms, p99 1160 ms; \
                        forks 1, errors 0, state roots NOT EQUAL";
        assert_eq!(in_words(&summary), expected);
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3_600)));
        for bad in ["", "s", "1d", "-1s", "1.5s", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
