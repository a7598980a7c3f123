//! JSON forms of domain values, in the key order of `spec/rpc.md` §2 and §3.
//!
//! Each form borrows the value and serializes straight into the answer; nothing is copied on the way.

mod account;
mod block;
mod finality;
mod pools;
mod receipt;
mod scalars;
mod tx;

pub(crate) use account::{AccountJson, SplitRuleJson};
pub(crate) use block::{BlockJson, HeaderJson, finality, synthetic_genesis};
pub(crate) use finality::{FinalityCertJson, GuardianInfoJson};
pub(crate) use pools::{HolderJson, ReturnJson, StakeJson};
pub(crate) use receipt::{BalanceChangesJson, ReceiptJson, shown_tx};
pub(crate) use scalars::{Big, Checksum, U64s};
pub(crate) use tx::TxJson;
