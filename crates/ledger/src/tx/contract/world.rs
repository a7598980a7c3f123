//! The ledger as contracts see it.

use super::stakes::{Stakes, is_registered};
use crate::contracts::Contracts;
use crate::error::StateError;
use crate::keys;
use crate::state::corrupt;
use crate::view::View;
use std::sync::Arc;
use vigil_evm::{Code, EvmAccount, StakeOp, World};
use vigil_primitives::{Address, ChainParams, Coins, Hash, Height, U256};

/// The accounts of a view. What a contract stakes is written into the view at once, for it can be refused; nothing else
/// is.
pub(crate) struct Ledger<'a> {
    view: &'a mut View,
    params: &'a ChainParams,
    contracts: &'a Contracts<'a>,
    stakes: Stakes,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(view: &'a mut View, params: &'a ChainParams, contracts: &'a Contracts<'a>) -> Self {
        Self { view, params, contracts, stakes: Stakes::default() }
    }

    /// Coins that went from balances into stakes.
    pub(crate) fn into_staked(self) -> Result<Coins, StateError> {
        self.stakes.coins()
    }
}

impl World for Ledger<'_> {
    type Error = StateError;

    fn account(&mut self, address: &Address) -> Result<Option<EvmAccount>, StateError> {
        let account = self.view.look_at(address)?;
        Ok(account.map(|account| EvmAccount {
            balance: account.balance.tfuel,
            nonce: account.sequence,
            code_hash: account.code_hash,
        }))
    }

    fn code(&mut self, hash: &Hash) -> Result<Code, StateError> {
        let view = &*self.view;
        let warm = Arc::clone(&view.state().warm);
        warm.code(hash, || {
            let key = keys::code(hash);
            let code =
                view.get_raw(&key)?.ok_or_else(|| corrupt(&key, "an account has this code, and it is missing"))?;
            Ok(Code::new(code))
        })
    }

    fn slot(&mut self, address: &Address, slot: &U256) -> Result<U256, StateError> {
        self.view.slot(address, slot)
    }

    fn block_hash(&mut self, height: Height) -> Result<Hash, StateError> {
        if height.checked_add(1) == Some(self.contracts.block.height) {
            return Ok(self.contracts.parent);
        }
        let hash = self.contracts.ancestors.hash_at(&self.contracts.parent, height)?;
        // A node that does not know it must not go on: it would come to another state than the others.
        hash.ok_or_else(|| StateError::Ancestor { height, source: "it is not known".into() })
    }

    fn stake_token(&mut self, address: &Address) -> Result<U256, StateError> {
        Ok(self.view.look_at(address)?.map(|account| account.balance.theta).unwrap_or_default())
    }

    fn staked(&mut self, source: &Address) -> Result<U256, StateError> {
        self.view.staked_by(source)
    }

    fn is_registered(&mut self, op: &StakeOp) -> Result<bool, StateError> {
        is_registered(self.view, op)
    }

    fn stake(&mut self, op: &StakeOp) -> Result<bool, StateError> {
        self.stakes.push(self.view, self.params, op)
    }

    fn unstake(&mut self) {
        self.stakes.pop(self.view);
    }
}
