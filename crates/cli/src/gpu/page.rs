//! A page of metrics in Prometheus' text form.

use crate::output::plain;
use std::collections::BTreeMap;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Sample {
    /// A label; empty if it has none of this name.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// The samples of a page; lines that are none are left out.
pub(super) fn samples(page: &str) -> Vec<Sample> {
    page.lines().filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).filter(|_| !line.starts_with('#'))?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A time may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// The labels, and what follows their closing brace.
fn labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = quoted(rest)?;
        labels.insert(name.trim().to_owned(), value);
        text = rest;
    }
}

/// A text up to its closing quote, with `\\` and `\"` read, and what follows. It comes from another machine and goes to a
/// terminal, so what is no visible text is left out.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((plain(&value), &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_names_labels_and_values() {
        let page = "# HELP a b\n# TYPE a counter\nplain 3\nwith{op=\"recover\",backend=\"avx2\"} 2.5 1700000000\n\
                    odd{card=\"GeForce \\\"X\\\" {1}, a\\\\b\\n\",} 1e3\n\nhuge +Inf\n";
        let read = samples(page);
        let brief: Vec<_> = read.iter().map(|s| (s.name.as_str(), s.labels.len(), s.value)).collect();
        assert_eq!(brief, [("plain", 0, 3.0), ("with", 2, 2.5), ("odd", 1, 1000.0), ("huge", 0, f64::INFINITY)]);
        assert_eq!((read[1].label("op"), read[1].label("backend"), read[1].label("card")), ("recover", "avx2", ""));
        assert_eq!(read[2].label("card"), "GeForce \"X\" {1}, a\\b");
    }

    #[test]
    fn labels_cannot_steer_a_terminal() {
        let page = "a{card=\"\x1b]0;title\x07\x1b[2JH\u{9b}1m \u{202e}200\\n\u{85}\x7f\",op=\"\x1b[31mrecover\r\"} 1\n";
        let read = &samples(page)[0];
        assert_eq!((read.label("card"), read.label("op")), ("]0;title[2JH1m 200", "[31mrecover"));
    }

    #[test]
    fn what_is_no_sample_is_left_out() {
        for line in
            ["", "#", "name", "name{", "name{a} 1", "name{a=\"b} 1", "name{a=\"b\"}", "name x", "<html>", "é 1é"]
        {
            assert_eq!(samples(line), [], "{line}");
        }
    }
}
