//! Wiring: the only crate that sees all the others.
//!
//! [`Node`] opens a data directory and runs these parts:
//!
//! | part | where it runs | what it owns |
//! |---|---|---|
//! | [`engine`] | a thread | the consensus machine, the signing journal |
//! | [`executor`] | a thread | execution, building, settlement; writes the store |
//! | [`pool`] | a thread for admission | the mempool, verified transactions |
//! | [`reporter`] | a task | faults that are not punished yet |
//! | [`guardians`] | a thread | finalization machines, guardians' journals |
//! | network loop | a task | network events, block sync |
//! | [`backend`] | tasks of the RPC server | nothing: it reads |
//!
//! Engine -> executor: jobs, in order. Executor -> engine: answers. Network -> engine: messages, bounded; a slow engine
//! slows the network down. A block's data is on disk before the engine hears that it was executed, and the journal is
//! synced before a vote for it leaves.
//!
//! All signatures and hashes of batches go through one verification engine ([`accel`]).
//!
//! [`localnet`] runs a private network of real processes, [`load`] puts load on one.
#![forbid(unsafe_code)]

pub mod accel;
pub mod backend;
pub mod calls;
pub mod chain;
mod config;
pub mod engine;
mod eth;
pub mod executor;
pub mod genesis;
pub mod guardian_keys;
pub mod guardians;
pub mod health;
mod keys;
pub mod layout;
pub mod load;
pub mod localnet;
mod net_loop;
mod node;
pub mod node_key;
pub mod pool;
pub mod reporter;
mod sent_log;
mod serve_blocks;
mod stages;
mod status;
mod sync_driver;
pub mod telemetry;

pub use config::{BackendChoice, Config, ConfigError, ConfigValue, ENV_PREFIX, Key, Source};
pub use keys::NodeKeys;
pub use node::{Node, NodeError, StartOptions};
