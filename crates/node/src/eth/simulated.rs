//! What a call runs in: a state, a block, and what is overridden.

use super::{Answer, blocks, internal, now, state_error};
use crate::backend::NodeBackend;
use crate::chain::Chain;
use alloy_rpc_types_eth::state::{AccountOverride as Given, EvmOverrides};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vigil_evm::{Access, Lenience, Limits, Message};
use vigil_ledger::{AccountOverride, Ancestors, Simulation, StateError, tx_gas_max};
use vigil_primitives::{BlockHeader, Hash, Height, U256};
use vigil_rpc::eth::{EthAt, EthError};
use vigil_rpc::limits::RESPONSE_BYTES_MAX;

/// Largest memory of the frames of a call, together, in bytes.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;
/// A trace takes in memory less than its JSON.
pub(super) const TRACE_BYTES_MAX: usize = RESPONSE_BYTES_MAX;

/// What a call is run on, found before it waits for a thread: it takes no lock that the making of blocks may wait for.
pub(super) struct Ground {
    chain: Arc<Chain>,
    /// The block that the call is part of.
    header: BlockHeader,
    /// Hash of the block whose state it is; it may be the block itself.
    state_of: BlockHeader,
    /// Blocks on the branch that are not settled.
    branch: Vec<(Height, Hash)>,
    overrides: EvmOverrides,
}

/// Hashes of blocks as a call sees them.
pub(super) struct Past<'a> {
    chain: &'a Chain,
    branch: &'a [(Height, Hash)],
    given: BTreeMap<u64, Hash>,
}

impl Ancestors for Past<'_> {
    fn hash_at(&self, _parent: &Hash, height: Height) -> Result<Option<Hash>, StateError> {
        let above = self.branch.iter().find(|(known, _)| *known == height).map(|(_, hash)| *hash);
        match self.given.get(&height).copied().or(above) {
            Some(hash) => Ok(Some(hash)),
            None => self.chain.settled_hash_at(height),
        }
    }
}

impl Ground {
    /// A call in the state after a block and as part of it; of the tip as part of the block after it.
    pub(super) fn find(node: &NodeBackend, at: EthAt, overrides: EvmOverrides) -> Answer<Self> {
        let hash = blocks::hash_at(node, at)?.ok_or(EthError::UnknownBlock)?;
        let block = node.chain.block(&hash).map_err(internal)?.ok_or(EthError::UnknownBlock)?;
        let state_of = block.header.clone();
        let header = match at {
            EthAt::Tip => BlockHeader {
                chain_id: state_of.chain_id.clone(),
                height: state_of.height + 1,
                parent: hash,
                timestamp: now().max(state_of.timestamp),
                proposer: state_of.proposer,
                ..BlockHeader::default()
            },
            _ => state_of.clone(),
        };
        let branch = node.chain.tip().branch(&hash).iter().map(|block| (block.as_parent.height, block.hash)).collect();
        Ok(Self { chain: Arc::clone(&node.chain), header, state_of, branch, overrides })
    }

    /// Runs `work` in a simulation of this ground.
    pub(super) fn simulate<T>(&self, work: impl FnOnce(&mut Simulation<'_>) -> Answer<T>) -> Answer<T> {
        let block = self.overrides.block.as_deref();
        let given = block.and_then(|block| block.block_hash.clone()).unwrap_or_default();
        let past = Past { chain: &self.chain, branch: &self.branch, given: given.into_iter().collect() };
        let state = self.chain.state_of(&self.state_of);
        let mut simulation = Simulation::new(self.chain.params(), state, &self.header, &past);
        if let Some(block) = block {
            override_block(&mut simulation, block)?;
        }
        for (address, account) in self.overrides.state.iter().flatten() {
            let account = account_override(account);
            simulation.set_account(*address, account).map_err(|error| self.state_error(error))?;
        }
        work(&mut simulation)
    }

    /// The message of a request, and what is not checked of it. Its gas is the most that a transaction may have, unless it
    /// says less.
    pub(super) fn message(&self, request: &TransactionRequest) -> (Message, Lenience) {
        let params = self.chain.params();
        let max = tx_gas_max(params, self.header.height);
        let price = request.gas_price.or(request.max_fee_per_gas).unwrap_or_default();
        let tip = request.max_priority_fee_per_gas.or(request.max_fee_per_gas.map(|_| 0));
        let access = request.access_list.as_ref().map(|list| {
            let item = |item: &alloy_rpc_types_eth::AccessListItem| Access {
                address: item.address,
                slots: item.storage_keys.clone(),
            };
            list.0.iter().map(item).collect()
        });
        let message = Message {
            from: request.from.unwrap_or_default(),
            to: request.to.and_then(|to| to.to().copied()),
            nonce: request.nonce.unwrap_or_default(),
            value: request.value.unwrap_or_default(),
            stake_token: U256::ZERO,
            data: request.input.input().cloned().unwrap_or_default(),
            gas_limit: request.gas.unwrap_or(max).min(max),
            max_fee_per_gas: price,
            max_priority_fee_per_gas: tip.filter(|_| price > 0),
            access_list: access,
            blobs: None,
        };
        let lenience =
            Lenience { nonce: true, balance: false, base_fee: price == 0, sender: true, memory_max: Some(MEMORY_MAX) };
        (message, lenience)
    }

    /// Why the state could not be read.
    pub(super) fn state_error(&self, error: StateError) -> EthError {
        state_error(error, self.state_of.height)
    }
}

/// What bounds a call.
pub(super) fn limits(stop: &AtomicBool) -> Limits<'_> {
    Limits { stop, trace_bytes_max: TRACE_BYTES_MAX }
}

fn override_block(simulation: &mut Simulation<'_>, given: &BlockOverrides) -> Answer<()> {
    let mut block = simulation.block();
    if let Some(number) = given.number {
        block.height = number.try_into().map_err(|_| EthError::new("block override: number passes 64 bits"))?;
    }
    block.difficulty = given.difficulty.unwrap_or(block.difficulty);
    block.timestamp = given.time.unwrap_or(block.timestamp);
    block.gas_max = given.gas_limit.unwrap_or(block.gas_max);
    block.proposer = given.coinbase.unwrap_or(block.proposer);
    block.randomness = given.random.unwrap_or(block.randomness);
    if let Some(base_fee) = given.base_fee {
        block.base_fee = base_fee.try_into().map_err(|_| EthError::new("block override: base fee passes 64 bits"))?;
    }
    simulation.set_block(block);
    Ok(())
}

fn account_override(given: &Given) -> AccountOverride {
    let slots = given.state.as_ref().or(given.state_diff.as_ref());
    let slots = slots.into_iter().flatten();
    AccountOverride {
        balance: given.balance,
        nonce: given.nonce,
        code: given.code.clone(),
        clears_storage: given.state.is_some(),
        slots: slots.map(|(slot, value)| (U256::from_be_bytes(slot.0), U256::from_be_bytes(value.0))).collect(),
    }
}
