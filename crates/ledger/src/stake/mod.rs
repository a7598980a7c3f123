//! Stakes: the three pools, deposits, withdrawals and returns (`spec/ledger.md` §2.10, §2.11, §2.16, §3.6, §3.7).

mod edge_node;
mod guardian;
mod holder;
mod returns;
mod validator;

pub(crate) use edge_node::{EdgeNodeReturn, deposit_edge_node, edge_node_stake, withdraw_edge_node};
pub(crate) use guardian::{deposit_guardian, withdraw_guardian};
pub(crate) use holder::deposit;
pub(crate) use returns::return_stakes;
pub use validator::validator_set;
pub(crate) use validator::{deposit_validator, sorted_pool, withdraw_validator};

use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::Height;

/// Heights of transactions that changed validator stakes, one entry a transaction (`ls/sthl`).
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct StakeHeights {
    /// Ascending; genesis has 0.
    pub heights: Vec<Height>,
}
