//! JSON-RPC 2.0 as the reference speaks it (`spec/rpc.md` §1, §6): bytes in, bytes out, no transport.

mod args;
mod dialect;
mod go_json;
mod positional;
mod request;
mod response;

pub(crate) use args::{Args, lenient_address, lenient_hash, strict_hex};
pub(crate) use dialect::Dialect;
pub(crate) use positional::{Positional, invalid, quantity};
pub(crate) use request::{Body, Request, read_body};
pub(crate) use response::{Answer, Budget, Line, RpcError, error_object, notification};
