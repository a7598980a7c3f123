//! Traces of messages, transactions and blocks.

use super::calls::{failed, on_ground};
use super::simulated::limits;
use super::{Answer, blocks, internal, state_error};
use crate::backend::NodeBackend;
use crate::chain::Chain;
use alloy_rpc_types_trace::geth::GethDebugTracingOptions;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vigil_crypto::{Scalar, VerifiedTx, verify_txs};
use vigil_evm::{Failure, GethTrace, Lenience, TraceError, TracedTx};
use vigil_ledger::{ApplyError, Env, Simulation, StateError};
use vigil_primitives::{Block, Hash};
use vigil_rpc::eth::{CallArgs, EthAt, EthError};
use vigil_rpc::limits::RESPONSE_BYTES_MAX;
use vigil_trie::ScalarHasher;

pub(super) async fn call(
    node: &NodeBackend,
    args: CallArgs,
    options: GethDebugTracingOptions,
) -> Answer<Box<RawValue>> {
    on_ground(node, args, |ground, simulation, (message, lenience), stop| {
        let traced = simulation.trace(message, lenience, TracedTx::default(), options, limits(stop));
        match traced {
            Ok((_, trace)) => json(&trace),
            Err(TraceError::Failure(failure)) => Err(failed(ground, failure)),
            Err(TraceError::Tracer(why)) => Err(EthError::new(why)),
        }
    })
    .await
}

pub(super) async fn transaction(
    node: &NodeBackend,
    hash: Hash,
    options: GethDebugTracingOptions,
) -> Answer<Option<Box<RawValue>>> {
    let Some((block_hash, _, index)) = node.chain.settled_tx(&hash).map_err(internal)? else { return Ok(None) };
    let Some(replay) = Replay::find(node, block_hash)? else { return Ok(None) };
    let wanted = usize::try_from(index).map_err(internal)?;
    let job = move |stop: &AtomicBool| {
        let mut found = None;
        replay.run(stop, &options, Some(wanted), &mut |_, trace| {
            found = Some(json(trace)?);
            Ok(())
        })?;
        Ok(found)
    };
    node.calls.run(job).await.map_err(EthError::new)?
}

/// A transaction of a block, traced.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfBlock<'a> {
    tx_hash: Hash,
    result: &'a RawValue,
}

pub(super) async fn block(node: &NodeBackend, at: EthAt, options: GethDebugTracingOptions) -> Answer<Box<RawValue>> {
    let hash = blocks::hash_at(node, at)?.ok_or(EthError::UnknownBlock)?;
    let replay = Replay::find(node, hash)?.ok_or(EthError::UnknownBlock)?;
    let job = move |stop: &AtomicBool| {
        let mut out = String::from("[");
        replay.run(stop, &options, None, &mut |tx_hash, trace| {
            let result = json(trace)?;
            let one = json(&OfBlock { tx_hash, result: &result })?;
            if out.len() + one.get().len() > RESPONSE_BYTES_MAX {
                return Err(EthError::new("the traces of this block are too large: trace its transactions one by one"));
            }
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(one.get());
            Ok(())
        })?;
        out.push(']');
        RawValue::from_string(out).map_err(EthError::new)
    };
    node.calls.run(job).await.map_err(EthError::new)?
}

fn json<T: Serialize + ?Sized>(value: &T) -> Answer<Box<RawValue>> {
    to_raw_value(value).map_err(EthError::new)
}

/// A block that is executed once more.
struct Replay {
    chain: Arc<Chain>,
    hash: Hash,
    block: Arc<Block>,
    parent: Arc<Block>,
}

impl Replay {
    /// `None`: there is no such block, or it is genesis.
    fn find(node: &NodeBackend, hash: Hash) -> Answer<Option<Self>> {
        let Some(block) = node.chain.block(&hash).map_err(internal)? else { return Ok(None) };
        let parent = node.chain.block(&block.header.parent).map_err(internal)?;
        Ok(parent.map(|parent| Self { chain: Arc::clone(&node.chain), hash, block, parent }))
    }

    /// Executes the block and shows the traces of its contract transactions, or that of the `wanted` transaction alone
    /// (its place in the block), with their Ethereum hashes.
    fn run(
        &self,
        stop: &AtomicBool,
        options: &GethDebugTracingOptions,
        wanted: Option<usize>,
        show: &mut dyn FnMut(Hash, &GethTrace) -> Answer<()>,
    ) -> Answer<()> {
        let (chain, header) = (&*self.chain, &self.block.header);
        let (params, proofs, number) = (chain.params(), chain.proofs().as_ref(), chain.tx_domain().eth_number().0);
        let height = self.parent.header.height;
        let env = Env { params, hasher: &ScalarHasher, proofs, ancestors: chain };
        let mut simulation = Simulation::new(params, chain.state_of(&self.parent.header), header, chain);
        simulation.begin(&env, header).map_err(|error| state_error(error, height))?;
        let mut contract = 0;
        for (index, tx) in self.txs(wanted)?.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Err(EthError::new("execution aborted: it took too long"));
            }
            if wanted.is_none_or(|wanted| wanted == index)
                && let Some(message) = simulation.message(proofs, tx).map_err(|error| refused(error, height))?
            {
                let hash = tx.tx().eth_hash(number).unwrap_or(tx.hash());
                let place = TracedTx { hash: Some(hash), block: Some(self.hash), index: Some(contract) };
                let traced = simulation.trace(message, Lenience::default(), place, options.clone(), limits(stop));
                match traced {
                    Ok((_, trace)) => show(hash, &trace)?,
                    Err(TraceError::Tracer(why)) => return Err(EthError::new(why)),
                    Err(TraceError::Failure(failure)) => return Err(trace_failed(failure, height)),
                }
            }
            contract += usize::from(tx.tx().contract_call().is_some());
            if wanted == Some(index) {
                break;
            }
            simulation.execute(proofs, tx).map_err(|error| refused(error, height))?;
        }
        Ok(())
    }

    /// The block's transactions, up to the wanted one.
    fn txs(&self, wanted: Option<usize>) -> Answer<Vec<VerifiedTx>> {
        let count = wanted.map_or(usize::MAX, |wanted| wanted + 1);
        let raws = self.block.txs.iter().take(count).cloned();
        let txs = verify_txs(&Scalar, &self.chain.tx_domain(), raws);
        txs.into_iter().collect::<Result<_, _>>().map_err(internal)
    }
}

fn trace_failed(failure: Failure<StateError>, height: u64) -> EthError {
    match failure {
        Failure::World(error) => state_error(error, height),
        other => EthError::new(other),
    }
}

fn refused(error: ApplyError, height: u64) -> EthError {
    match error {
        ApplyError::State(error) => state_error(error, height),
        ApplyError::Refused(error) => {
            EthError::new(format!("internal error: a settled transaction is refused: {error}"))
        }
    }
}
