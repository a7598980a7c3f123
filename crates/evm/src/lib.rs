//! Contracts: revm over whatever holds the accounts.
//!
//! [`Machine`] runs transactions on a [`World`], which it only reads; what a transaction changes is in its [`Executed`].
//! The ledger is a world; so is, in tests, a map.
//!
//! Beyond Ethereum there is the stake token: a transaction may carry it, and the precompiles 201 to 207 read, move and
//! stake it (`spec/ledger.md` §9.4). Fees are burned. Both are parts of the [`Rules`], and absent from Ethereum's own.
//!
//! What is deliberately not here: accounts, storage, signatures, receipts' bytes, blocks.
#![forbid(unsafe_code)]

mod db;
mod fork;
mod handler;
mod limits;
mod machine;
mod outcome;
mod precheck;
mod precompiles;
mod rules;
mod stake_token;
mod trace;
mod world;

pub use alloy_rpc_types_eth::AccessList;
pub use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
pub use fork::Fork;
pub use limits::Limits;
pub use machine::Machine;
pub use outcome::{Executed, Failure, Halt, Invalid, Log, Status};
pub use rules::{Access, BlockContext, Fees, Lenience, Message, Rules};
pub use trace::{TraceError, TracedTx};
pub use world::{Change, Code, Deposit, EvmAccount, StakeOp, World};
