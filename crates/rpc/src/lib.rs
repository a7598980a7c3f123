//! JSON-RPC: the `theta.*` methods over HTTP and WebSocket, health, metrics, and a small client.
//!
//! [`Backend`] is what a node must answer; this crate owns the transport (`spec/rpc.md` §1), the JSON forms (§2, §3) and
//! the texts of errors about arguments. No chain rule is known here.
#![forbid(unsafe_code)]

mod backend;
mod error;

pub use backend::{
    AtBlock, Backend, BlockInfo, BlockLinks, BlockStatus, Read, StakeReturn, StateAt, Status, TxPlace, Validators, Version,
};
pub use error::BackendError;
