//! From results to bytes.

use super::Dialect;
use crate::BackendError;
use crate::limits::{ERROR_CHARS_MAX, RESPONSE_BYTES_MAX};
use crate::quota::{Account, Share};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io;
use vigil_primitives::Bytes;

/// An error object of JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RpcError {
    /// -32700, -32600, -32601, -32602 or -32000; on the Ethereum side also 3 and -32005.
    pub(crate) code: i32,
    /// The text.
    pub(crate) message: Cow<'static, str>,
    /// What a reverted contract returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Bytes>,
}

impl RpcError {
    pub(crate) fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32700, message)
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32600, message)
    }

    pub(crate) fn no_method(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32601, message)
    }

    pub(crate) fn params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32602, message)
    }

    /// What a method itself says.
    pub(crate) fn method(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32000, message)
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
        if self.bytes() + bytes > RESPONSE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge);
        }
        self.0.grow(bytes).then_some(()).ok_or(io::ErrorKind::ResourceBusy)
    }

    /// What is taken.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn give_back(&self, bytes: usize) {
        self.0.shrink(bytes);
    }
}

/// An answer, whole; its bytes count until it is dropped, which is when they are sent.
pub(crate) struct Line {
    bytes: Vec<u8>,
    budget: Budget,
}

impl Line {
    /// Of `bytes` that were written under `budget`.
    pub(crate) fn new(bytes: Vec<u8>, budget: Budget) -> Self {
        Self { bytes, budget }
    }

    /// The bytes, and what they count until it is dropped.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Budget) {
        (self.bytes, self.budget)
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
    dialect: Dialect,
    id: Option<&'a RawValue>,
    budget: &'a Budget,
    /// Of `out`; the head and the punctuation follow when it is finished.
    taken: usize,
    /// Empty until the first piece, so that waiting for a method holds nothing.
    out: Vec<u8>,
}

impl<'a> Answer<'a> {
    /// `id`: as it stood in the request.
    pub(crate) fn new(dialect: Dialect, id: Option<&'a RawValue>, budget: &'a Budget) -> Self {
        Self { dialect, id, budget, taken: 0, out: Vec::new() }
    }

    /// Appends a value to the result.
    ///
    /// # Errors
    /// If the answer would pass the limit, or those of others leave no room.
    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RpcError> {
        self.open();
        let bounded = Bounded { out: &mut self.out, budget: self.budget, taken: &mut self.taken };
        self.dialect
            .write(bounded, value)
            .map_err(|why| no_room(why.io_error_kind().unwrap_or(io::ErrorKind::FileTooLarge)))
    }

    /// Appends punctuation between elements.
    pub(crate) fn punctuation(&mut self, byte: u8) {
        self.open();
        self.out.push(byte);
    }

    /// The answer, or the error instead of what was written.
    pub(crate) fn finish(mut self, outcome: Result<(), RpcError>) -> Vec<u8> {
        self.out.push(b'}');
        let taken = outcome.and_then(|()| self.budget.take(self.out.len() - self.taken).map_err(no_room));
        let Err(error) = taken else { return self.out };
        self.budget.give_back(self.taken);
        let line = error_object(self.dialect, self.id, &error);
        match self.budget.take(line.len()) {
            Ok(()) => line,
            // Its id and its text may be long: neither is repeated.
            Err(kind) => error_object(self.dialect, None, &no_room(kind)),
        }
    }

    fn open(&mut self) {
        if self.out.is_empty() {
            write_head(self.dialect, &mut self.out, self.id, "result");
        }
    }
}

/// A line that nobody asked for: `{"jsonrpc":"2.0","method":…,"params":…}`.
///
/// # Errors
/// If it would pass the limit, or those of others leave no room.
pub(crate) fn notification<T: Serialize>(method: &str, params: &T, account: &Account) -> Result<Line, RpcError> {
    #[derive(Serialize)]
    struct Notification<'a, T> {
        jsonrpc: &'static str,
        method: &'a str,
        params: &'a T,
    }
    let (budget, mut out, mut taken) = (Budget::of(account), Vec::new(), 0);
    let bounded = Bounded { out: &mut out, budget: &budget, taken: &mut taken };
    let written = Dialect::Ethereum.write(bounded, &Notification { jsonrpc: "2.0", method, params });
    written.map_err(|why| no_room(why.io_error_kind().unwrap_or(io::ErrorKind::FileTooLarge)))?;
    out.push(b'\n');
    Ok(Line::new(out, budget))
}

fn no_room(kind: io::ErrorKind) -> RpcError {
    match kind {
        io::ErrorKind::ResourceBusy => RpcError::method("the node is busy with large answers: try again"),
        _ => RpcError::method(format!("the answer is larger than {RESPONSE_BYTES_MAX} bytes: ask for less at once")),
    }
}

/// An answer that is an error.
pub(crate) fn error_object(dialect: Dialect, id: Option<&RawValue>, error: &RpcError) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write_head(dialect, &mut out, id, "error");
    let message = match error.message.char_indices().nth(ERROR_CHARS_MAX) {
        Some((end, _)) => format!("{} ...", &error.message[..end]).into(),
        None => error.message.clone(),
    };
    let error = RpcError { code: error.code, message, data: error.data.clone() };
    dialect.write(&mut out, &error).expect("a Vec takes everything");
    out.push(b'}');
    out
}

fn write_head(dialect: Dialect, out: &mut Vec<u8>, id: Option<&RawValue>, what: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    match id {
        Some(id) => dialect.write(&mut *out, id).expect("a Vec takes everything"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SMALL_BYTES_MAX;
    use crate::quota::Quota;
    use std::net::{IpAddr, Ipv4Addr};

    fn account(bytes: usize) -> Account {
        Quota::new(bytes).account(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    fn text(line: &[u8]) -> &str {
        std::str::from_utf8(line).expect("JSON is UTF-8")
    }

    #[test]
    fn whole_answers_count_whether_results_or_errors() {
        let id = serde_json::value::to_raw_value(&"<".repeat(1_000)).expect("text");
        for outcome in [Ok(()), Err(RpcError::params("<".repeat(100)))] {
            let budget = Budget::of(&account(0));
            let mut answer = Answer::new(Dialect::Theta, Some(&id), &budget);
            answer.punctuation(b'[');
            answer.write("result").expect("room");
            answer.punctuation(b']');
            let line = answer.finish(outcome);
            assert!(line.len() > 6_000);
            assert_eq!(budget.0.bytes(), line.len(), "{}", text(&line));
        }
    }

    #[test]
    fn errors_without_room_are_short() {
        let id = serde_json::value::to_raw_value(&"<".repeat(1_000)).expect("text");
        let account = account(0);
        let budget = Budget::of(&account);
        budget.take(SMALL_BYTES_MAX - 1_000).expect("free");
        let line = Answer::new(Dialect::Theta, Some(&id), &budget).finish(Err(RpcError::params("wrong")));
        let busy = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"the node is busy with large answers: try again"}}"#;
        assert_eq!(text(&line), busy);
        assert_eq!(budget.0.bytes(), SMALL_BYTES_MAX - 1_000);
    }
}
