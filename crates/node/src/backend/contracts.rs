//! Contract transactions that are run and not kept.

use super::{Answer, NodeBackend, internal};
use crate::chain::ExecutedBlock;
use crate::engine::Clock;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vigil_ledger::{ApplyError, DryRun, dry_run};
use vigil_primitives::{BlockHeader, SmartContract};
use vigil_rpc::{BackendError, ContractRun};

/// Runs a transaction on the tip's state, as if in the next block.
pub(super) async fn run(node: &NodeBackend, tx: SmartContract) -> Answer<ContractRun> {
    let (chain, tip) = (Arc::clone(&node.chain), node.tip());
    let job = move |stop: &AtomicBool| {
        let state = chain.state_of(&tip.block.header);
        dry_run(chain.params(), state, &next(&tip), chain.as_ref(), &tx.call(), stop)
    };
    match node.calls.run(job).await.map_err(BackendError::new)? {
        Ok(DryRun { output, contract, gas_used, error }) => Ok(ContractRun { output, contract, gas_used, error }),
        Err(ApplyError::Refused(refused)) => Err(BackendError::new(refused)),
        Err(ApplyError::State(error)) => Err(internal(error)),
    }
}

/// What contracts are told of the block after `parent`. Who will propose it is not known: it says the proposer of `parent`.
fn next(parent: &ExecutedBlock) -> BlockHeader {
    let header = &parent.block.header;
    BlockHeader {
        chain_id: header.chain_id.clone(),
        height: parent.as_parent.height + 1,
        parent: parent.hash,
        timestamp: Clock::unix_s().max(parent.as_parent.timestamp),
        proposer: header.proposer,
        ..BlockHeader::default()
    }
}
