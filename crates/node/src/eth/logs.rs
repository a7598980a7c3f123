//! Logs by the index of logs.

use super::blocks::BlockCache;
use super::{Answer, internal};
use crate::backend::NodeBackend;
use crate::chain::About;
use alloy_rpc_types_eth::{Filter, Log};
use std::collections::BTreeSet;
use vigil_primitives::{Hash, Height};
use vigil_rpc::eth::{EthAt, EthBlock, EthError};
use vigil_rpc::limits::{LOG_BYTES_MAX, LOGS_MAX};

/// Logs of settled blocks that match, in order.
pub(super) fn between(
    node: &NodeBackend,
    cache: &BlockCache,
    from: Height,
    to: Height,
    filter: &Filter,
) -> Answer<Vec<Log>> {
    let mut found = Found::default();
    for height in heights(node, from, to, filter)? {
        let block = cache.block(node, EthAt::Number(height))?;
        found.add(&*block.ok_or(EthError::UnknownBlock)?, filter)?;
    }
    Ok(found.logs)
}

/// Logs of one block that match, in order.
pub(super) fn of_block(node: &NodeBackend, cache: &BlockCache, hash: Hash, filter: &Filter) -> Answer<Vec<Log>> {
    let block = cache.block(node, EthAt::Hash(hash))?.ok_or(EthError::UnknownBlock)?;
    let mut found = Found::default();
    found.add(&block, filter)?;
    Ok(found.logs)
}

/// Heights of blocks in which each part of the filter is met by some log.
fn heights(node: &NodeBackend, from: Height, to: Height, filter: &Filter) -> Answer<BTreeSet<Height>> {
    let union = |abouts: Vec<About<'_>>| {
        let mut all = BTreeSet::new();
        for about in abouts {
            all.append(&mut node.chain.heights_with_logs(about, from, to).map_err(internal)?);
        }
        Ok::<_, EthError>(all)
    };
    let mut parts: Vec<Vec<About<'_>>> = vec![filter.address.iter().map(About::Address).collect()];
    for (position, topics) in (0u8..).zip(&filter.topics) {
        parts.push(topics.iter().map(|topic| About::Topic(position, topic)).collect());
    }
    parts.retain(|part| !part.is_empty());
    let Some(first) = parts.pop() else { return union(vec![About::Anything]) };
    let mut heights = union(first)?;
    for part in parts {
        if heights.is_empty() {
            break;
        }
        let others = union(part)?;
        heights.retain(|height| others.contains(height));
    }
    Ok(heights)
}

/// Matching logs, within limits.
#[derive(Default)]
struct Found {
    logs: Vec<Log>,
    bytes: usize,
}

impl Found {
    fn add(&mut self, block: &EthBlock, filter: &Filter) -> Answer<()> {
        let mut log_index = 0;
        for (transaction_index, info) in (0u64..).zip(&block.txs) {
            for log in &info.receipt.logs {
                let index = log_index;
                log_index += 1;
                if !filter.matches_address(log.address) || !filter.matches_topics(log.data.topics()) {
                    continue;
                }
                self.bytes += log.data.data.len();
                if self.logs.len() == LOGS_MAX {
                    return Err(EthError::TooManyLogs(LOGS_MAX));
                }
                if self.bytes > LOG_BYTES_MAX {
                    return Err(EthError::TooMuchLogData(LOG_BYTES_MAX));
                }
                self.logs.push(Log {
                    inner: log.clone(),
                    block_hash: Some(block.hash),
                    block_number: Some(block.header.height),
                    block_timestamp: Some(block.header.timestamp),
                    transaction_hash: Some(info.tx.hash),
                    transaction_index: Some(transaction_index),
                    log_index: Some(index),
                    removed: false,
                });
            }
        }
        Ok(())
    }
}
