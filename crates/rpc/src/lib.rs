//! JSON-RPC: the `theta.*` methods and the Ethereum side over HTTP and WebSocket, health, metrics, and a small client.
//!
//! [`Backend`] and [`eth::EthBackend`] are what a node must answer; this crate owns the transport (`spec/rpc.md` §1), the JSON forms (§2, §3) and
//! the texts of errors about arguments. No chain rule is known here.
//!
//! - [`serve`] answers `/rpc`, `/ws` and `/` on one listener.
//! - [`serve_eth`] answers the Ethereum side on another, HTTP and WebSocket alike (§6, §7).
//! - [`health_router`] and [`serve_health`] answer `/health/live`, `/health/ready` and `/metrics` on another.
//! - [`Client`] calls such a server.
#![forbid(unsafe_code)]

mod answering;
mod backend;
mod client;
mod error;
pub mod eth;
mod health;
mod json;
mod jsonrpc;
pub mod limits;
mod methods;
mod quota;
mod server;
mod values;

pub use backend::Backend;
pub use client::{Client, ClientError, RpcRefusal};
pub use error::BackendError;
pub use health::{RenderMetrics, health_router, serve_health};
pub use server::{JwtSecret, ServerConfig, serve, serve_eth};
pub use values::{
    AtBlock, BlockInfo, BlockLinks, BlockStatus, Card, CertAt, CertInfo, ContractRun, GuardianInfo, Read, StakeReturn,
    StateAt, Status, TxPlace, Validators, Version,
};
