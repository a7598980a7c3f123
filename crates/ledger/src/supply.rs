//! Where every coin is: the check that no coin appears or vanishes but by minting and burning.

use crate::error::{StateError, coins_text};
use crate::keys;
use crate::queries;
use crate::state::{State, decode};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_primitives::{Account, Coins, EdgeNode, StakeHolder, U256};

/// Coins that entered and left the supply since genesis, in wei. Carried beside the state, not in the trie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Supply {
    /// Rewards.
    pub minted: Coins,
    /// Fees.
    pub burned: Coins,
}

impl Supply {
    /// The totals after a block that minted and burned so much.
    pub(crate) fn after(&self, (minted, burned): (Coins, Coins)) -> Result<Self, StateError> {
        let add = |a: &Coins, b: &Coins| a.checked_add(b).map_err(|_| StateError::Overflow("minted or burned"));
        Ok(Self { minted: add(&self.minted, &minted)?, burned: add(&self.burned, &burned)? })
    }
}

/// The coins of a state do not add up.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// Found and expected differ.
    #[error("the state holds {found}; genesis + minted - burned is {expected}")]
    Mismatch {
        /// Sum over accounts, pools and stakes.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// Ours.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Adds up every coin of the state and compares with genesis + minted - burned. Reads the whole state.
///
/// # Errors
/// [`SupplyError`] if the sums differ or the state cannot be read.
pub fn check_supply(state: &State, supply: &Supply) -> Result<(), SupplyError> {
    let overflow = |_| StateError::Overflow("supply");
    let existed = queries::genesis_supply(state)?.checked_add(&supply.minted).map_err(overflow)?;
    let expected = existed.checked_sub(&supply.burned);
    let found = coins_of(state)?;
    if expected == Ok(found) {
        return Ok(());
    }
    let expected = expected.map_or_else(|_| "below zero".to_owned(), |coins| coins_text(&coins));
    Err(SupplyError::Mismatch { found: coins_text(&found), expected })
}

/// Every coin of a state: balances, reserved funds with their collateral, stakes (withdrawn ones too).
pub fn coins_of(state: &State) -> Result<Coins, StateError> {
    let mut sum = Coins::ZERO;
    let mut add = |coins: Coins| {
        sum = sum.checked_add(&coins).map_err(|_| StateError::Overflow("supply"))?;
        Ok::<(), StateError>(())
    };
    for entry in state.scan(keys::ACCOUNT_PREFIX, &[]) {
        let (key, value) = entry?;
        let account: Account = decode(&key, &value)?;
        add(account.balance)?;
        for fund in account.reserved_funds {
            add(fund.initial_fund.checked_sub(&fund.used_fund).unwrap_or(Coins::ZERO))?;
            add(fund.collateral)?;
        }
    }
    let candidates = queries::validator_pool(state)?.map(|pool| pool.sorted_candidates).unwrap_or_default();
    let guardians = queries::guardian_pool(state)?.map(|pool| pool.sorted_guardians).unwrap_or_default();
    for node in candidates.iter().chain(guardians.iter().map(|g| &g.holder)) {
        add(Coins::theta(locked(node)?))?;
    }
    for entry in state.scan(keys::EDGE_NODE_PREFIX, &[]) {
        let (key, value) = entry?;
        let node: EdgeNode = decode(&key, &value)?;
        add(Coins::tfuel(locked(&node.holder)?))?;
    }
    Ok(sum)
}

fn locked(node: &StakeHolder) -> Result<U256, StateError> {
    let sum = node.stakes.iter().try_fold(U256::ZERO, |sum, stake| sum.checked_add(stake.amount));
    sum.ok_or(StateError::Overflow("stake"))
}
