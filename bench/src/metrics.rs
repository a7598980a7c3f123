//! Reading a node's metrics page.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// Samples of a Prometheus page: name with labels to value.
pub(crate) type Samples = BTreeMap<String, f64>;

/// Reads `/metrics` of the node whose metrics port is `port` on this machine.
///
/// # Errors
/// The connection's; a page that is no text.
pub(crate) fn read(port: u16) -> std::io::Result<Samples> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(parse(page.split_once("\r\n\r\n").map_or("", |(_, body)| body)))
}

fn parse(page: &str) -> Samples {
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    page.lines().filter(|l| !l.starts_with('#')).filter_map(sample).collect()
}

/// What each stage took between two readings: stage to (seconds, times).
pub(crate) fn stages(before: &Samples, after: &Samples) -> BTreeMap<String, (f64, f64)> {
    const SUM: &str = "vigil_stage_seconds_sum{";
    let mut stages = BTreeMap::new();
    for (name, sum) in after.iter().filter(|(name, _)| name.starts_with(SUM)) {
        let Some(stage) = name.split("stage=\"").nth(1).and_then(|rest| rest.split('"').next()) else { continue };
        let count_name = name.replace("_sum{", "_count{");
        let grown = |key: &str, now: f64| now - before.get(key).copied().unwrap_or(0.0);
        let count = after.get(&count_name).copied().unwrap_or(0.0);
        stages.insert(stage.to_owned(), (grown(name, *sum), grown(&count_name, count)));
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_differences_of_sums_and_counts() {
        let before =
            parse("vigil_stage_seconds_sum{stage=\"execute\"} 1.5\nvigil_stage_seconds_count{stage=\"execute\"} 10\n");
        let after = parse(
            "# HELP x\nvigil_stage_seconds_sum{stage=\"execute\"} 2.5\nvigil_stage_seconds_count{stage=\"execute\"} 30\n\
             vigil_stage_seconds_sum{stage=\"store\"} 0.25\nvigil_stage_seconds_count{stage=\"store\"} 5\nother 3\n",
        );
        let stages = stages(&before, &after);
        assert_eq!(stages["execute"], (1.0, 20.0));
        assert_eq!(stages["store"], (0.25, 5.0));
        assert_eq!(stages.len(), 2);
    }
}
