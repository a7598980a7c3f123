//! Building a block.

use crate::block::{BlockOutcome, Parent, begin, block_bytes, finish};
use crate::contracts::Contracts;
use crate::env::Env;
use crate::error::{ApplyError, CertificateError, FinalityError, StateError, TxError};
use crate::receipts::receipts_digest;
use crate::tx::{self, Context, Runner};
use crate::view::View;
use alloy_rlp::Encodable;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use vigil_crypto::{TxDomain, VerifiedTx, verify_tx};
use vigil_primitives::{
    Address, Block, BlockHeader, Bytes, ChainParams, Coinbase, Coins, Hash, SIGNATURE_BYTES, SignBytes, Signature, Tx,
    TxInput, TxOutput, TxWrapper, keccak256,
};
use vigil_trie::ordered_root_with;

/// What the builder is asked for.
pub struct Proposal<'a> {
    /// Chain id, epoch, height, parent, HCC, time and proposer of the block; the rest is filled in. `finality` is an
    /// offer: it is left out where it does not belong ([`BuiltBlock::refused_certificate`]).
    pub header: BlockHeader,
    /// False: transactions that write the pool of validator candidates are left out (`spec/consensus.md` §1.12).
    pub allow_set_change: bool,
    /// In order of preference; of one account in order of sequence.
    pub candidates: &'a [Arc<VerifiedTx>],
    /// Signs a digest with the proposer's key, for the coinbase.
    pub sign: &'a dyn Fn(&Hash) -> Signature,
}

/// A block that lacks only the proposer's signature.
#[derive(Clone, Debug)]
pub struct BuiltBlock {
    /// The block; its header is unsigned.
    pub block: Block,
    /// The transactions of the block.
    pub txs: Vec<Arc<VerifiedTx>>,
    /// What executing it gives; signing changes nothing of it.
    pub outcome: BlockOutcome,
    /// Candidates that were refused, and why. Many only come too early or stand in the parent's branch already.
    pub dropped: Vec<(Hash, TxError)>,
    /// Candidates that were left for a later block: they write the pool of validator candidates, need more gas than is left, or
    /// come after such a one of their account.
    pub deferred: Vec<Hash>,
    /// Why the certificate that was offered is left out. Most often it stands in the branch already.
    pub refused_certificate: Option<CertificateError>,
}

/// Why no block was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Our own coinbase is refused: a bug, or a key that is not the proposer's.
    #[error("own coinbase is refused: {0}")]
    Coinbase(String),
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Builds a block of the candidates that succeed, within the limits of the genesis, coinbase first where it is due.
///
/// # Errors
/// [`BuildError`]; never for a bad candidate.
pub fn build_block(env: &Env, parent: &Parent, proposal: Proposal) -> Result<BuiltBlock, BuildError> {
    let Proposal { mut header, allow_set_change, candidates, sign } = proposal;
    let mut view = View::new(parent.state.clone(), parent.height);
    let refused_certificate = begin_or_leave_out(&mut view, env, &mut header)?;
    let mut packer = Packer::new(env.params, &header);
    let contracts = Contracts::new(env.params, &header, env.ancestors);
    let runner = Runner::Block(&contracts);
    let mut waiting = HashSet::new();
    let (mut dropped, mut deferred) = (Vec::new(), Vec::new());
    if let Some(rewards) = view.rewards_due.clone() {
        let coinbase = coinbase(env.params, &view, rewards, header.proposer, sign)?;
        let context = Context::new(env.params, env.proofs, &coinbase, view.height());
        tx::apply(&mut view, runner, &context).map_err(|e| BuildError::Coinbase(e.to_string()))?;
        packer.add(coinbase);
    }
    for candidate in candidates {
        if !packer.fits(candidate) {
            break;
        }
        let sender = candidate.tx().sender().map(|(address, _)| address);
        let needs = candidate.tx().contract_call().map_or(0, |call| call.gas_limit);
        // One that needs more than a whole block is refused below, it would wait for ever.
        let is_full = needs <= env.params.block_gas_max && needs > env.params.block_gas_max - view.gas_used();
        if is_full || sender.is_some_and(|sender| waiting.contains(&sender)) {
            waiting.extend(sender);
            deferred.push(candidate.hash());
            continue;
        }
        let context = Context::new(env.params, env.proofs, candidate, view.height());
        match tx::dispatch(&mut view, runner, &context) {
            Ok(()) if !allow_set_change && view.tx_writes_validators() => {
                view.discard();
                deferred.push(candidate.hash());
            }
            Ok(()) => {
                view.keep()?;
                packer.add(Arc::clone(candidate));
            }
            Err(ApplyError::Refused(error)) => {
                view.discard();
                dropped.push((candidate.hash(), error));
            }
            Err(ApplyError::State(error)) => return Err(error.into()),
        }
    }
    let txs = packer.txs;
    let outcome = finish(env, parent, view)?;
    (header.receipt_root, *header.bloom) = receipts_digest(env.hasher, &outcome.receipts);
    header.tx_root = ordered_root_with(env.hasher, txs.iter().map(|tx| tx.raw()));
    header.state_root = outcome.state_root;
    header.signature = Signature::none();
    let block = Block { header, txs: txs.iter().map(|tx| tx.raw().clone()).collect() };
    Ok(BuiltBlock { block, txs, outcome, dropped, deferred, refused_certificate })
}

/// Begins the block, without the certificate if that is refused.
fn begin_or_leave_out(
    view: &mut View,
    env: &Env,
    header: &mut BlockHeader,
) -> Result<Option<CertificateError>, StateError> {
    let refused = match begin(view, env, header) {
        Ok(()) => return Ok(None),
        Err(FinalityError::State(error)) => return Err(error),
        Err(FinalityError::Refused(error)) => error,
    };
    view.discard();
    header.finality = None;
    match begin(view, env, header) {
        Ok(()) => Ok(Some(refused)),
        Err(FinalityError::State(error)) => Err(error),
        Err(FinalityError::Refused(error)) => unreachable!("there is no certificate to refuse: {error}"),
    }
}

/// Keeps to the limits of a block.
struct Packer<'a> {
    params: &'a ChainParams,
    header_bytes: usize,
    tx_bytes: usize,
    txs: Vec<Arc<VerifiedTx>>,
}

impl<'a> Packer<'a> {
    fn new(params: &'a ChainParams, header: &BlockHeader) -> Self {
        let signed = BlockHeader { signature: Signature::from([1; SIGNATURE_BYTES]), ..header.clone() };
        Self { params, header_bytes: signed.length(), tx_bytes: 0, txs: Vec::new() }
    }

    fn fits(&self, tx: &VerifiedTx) -> bool {
        let bytes = block_bytes(self.header_bytes, self.tx_bytes + tx.raw().length());
        (self.txs.len() as u64) < self.params.block_txs_max && bytes as u64 <= self.params.block_bytes_max
    }

    fn add(&mut self, tx: Arc<VerifiedTx>) {
        self.tx_bytes += tx.raw().length();
        self.txs.push(tx);
    }
}

fn coinbase(
    params: &ChainParams,
    view: &View,
    rewards: BTreeMap<Address, Coins>,
    proposer: Address,
    sign: &dyn Fn(&Hash) -> Signature,
) -> Result<Arc<VerifiedTx>, BuildError> {
    let outputs = rewards.into_iter().map(|(address, coins)| TxOutput { address, coins }).collect();
    let proposer = TxInput { address: proposer, ..TxInput::default() };
    let mut tx = Coinbase { proposer, outputs, block_height: view.parent_height() };
    let bytes = SignBytes::of(&params.chain_id, &Tx::Coinbase(tx.clone())).wrapped(TxWrapper::V1);
    tx.proposer.signature = sign(&keccak256(bytes));
    let domain = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() };
    let raw = Bytes::from(Tx::Coinbase(tx).to_raw());
    verify_tx(&domain, raw).map(Arc::new).map_err(|e| BuildError::Coinbase(e.to_string()))
}
