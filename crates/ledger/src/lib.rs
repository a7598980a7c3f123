//! State transition: accounts, two coins, stakes, rewards. Pure: (state, block) -> changes.
//!
//! - [`genesis_state`]: the state before the first block.
//! - [`execute_block`]: a received block on its parent; [`build_block`]: a block of our own.
//! - [`Screen`]: the mempool's judgement of pending transactions.
//! - [`make_reset`]: where a chain goes on whose committee is corrupt.
//! - [`queries`]: reads at a state. [`check_supply`]: every coin accounted for.
//!
//! Keys and values of the state are those of `spec/ledger.md` §4, and ours: `ls/params` (rules of the chain),
//! `ls/supply` (both coins' supply at genesis), and what `docs/decisions/0010` to `0012` name (checkpoints, guardian sets,
//! the highest certificate, who was slashed, the last reset). Result codes and texts are the reference's.
//!
//! What is deliberately not here: no clock, socket, disk, thread or randomness; no signature is verified (that is
//! [`vigil_crypto::verify_tx`], whose verdicts are read in the ledger's order of checks, and [`Proofs`]).
#![forbid(unsafe_code)]

mod block;
mod build;
mod contracts;
mod dry_run;
mod env;
mod error;
mod finality;
mod funds;
mod genesis;
mod keys;
mod pools;
pub mod queries;
mod receipts;
mod reset;
mod rewards;
mod rules;
mod screen;
mod simulate;
mod slashing;
mod stake;
mod state;
mod supply;
mod tx;
mod view;
mod warm;

#[cfg(test)]
mod tests;

pub use block::{BlockOutcome, Parent, execute_block};
pub use build::{BuildError, BuiltBlock, Proposal, build_block};
pub use contracts::{Ancestors, NoAncestors};
pub use dry_run::{DRY_RUN_MEMORY_MAX, DryRun, dry_run};
pub use env::{Env, Proofs, ScalarProofs};
pub use error::{ApplyError, BlockError, CertificateError, StateError, TxError, code};
pub use finality::Finalized;
pub use genesis::{GenesisState, GenesisStateError, genesis_guardian, genesis_state};
pub use reset::{ResetError, make_reset};
pub use rewards::{is_reward_height, minted_per_block};
pub use rules::{
    edge_node_deposit_min, edge_node_stake_max, fee_min, gas_price_min, gas_regular, guardian_deposit_min,
    guardian_stake_max, send_fee_min, tx_gas_max, validator_deposit_min,
};
pub use screen::{Screen, debited};
pub use simulate::{AccountOverride, Simulation};
pub use slashing::{Punishable, double_voters, punishable};
pub use stake::{StakeHeights, validator_set};
pub use state::{Reader, State};
pub use supply::{Supply, SupplyError, check_supply, coins_of};
