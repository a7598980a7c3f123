//! From results to bytes.

use super::go_json;
use crate::BackendError;
use crate::limits::{ERROR_CHARS_MAX, RESPONSE_BYTES_MAX};
use crate::quota::{Account, Share};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io;

/// An error object of JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RpcError {
    /// -32700, -32600, -32601, -32602 or -32000.
    pub(crate) code: i32,
    /// The text.
    pub(crate) message: Cow<'static, str>,
}

impl RpcError {
    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: -32700, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: -32600, message: message.into() }
    }

    pub(crate) fn no_method(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: -32601, message: message.into() }
    }

    pub(crate) fn params(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: -32602, message: message.into() }
    }

    /// What a method itself says.
    pub(crate) fn method(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: -32000, message: message.into() }
    }
}

impl From<BackendError> for RpcError {
    fn from(error: BackendError) -> Self {
        Self::method(error.0)
    }
}

/// Bytes that the answers of one body take: of the limit of the body, and of what the client may hold.
#[derive(Debug)]
pub(crate) struct Budget(Share);

impl Budget {
    /// Nothing taken yet.
    pub(crate) fn of(account: &Account) -> Self {
        Self(account.share())
    }

    fn take(&self, bytes: usize) -> Result<(), io::ErrorKind> {
        if self.0.bytes() + bytes > RESPONSE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge);
        }
        self.0.grow(bytes).then_some(()).ok_or(io::ErrorKind::ResourceBusy)
    }

    fn give_back(&self, bytes: usize) {
        self.0.shrink(bytes);
    }
}

/// An answer, whole; its bytes count until it is dropped, which is when they are sent.
pub(crate) struct Line {
    bytes: Vec<u8>,
    _budget: Budget,
}

impl Line {
    /// Of `bytes` that were written under `budget`.
    pub(crate) fn new(bytes: Vec<u8>, budget: Budget) -> Self {
        Self { bytes, _budget: budget }
    }
}

impl AsRef<[u8]> for Line {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A result while it is written: `{"jsonrpc":"2.0","id":…,"result":…}`. A method writes exactly one JSON value, in one
/// piece or in several.
pub(crate) struct Answer<'a> {
    id: Option<&'a RawValue>,
    budget: &'a Budget,
    taken: usize,
    out: Vec<u8>,
}

impl<'a> Answer<'a> {
    /// `id`: as it stood in the request.
    pub(crate) fn new(id: Option<&'a RawValue>, budget: &'a Budget) -> Self {
        let mut out = Vec::with_capacity(256);
        write_head(&mut out, id, "result");
        Self { id, budget, taken: 0, out }
    }

    /// Appends a value to the result.
    ///
    /// # Errors
    /// If the answer would pass the limit, or those of others leave no room.
    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RpcError> {
        let bounded = Bounded { out: &mut self.out, budget: self.budget, taken: &mut self.taken };
        go_json::write(bounded, value).map_err(|why| match why.io_error_kind() {
            Some(io::ErrorKind::ResourceBusy) => RpcError::method("the node is busy with large answers: try again"),
            _ => {
                RpcError::method(format!("the answer is larger than {RESPONSE_BYTES_MAX} bytes: ask for less at once"))
            }
        })
    }

    /// Appends punctuation between elements.
    pub(crate) fn punctuation(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// The answer, or the error instead of what was written.
    pub(crate) fn finish(mut self, outcome: Result<(), RpcError>) -> Vec<u8> {
        match outcome {
            Ok(()) => self.out.push(b'}'),
            Err(error) => {
                self.budget.give_back(self.taken);
                self.out = error_object(self.id, &error);
            }
        }
        self.out
    }
}

/// An answer that is an error.
pub(crate) fn error_object(id: Option<&RawValue>, error: &RpcError) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write_head(&mut out, id, "error");
    let message = match error.message.char_indices().nth(ERROR_CHARS_MAX) {
        Some((end, _)) => format!("{} ...", &error.message[..end]).into(),
        None => error.message.clone(),
    };
    go_json::write(&mut out, &RpcError { code: error.code, message }).expect("a Vec takes everything");
    out.push(b'}');
    out
}

fn write_head(out: &mut Vec<u8>, id: Option<&RawValue>, what: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    match id {
        Some(id) => go_json::write(&mut *out, id).expect("a Vec takes everything"),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(what.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A writer that takes from the budget.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    budget: &'a Budget,
    taken: &'a mut usize,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.budget.take(bytes.len())?;
        *self.taken += bytes.len();
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
