//! What gas costs. The base fee never changes (DESIGN §4).

use super::{EthMethods, Written, turn};
use crate::eth::EthAt;
use crate::eth::EthError;
use crate::eth::json::U64;
use crate::eth::tags::{Tag, height};
use crate::eth::values::{EthBlock, EthRules};
use crate::jsonrpc::{Answer, Positional, RpcError, invalid};
use crate::limits::{FEE_BLOCKS_MAX, PERCENTILES_MAX, REWARD_BLOCKS_MAX};
use alloy_rpc_types_eth::FeeHistory;
use serde::Deserialize;
use vigil_primitives::U256;

/// The least price is enough: blocks are not full of those who pay more.
pub(super) fn base_fee(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&U256::from(eth.rules().base_fee))
}

pub(super) fn max_priority_fee(_: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&U64::ZERO)
}

/// Newest `count` blocks up to `newest`; fewer where the limits or the chain's beginning say so.
pub(super) async fn history(eth: &EthMethods, args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    let (count, percentiles) = (count(args)?, percentiles(args)?);
    args.required(1)?;
    let newest = args.text(1, Tag::number_or_name)?.height(eth.backend.as_ref());
    let newest = newest.ok_or_else(|| EthError::new("finalized block not found"))?;
    let head = eth.backend.heads().settled.0;
    if newest > head {
        let text = format!("request beyond head block: requested {newest}, head {head}");
        return Err(RpcError::method(text));
    }
    let most = if percentiles.is_some() { REWARD_BLOCKS_MAX } else { FEE_BLOCKS_MAX };
    let count = count.min(most).min(newest.saturating_add(1));
    if count == 0 {
        return out.write(&FeeHistory::default());
    }
    let rules = eth.rules();
    let oldest = newest + 1 - count;
    let mut history = FeeHistory {
        base_fee_per_gas: vec![rules.base_fee; count as usize + 1],
        base_fee_per_blob_gas: vec![0; count as usize + 1],
        blob_gas_used_ratio: vec![0.0; count as usize],
        oldest_block: oldest,
        reward: percentiles.as_ref().map(|_| Vec::new()),
        ..FeeHistory::default()
    };
    let _running = turn(&eth.long_reads).await;
    for height in oldest..=newest {
        let summary = eth.backend.summary(height).await?.ok_or(EthError::UnknownBlock)?;
        history.gas_used_ratio.push(summary.gas_used as f64 / rules.block_gas_max.max(1) as f64);
        if let (Some(percentiles), Some(rewards)) = (&percentiles, &mut history.reward) {
            let block = eth.backend.block(EthAt::Number(height)).await?.ok_or(EthError::UnknownBlock)?;
            rewards.push(tips(&block, percentiles, &rules));
        }
    }
    out.write(&history)
}

/// A number: hex text as usual, or decimal, as some tools send.
fn count(args: &Positional<'_>) -> Result<u64, RpcError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(u64),
        Text(String),
    }
    match args.json(0)? {
        Count::Number(count) => Ok(count),
        Count::Text(text) => {
            let decimal = text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            decimal.map_or_else(|| height(&text), Ok).map_err(|why| invalid(0, why))
        }
    }
}

fn percentiles(args: &Positional<'_>) -> Result<Option<Vec<f64>>, RpcError> {
    let Some(percentiles) = args.optional::<Vec<f64>>(2)? else { return Ok(None) };
    if percentiles.len() > PERCENTILES_MAX {
        return Err(RpcError::method(format!("invalid reward percentile: over the query limit {PERCENTILES_MAX}")));
    }
    let mut before = 0.0;
    for percentile in &percentiles {
        if !(0.0..=100.0).contains(percentile) {
            return Err(RpcError::method(format!("invalid reward percentile: {percentile}")));
        }
        if *percentile < before {
            let text = format!("invalid reward percentile: {before} stands before {percentile}");
            return Err(RpcError::method(text));
        }
        before = *percentile;
    }
    Ok((!percentiles.is_empty()).then_some(percentiles))
}

/// For each percentile of the block's gas, cheapest first, what the transaction there pays above the base fee.
fn tips(block: &EthBlock, percentiles: &[f64], rules: &EthRules) -> Vec<u128> {
    let base = U256::from(rules.base_fee);
    let tip = |price: U256| u128::try_from(price.saturating_sub(base)).unwrap_or(u128::MAX);
    let mut paid: Vec<(u128, u64)> = block
        .txs
        .iter()
        .map(|info| (tip(info.tx.fees.effective_price(rules.base_fee)), info.receipt.gas_used))
        .collect();
    paid.sort_unstable();
    let all: u64 = paid.iter().map(|(_, gas)| gas).sum();
    let (mut at, mut gas) = (0, paid.first().map_or(0, |(_, gas)| *gas));
    let mut tip_at = |percentile: f64| {
        let threshold = all as f64 * percentile / 100.0;
        while (gas as f64) < threshold && at + 1 < paid.len() {
            at += 1;
            gas += paid[at].1;
        }
        paid.get(at).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(|percentile| tip_at(*percentile)).collect()
}
