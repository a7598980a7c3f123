//! Traces.

use super::calls::{message, overrides};
use super::{EthMethods, Written};
use crate::eth::tags::Tag;
use crate::eth::values::CallArgs;
use crate::jsonrpc::{Answer, Positional, RpcError, invalid};
use alloy_rpc_types_trace::geth::{GethDebugTracerType, GethDebugTracingCallOptions, GethDebugTracingOptions};

pub(super) async fn transaction(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (hash, options) = (args.hash(0)?, options(args, 1)?);
    let trace = eth.backend.trace_transaction(hash, options).await?;
    out.write(&trace.ok_or_else(|| RpcError::method("transaction not found"))?)
}

pub(super) async fn call(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let request = message(eth, args)?;
    let at = Tag::read(args, 1)?.state(eth.backend.as_ref())?;
    let options: GethDebugTracingCallOptions = args.optional(2)?.unwrap_or_default();
    if options.tx_index.is_some() {
        return Err(invalid(2, "txIndex is not supported: a message runs after the block's transactions"));
    }
    let overrides = overrides(2, options.state_overrides, options.block_overrides)?;
    let options = known_tracer(options.tracing_options, 2)?;
    out.write(&eth.backend.trace_call(CallArgs { request, at, overrides }, options).await?)
}

pub(super) async fn block_by_number(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    block(eth, args.text(0, Tag::number_or_name)?, args, out).await
}

pub(super) async fn block_by_hash(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    block(eth, Tag::Hash(args.hash(0)?), args, out).await
}

async fn block(eth: &EthMethods, tag: Tag, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let options = options(args, 1)?;
    let at = tag.state(eth.backend.as_ref())?;
    out.write(&eth.backend.trace_block(at, options).await?)
}

fn options(args: &Positional<'_>, at: usize) -> Result<GethDebugTracingOptions, RpcError> {
    known_tracer(args.optional(at)?.unwrap_or_default(), at)
}

/// Tracers written in JavaScript are not run.
fn known_tracer(options: GethDebugTracingOptions, at: usize) -> Result<GethDebugTracingOptions, RpcError> {
    match &options.tracer {
        Some(GethDebugTracerType::JsTracer(_)) => Err(invalid(at, "tracer not found: only built-in tracers are run")),
        _ => Ok(options),
    }
}
