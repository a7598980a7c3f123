//! Where text goes: results to stdout, everything else to stderr.

use crate::CliError;
use serde::Serialize;
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};

/// How results are printed.
pub(crate) struct Output {
    /// `--json`: results are JSON only.
    pub(crate) json: bool,
}

impl Output {
    /// With or without `--json`.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One line on stdout. A closed pipe is not an error: the reader has seen enough.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let _closed_pipe = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
    }

    /// JSON on stdout, indented by 4, keys sorted (thetacli's form).
    pub(crate) fn json(&self, value: &Value) {
        self.line(indented(value));
    }

    /// `text` on stdout, or `value` with `--json`.
    pub(crate) fn result(&self, text: impl AsRef<str>, value: &Value) {
        if self.json { self.json(value) } else { self.line(text) }
    }

    /// What is no result, on stderr.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _closed_pipe = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// True if stderr is a terminal: then somebody watches.
    pub(crate) fn is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// The error on stderr.
    pub(crate) fn error(&self, error: &CliError) {
        let _closed_pipe = writeln!(std::io::stderr().lock(), "Error: {error}");
    }
}

/// Text of another machine without what is no visible text: it cannot steer the terminal, nor turn the line around.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    text.chars().filter(|c| !steers(*c)).collect()
}

/// JSON indented by 4. A `Value` keeps its keys sorted.
pub(crate) fn indented(value: &impl Serialize) -> String {
    let mut out = Vec::with_capacity(256);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    value.serialize(&mut serializer).expect("results serialize");
    String::from_utf8(out).expect("JSON is UTF-8")
}
