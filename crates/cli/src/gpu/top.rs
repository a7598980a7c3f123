//! `vigil gpu top`: what each backend of a running node does at present.

use super::fetch::Url;
use super::page::samples;
use super::rates::{Rates, Reading};
use crate::{CliError, Output};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Screen cleared, from its upper left corner on.
const CLEARED: &str = "\x1b[H\x1b[2J";

/// Which node, how often.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The node's metrics
    #[arg(long, default_value = "http://127.0.0.1:16900/metrics", value_name = "URL")]
    url: Url,
    /// Time between two readings, as in 500ms, 1s, 1m
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = interval)]
    interval: Duration,
    /// One table after one interval, and no more
    #[arg(long)]
    once: bool,
}

/// Reads and prints until Ctrl-C, or once. Where stdout is no terminal, tables follow each other.
pub(super) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let in_place = !args.once && !output.json && std::io::stdout().is_terminal();
    let (mut before, mut at) = read(&args.url)?;
    loop {
        std::thread::sleep(args.interval);
        let (after, now) = read(&args.url)?;
        let rates = Rates::between(&before, &after, (now - at).as_secs_f64());
        let head = if in_place { CLEARED } else { "" };
        output.result(format!("{head}{}\n{}", args.url, rates.in_words()), &rates.as_json());
        if args.once {
            return Ok(());
        }
        (before, at) = (after, now);
    }
}

fn read(url: &Url) -> Result<(Reading, Instant), CliError> {
    let page = url.fetch()?;
    let reading = Reading::of(&samples(&page)).ok_or_else(|| {
        CliError::failed(format!(
            "{url} has no metrics of a Vigil node: a node's are at http://ADDRESS:PORT/metrics, with metrics.port of its configuration (16900)"
        ))
    })?;
    Ok((reading, Instant::now()))
}

/// From a tenth of a second to an hour.
fn interval(text: &str) -> Result<Duration, String> {
    let time = match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => crate::localnet::duration(text).ok(),
    };
    let allowed = Duration::from_millis(100)..=Duration::from_secs(3_600);
    let must = "must be from 100ms to 1h: a number with ms, s, m or h, as in 1s";
    time.filter(|time| allowed.contains(time)).ok_or_else(|| must.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units_and_bounds() {
        for (text, millis) in [("100ms", 100), ("1s", 1_000), ("2", 2_000), ("1m", 60_000), ("1h", 3_600_000)] {
            assert_eq!(interval(text), Ok(Duration::from_millis(millis)));
        }
        for bad in ["", "0s", "99ms", "61m", "2h", "-1s", "ms", "soon", "18446744073709551615m"] {
            assert!(interval(bad).is_err_and(|why| why.contains("100ms to 1h")), "{bad}");
        }
    }
}
