//! JSON of Ethereum's objects. Numbers are hex without leading zeros ([`U64`], [`U256`](vigil_primitives::U256)); hashes,
//! addresses and bytes have all their digits.

mod block;
mod receipt;
mod tx;

pub(super) use block::{BlockJson, HeaderJson, places};
pub(super) use receipt::{ReceiptJson, logs_at};
pub(super) use tx::TxJson;

pub(super) use alloy_primitives::U64;
