//! Executions that are watched: calls with a time limit, access lists, traces (revm-inspectors).

use crate::db::{Reader, apart};
use crate::limits::{Limited, Limits, StepCost};
use crate::machine::Machine;
use crate::outcome::{Executed, Failure};
use crate::rules::Message;
use crate::world::World;
use alloy_rpc_types_eth::AccessList;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethDefaultTracingOptions, GethTrace};
use revm::context::result::ResultAndState;
use revm::inspector::NoOpInspector;
use revm_inspectors::access_list::AccessListInspector;
use revm_inspectors::tracing::{DebugInspector, TransactionContext};
use vigil_primitives::Hash;

/// What a step takes in the memory of a struct log, in bytes, besides stack and memory.
const STEP_BYTES: usize = 400;

/// Where a traced transaction stands, for tracers that tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TracedTx {
    /// Its hash.
    pub hash: Option<Hash>,
    /// Its block.
    pub block: Option<Hash>,
    /// Its place among the contract transactions of the block.
    pub index: Option<usize>,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError<E: std::error::Error> {
    /// The execution failed, or was ended.
    #[error(transparent)]
    Failure(#[from] Failure<E>),
    /// The tracer is unknown, or its configuration is none.
    #[error("{0}")]
    Tracer(String),
}

impl Machine {
    /// As [`Machine::run`], within limits.
    ///
    /// # Errors
    /// As [`Machine::run`]; [`Failure::Stopped`].
    pub fn call<W: World>(
        &mut self,
        world: &mut W,
        message: Message,
        limits: Limits<'_>,
    ) -> Result<Executed, Failure<W::Error>> {
        apart(world, |world| {
            let inspector = Limited::new(NoOpInspector, limits, StepCost::default());
            let (ran, _) = self.inspect(world, message, inspector);
            ran.map(|ran| self.executed(ran))
        })
    }

    /// As [`Self::call`], and what was touched: an access list that makes it cheaper, without sender, recipient and
    /// precompiles, which are always warm.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn access_list<W: World>(
        &mut self,
        world: &mut W,
        message: Message,
        limits: Limits<'_>,
    ) -> Result<(Executed, AccessList), Failure<W::Error>> {
        apart(world, |world| {
            let inspector = Limited::new(AccessListInspector::default(), limits, StepCost::default());
            let (ran, inspector) = self.inspect(world, message, inspector);
            Ok((self.executed(ran?), inspector.inner.into_access_list()))
        })
    }

    /// As [`Self::call`], with a trace in the form of geth's tracers.
    ///
    /// # Errors
    /// As [`Self::call`]; [`TraceError::Tracer`].
    pub fn trace<W: World>(
        &mut self,
        world: &mut W,
        message: Message,
        place: TracedTx,
        options: GethDebugTracingOptions,
        limits: Limits<'_>,
    ) -> Result<(Executed, GethTrace), TraceError<W::Error>> {
        let cost = step_cost(&options);
        let inspector = DebugInspector::new(options).map_err(|error| TraceError::Tracer(error.to_string()))?;
        let traced = apart(world, |world| {
            let (ran, mut inspector) = self.inspect(&mut *world, message, Limited::new(inspector, limits, cost));
            let ran = ran?;
            let context = TransactionContext { block_hash: place.block, tx_hash: place.hash, tx_index: place.index };
            let watched = ResultAndState { result: ran.result.clone(), state: ran.state.clone() };
            let mut database = Reader::new(world, self.rules().stake_token);
            let trace = inspector.inner.get_result(Some(context), &ran.tx, self.block(), &watched, &mut database);
            Ok((self.executed(ran), trace.map_err(|error| error.to_string())))
        });
        let (executed, trace) = traced?;
        Ok((executed, trace.map_err(TraceError::Tracer)?))
    }
}

/// Struct logs hold each step; the other tracers only look.
fn step_cost(options: &GethDebugTracingOptions) -> StepCost {
    if options.tracer.as_ref().is_some_and(|tracer| !tracer.as_str().is_empty()) {
        return StepCost::default();
    }
    let config: &GethDefaultTracingOptions = &options.config;
    let memory = config.enable_memory.unwrap_or(config.disable_memory == Some(false));
    StepCost { fixed: STEP_BYTES, stack: config.disable_stack != Some(true), memory }
}
