//! From results to bytes.

use super::go_json;
use crate::BackendError;
use crate::limits::RESPONSE_BYTES_MAX;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Bytes that the answers of one body may still take; shared by the requests of a batch.
#[derive(Debug)]
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    /// The whole limit.
    pub(crate) fn full() -> Self {
        Self(AtomicUsize::new(RESPONSE_BYTES_MAX))
    }

    fn take(&self, bytes: usize) -> Result<(), ()> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| ())
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
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
    /// If the answer would pass the limit.
    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RpcError> {
        let bounded = Bounded { out: &mut self.out, budget: self.budget, taken: &mut self.taken };
        go_json::write(bounded, value).map_err(|_| too_large())
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
    go_json::write(&mut out, error).expect("a Vec takes everything");
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
        self.budget.take(bytes.len()).map_err(|()| io::Error::from(io::ErrorKind::OutOfMemory))?;
        *self.taken += bytes.len();
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_large() -> RpcError {
    RpcError::method(format!("the answer is larger than {RESPONSE_BYTES_MAX} bytes: ask for less at once"))
}
