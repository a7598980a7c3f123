//! Executing a block.

use crate::contracts::Contracts;
use crate::env::Env;
use crate::error::{ApplyError, BlockError, FinalityError, StateError};
use crate::finality::{include, remember_checkpoint};
use crate::receipts::receipts_digest;
use crate::rewards::{is_reward_height, rewards};
use crate::stake::{return_stakes, validator_set};
use crate::state::State;
use crate::supply::Supply;
use crate::tx::{self, Context, Runner};
use crate::view::View;
use alloy_rlp::{Encodable, Header, length_of_length};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, BlockHeader, Bytes, ChainParams, Hash, Height, Receipt, Tx, U256};
use vigil_trie::{BatchHasher, ordered_root_with};

/// What a block stands on.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Height of the parent.
    pub height: Height,
    /// Its time, Unix seconds.
    pub timestamp: u64,
    /// The state after it.
    pub state: State,
    /// Minted and burned until after it.
    pub supply: Supply,
}

/// What executing a block gave.
#[derive(Clone, Debug)]
pub struct BlockOutcome {
    /// The state after the block, warm.
    pub state: State,
    /// Its root.
    pub state_root: Hash,
    /// New nodes of its trie, children before parents; to be stored before the block is acknowledged.
    pub nodes: Vec<(Hash, Bytes)>,
    /// Minted and burned since genesis.
    pub supply: Supply,
    /// True if the validator set named by the state differs from the parent state's and is not empty
    /// (`docs/decisions/0004-set-change-flag.md`).
    pub validators_changed: bool,
    /// The validator set that the state names: stake in wei, by address ascending.
    pub validators: Vec<(Address, U256)>,
    /// Accounts that the block wrote, ascending; what a mempool has to look at again.
    pub touched: Vec<Address>,
    /// Of its contract transactions, in order.
    pub receipts: Vec<Receipt>,
}

impl BlockOutcome {
    /// The block of this outcome as a parent.
    pub fn as_parent(&self, header: &BlockHeader) -> Parent {
        let (height, timestamp) = (header.height, header.timestamp);
        Parent { height, timestamp, state: self.state.clone(), supply: self.supply }
    }
}

/// Executes a received block. Every transaction must succeed.
///
/// Checked here: height, time not before the parent's, transaction root, limits of count and bytes, coinbase first where
/// rewards are due, that there are no receipts, the guardians' certificate, each transaction, state root. Not here: that the parent is the header's,
/// chain id, signature, proposer, votes (consensus).
///
/// # Errors
/// [`BlockError::State`] is ours; every other error is the proposer's.
pub fn execute_block(
    env: &Env,
    parent: &Parent,
    header: &BlockHeader,
    txs: &[Arc<VerifiedTx>],
) -> Result<BlockOutcome, BlockError> {
    check_header(env.params, env.hasher, parent, header, txs)?;
    let mut view = View::new(parent.state.clone(), parent.height);
    begin(&mut view, env, header).map_err(|error| match error {
        FinalityError::Refused(error) => BlockError::Certificate { height: header.height, error },
        FinalityError::State(error) => BlockError::State(error),
    })?;
    let contracts = Contracts::new(env.params, header, env.ancestors);
    for (index, verified) in txs.iter().enumerate() {
        let context = Context::new(env.params, env.proofs, verified, header.height);
        tx::apply(&mut view, Runner::Block(&contracts), &context).map_err(|error| match error {
            ApplyError::Refused(error) => BlockError::Tx { height: header.height, index, hash: verified.hash(), error },
            ApplyError::State(error) => BlockError::State(error),
        })?;
    }
    let outcome = finish(env, parent, view)?;
    let (got, bloom) = receipts_digest(env.hasher, &outcome.receipts);
    if got != header.receipt_root {
        return Err(BlockError::ReceiptRoot { height: header.height, got, expected: header.receipt_root });
    }
    if bloom != *header.bloom {
        return Err(BlockError::Bloom { height: header.height });
    }
    if outcome.state_root != header.state_root {
        let (got, expected) = (outcome.state_root, header.state_root);
        return Err(BlockError::StateRoot { height: header.height, got, expected });
    }
    Ok(outcome)
}

/// What comes before the transactions: the parent is remembered if it is a checkpoint, the certificate is judged, and it is
/// found out what is to be paid.
pub(crate) fn begin(view: &mut View, env: &Env, header: &BlockHeader) -> Result<(), FinalityError> {
    view.proposer = Some(header.proposer);
    remember_checkpoint(view, env.params, header.parent)?;
    let certified = header.finality.as_deref().map(|cert| include(view, env, cert)).transpose()?;
    view.keep()?;
    if is_reward_height(env.params, view.height()) {
        view.rewards_due = Some(rewards(view, env, certified.as_ref())?);
    }
    Ok(())
}

/// End-of-block updates and commit.
pub(crate) fn finish(env: &Env, parent: &Parent, mut view: View) -> Result<BlockOutcome, StateError> {
    let Env { params, hasher, .. } = *env;
    return_stakes(&mut view, params)?;
    let supply = parent.supply.after(view.minted_and_burned())?;
    let touched = view.written_accounts();
    let receipts = view.take_receipts();
    let (mut state, commit) = view.commit(hasher)?;
    let after = state.validators()?;
    let before = parent.state.clone().validators()?;
    let set = |pool: &Option<_>| pool.as_deref().map(|p| validator_set(p, params.validators_max)).unwrap_or_default();
    let validators = set(&after);
    let validators_changed = before != after && !validators.is_empty() && set(&before) != validators;
    let (state_root, nodes) = (commit.root, commit.nodes);
    Ok(BlockOutcome { state, state_root, nodes, supply, validators_changed, validators, touched, receipts })
}

fn check_header(
    params: &ChainParams,
    hasher: &dyn BatchHasher,
    parent: &Parent,
    header: &BlockHeader,
    txs: &[Arc<VerifiedTx>],
) -> Result<(), BlockError> {
    let height = header.height;
    if parent.height.checked_add(1) != Some(height) {
        return Err(BlockError::Height { got: height, parent: parent.height });
    }
    if header.timestamp < parent.timestamp {
        return Err(BlockError::Timestamp { got: header.timestamp, parent: parent.timestamp });
    }
    // Before all that depends on the transactions: another body than the header's says nothing about the block.
    let got = ordered_root_with(hasher, txs.iter().map(|tx| tx.raw()));
    if got != header.tx_root {
        return Err(BlockError::TxRoot { height, got, expected: header.tx_root });
    }
    if txs.len() as u64 > params.block_txs_max {
        return Err(BlockError::TxCount { got: txs.len(), max: params.block_txs_max });
    }
    let bytes = block_bytes(header.length(), txs.iter().map(|tx| tx.raw().length()).sum());
    if bytes as u64 > params.block_bytes_max {
        return Err(BlockError::Bytes { got: bytes, max: params.block_bytes_max });
    }
    if is_reward_height(params, height) && !txs.first().is_some_and(|tx| matches!(tx.tx(), Tx::Coinbase(_))) {
        return Err(BlockError::CoinbaseMissing { height });
    }
    Ok(())
}

/// Length of a block's encoding, from the lengths of its header's encoding and of its transactions' items.
pub(crate) fn block_bytes(header: usize, txs: usize) -> usize {
    let list = Header { list: true, payload_length: txs }.length() + txs;
    let payload_length = header + list;
    length_of_length(payload_length) + payload_length
}
