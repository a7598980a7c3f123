//! What the two sides do differently.

use super::go_json;
use serde::Serialize;
use std::io::Write;

/// Whose JSON-RPC is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Requests have exactly the keys of `spec/rpc.md` §1; text is escaped as Go does.
    Theta,
    /// Other keys of a request are ignored, `null` parameters are none; text is escaped as JSON wants.
    Ethereum,
}

impl Dialect {
    /// Serializes `value` on one line, without the final newline.
    ///
    /// # Errors
    /// Only those of `out`: the forms of this crate always serialize.
    pub(crate) fn write<W: Write, T: Serialize + ?Sized>(self, out: W, value: &T) -> serde_json::Result<()> {
        match self {
            Self::Theta => go_json::write(out, value),
            Self::Ethereum => serde_json::to_writer(out, value),
        }
    }
}
