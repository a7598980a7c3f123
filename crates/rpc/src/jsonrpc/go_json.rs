//! Writes JSON as Go's encoder does: `<`, `>`, `&`, U+2028 and U+2029 inside strings are escaped.

use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Serializes `value` on one line, without the final newline.
///
/// # Errors
/// Only those of `out`: the forms of this crate always serialize.
pub(crate) fn write<W: Write, T: Serialize + ?Sized>(out: W, value: &T) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, GoFormatter))
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(out, fragment)
    }

    /// An echoed id: these characters stand only inside strings, where both spellings mean the same.
    fn write_raw_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(out, fragment)
    }
}

fn write_escaped<W: Write + ?Sized>(out: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
        let (plain, tail) = rest.split_at(at);
        out.write_all(plain.as_bytes())?;
        let c = tail.chars().next().expect("a position inside the text");
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(out, "\\u{:04x}", c as u32)?,
            other => write!(out, "{other}")?,
        }
        rest = &tail[c.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    fn go(text: &str) -> String {
        let mut out = Vec::new();
        super::write(&mut out, text).expect("a Vec takes everything");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn escapes_what_go_escapes() {
        assert_eq!(go("a<b>&c"), r#""a\u003cb\u003e\u0026c""#);
        assert_eq!(go("\u{2028}\u{2029}é€\u{2027}"), "\"\\u2028\\u2029é€\u{2027}\"");
        assert_eq!(go("\"\\\n\u{1}/"), r#""\"\\\n\u0001/""#);
    }
}
