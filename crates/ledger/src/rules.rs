//! Amounts that depend on the height: fees and least stakes (`spec/ledger.md` §2.4, §2.5, §2.10, §8).
//!
//! Heights are data of the genesis file, so that one node can follow chains with different histories.

use crate::error::tokens;
use vigil_primitives::{ChainParams, Height, U256};

const FEE_MIN_OLD: u64 = 1_000_000_000_000;
const FEE_MIN: u64 = 300_000_000_000_000_000;
const VALIDATOR_DEPOSIT_MIN_OLD: u64 = 2_000_000;
const GUARDIAN_DEPOSIT_MIN_OLD: u64 = 10_000;
const EDGE_NODE_DEPOSIT_MIN: u64 = 10_000;
const EDGE_NODE_STAKE_MAX: u64 = 500_000;
/// Largest part of a reward that a distribution may give away, in hundredths of a per cent.
pub(crate) const SPLIT_BASIS_POINTS_MAX: u64 = 1_000;
/// Hundredths of a per cent in a whole.
pub(crate) const BASIS_POINTS: u64 = 10_000;
/// Gas of a transaction that runs no code; it only ranks the mempool.
const GAS_REGULAR_OLD: u64 = 10_000;
const GAS_REGULAR: u64 = 80_000;

const GAS_PRICE_MIN_OLD: u64 = 100_000_000;
const GAS_PRICE_MIN: u64 = 4_000_000_000_000;
const TX_GAS_MAX_OLD: u64 = 10_000_000;

/// Least fee of most transactions in a block of `height`, in wei of the operational token.
pub fn fee_min(params: &ChainParams, height: Height) -> U256 {
    U256::from(if height < params.forks.june_2021_fee_adjustment { FEE_MIN_OLD } else { FEE_MIN })
}

/// Least fee of a send that touches `accounts` accounts.
pub fn send_fee_min(params: &ChainParams, height: Height, accounts: usize) -> U256 {
    let fee = fee_min(params, height);
    if height < params.forks.june_2021_fee_adjustment {
        return fee;
    }
    let accounts = U256::from(accounts.max(2));
    accounts.saturating_mul(fee) / U256::from(2)
}

/// Gas that a transaction without code stands for when the mempool ranks it.
pub fn gas_regular(params: &ChainParams, height: Height) -> u64 {
    if height < params.forks.june_2021_fee_adjustment { GAS_REGULAR_OLD } else { GAS_REGULAR }
}

/// Least price of a unit of gas, in wei of the operational token: the base fee of every block.
pub fn gas_price_min(params: &ChainParams, height: Height) -> U256 {
    U256::from(if height < params.forks.june_2021_fee_adjustment { GAS_PRICE_MIN_OLD } else { GAS_PRICE_MIN })
}

/// Most gas of a transaction.
pub fn tx_gas_max(params: &ChainParams, height: Height) -> u64 {
    let old = height < params.forks.june_2021_fee_adjustment;
    if old { params.tx_gas_max.min(TX_GAS_MAX_OLD) } else { params.tx_gas_max }
}

/// Least single validator deposit, in wei of the stake token.
pub fn validator_deposit_min(params: &ChainParams, height: Height) -> U256 {
    let old = height < params.forks.validator_minimum_200k;
    tokens(if old { VALIDATOR_DEPOSIT_MIN_OLD } else { params.validator_deposit_min })
}

/// Least single guardian deposit, in wei of the stake token.
pub fn guardian_deposit_min(params: &ChainParams, height: Height) -> U256 {
    let old = height < params.forks.guardian_minimum_1000;
    tokens(if old { GUARDIAN_DEPOSIT_MIN_OLD } else { params.guardian_deposit_min })
}

/// Largest total stake of a guardian, in wei of the stake token, if the chain has one.
pub fn guardian_stake_max(params: &ChainParams) -> Option<U256> {
    (params.guardian_stake_max != 0).then(|| tokens(params.guardian_stake_max))
}

/// Least single deposit with an elite edge node, in wei of the operational token.
pub fn edge_node_deposit_min() -> U256 {
    tokens(EDGE_NODE_DEPOSIT_MIN)
}

/// Largest total stake of an elite edge node, in wei of the operational token.
pub fn edge_node_stake_max() -> U256 {
    tokens(EDGE_NODE_STAKE_MAX)
}
