//! What can be known of a transaction without the accounts.

use crate::{Fork, Invalid, Message};
use revm::context_interface::cfg::GasParams;
use revm::primitives::eip3860::MAX_INITCODE_SIZE;

impl Message {
    /// Checks what depends on nothing but the fork: its kind, the gas that it needs at least, the length of its creation
    /// code, its tip.
    ///
    /// # Errors
    /// [`Invalid`]: it can be in no block.
    pub fn precheck(&self, fork: Fork) -> Result<(), Invalid> {
        let since = match self {
            Self { blobs: Some(_), .. } => "cancun",
            Self { max_priority_fee_per_gas: Some(_), .. } => "london",
            Self { access_list: Some(_), .. } => "berlin",
            _ => "frontier",
        };
        if !fork.includes(since) {
            return Err(Invalid::Kind);
        }
        if self.max_priority_fee_per_gas.is_some_and(|tip| tip > self.max_fee_per_gas) {
            return Err(Invalid::Tip);
        }
        if fork.includes("shanghai") && self.to.is_none() && self.data.len() > MAX_INITCODE_SIZE {
            return Err(Invalid::InitCodeSize);
        }
        let want = self.gas_needed(fork);
        if want > self.gas_limit {
            return Err(Invalid::IntrinsicGas { limit: self.gas_limit, want });
        }
        Ok(())
    }

    /// The gas that it needs at least: the intrinsic gas, or the floor of its data's price (EIP-7623).
    pub fn gas_needed(&self, fork: Fork) -> u64 {
        let access = self.access_list.as_deref().unwrap_or_default();
        let (accounts, slots) = (access.len(), access.iter().map(|item| item.slots.len()).sum::<usize>());
        let params = GasParams::new_spec(fork.0);
        let create = self.to.is_none();
        let gas = params.initial_tx_gas(&self.data, create, accounts as u64, slots as u64, 0, None);
        if fork.includes("prague") { gas.initial_total_gas().max(gas.floor_gas()) } else { gas.initial_total_gas() }
    }
}
