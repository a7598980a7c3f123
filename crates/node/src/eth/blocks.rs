//! Blocks in Ethereum's form.

use super::txs::eth_tx;
use super::{Answer, internal};
use crate::backend::NodeBackend;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_primitives::{Block, BlockHeader, Bytes, Hash, Height, Receipt, Tx, TxType, keccak256, rlp};
use vigil_rpc::eth::{EthAt, EthBlock, EthBlockSummary, EthError, EthReceipt, EthTxInfo};

/// Most blocks kept decoded, and most bytes of their transactions and logs together: subscribers and tools ask for the newest
/// ones again and again.
const BLOCKS_MAX: NonZeroUsize = NonZeroUsize::new(64).unwrap();
const BLOCK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most blocks whose gas is kept.
const SUMMARIES_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Blocks that were asked for lately. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct BlockCache(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    blocks: LruCache<Hash, Arc<EthBlock>>,
    bytes: usize,
    summaries: LruCache<Height, EthBlockSummary>,
}

impl Default for BlockCache {
    fn default() -> Self {
        let (blocks, summaries) = (LruCache::new(BLOCKS_MAX), LruCache::new(SUMMARIES_MAX));
        Self(Arc::new(Mutex::new(Kept { blocks, bytes: 0, summaries })))
    }
}

impl BlockCache {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block with its contract transactions.
    pub(super) fn block(&self, node: &NodeBackend, at: EthAt) -> Answer<Option<Arc<EthBlock>>> {
        let Some(hash) = hash_at(node, at)? else { return Ok(None) };
        if let Some(block) = self.kept().blocks.get(&hash) {
            return Ok(Some(Arc::clone(block)));
        }
        let Some(block) = node.chain.block(&hash).map_err(internal)? else { return Ok(None) };
        let Some(receipts) = node.chain.receipts(&hash).map_err(internal)? else { return Ok(None) };
        let block = Arc::new(eth_block(node, hash, &block, &receipts)?);
        self.keep(Arc::clone(&block));
        Ok(Some(block))
    }

    fn keep(&self, block: Arc<EthBlock>) {
        let mut kept = self.kept();
        let bytes = size(&block);
        if bytes > BLOCK_BYTES_MAX {
            return;
        }
        while kept.bytes + bytes > BLOCK_BYTES_MAX || kept.blocks.len() == BLOCKS_MAX.get() {
            let Some((_, oldest)) = kept.blocks.pop_lru() else { break };
            kept.bytes -= size(&oldest);
        }
        if let Some(same) = kept.blocks.put(block.hash, block) {
            kept.bytes -= size(&same);
        }
        kept.bytes += bytes;
    }

    /// The settled block at a height, without its transactions.
    pub(super) fn summary(&self, node: &NodeBackend, height: Height) -> Answer<Option<EthBlockSummary>> {
        if let Some(summary) = self.kept().summaries.get(&height) {
            return Ok(Some(*summary));
        }
        let Some((hash, _)) = node.chain.settled_at(height).map_err(internal)? else { return Ok(None) };
        let receipts = node.chain.receipts(&hash).map_err(internal)?;
        let last = receipts.as_deref().and_then(<[Receipt]>::last);
        let summary = EthBlockSummary { hash, gas_used: last.map_or(0, |receipt| receipt.cumulative_gas_used) };
        self.kept().summaries.put(height, summary);
        Ok(Some(summary))
    }
}

/// What a block takes in memory, about.
fn size(block: &EthBlock) -> usize {
    let logs = |receipt: &EthReceipt| receipt.logs.iter().map(|log| 200 + log.data.data.len()).sum::<usize>();
    let txs = block.txs.iter().map(|info| 1_000 + info.tx.input.len() + logs(&info.receipt));
    1_000 + txs.sum::<usize>()
}

/// Hash of the block that is meant, if there is one.
pub(super) fn hash_at(node: &NodeBackend, at: EthAt) -> Answer<Option<Hash>> {
    Ok(match at {
        EthAt::Settled => Some(node.chain.head().hash),
        EthAt::Tip => {
            let tip = node.observed_tip();
            let known = node.chain.tip();
            Some(known.executed(&tip).unwrap_or(&known.head).hash)
        }
        EthAt::Number(height) => node.chain.settled_at(height).map_err(internal)?.map(|(hash, _)| hash),
        EthAt::Hash(hash) => Some(hash),
    })
}

/// Header of the block that is meant; `None` if there is none that was executed.
pub(super) fn header_at(node: &NodeBackend, at: EthAt) -> Answer<Option<BlockHeader>> {
    let Some(hash) = hash_at(node, at)? else { return Ok(None) };
    let block = node.chain.block(&hash).map_err(internal)?;
    Ok(block.map(|block| block.header.clone()))
}

/// True for the envelope of a contract transaction.
pub(super) fn is_contract(raw: &Bytes) -> bool {
    raw.first().is_some_and(|byte| *byte == TxType::SmartContract as u8 || *byte == TxType::Ethereum as u8)
}

fn eth_block(node: &NodeBackend, hash: Hash, block: &Block, receipts: &[Receipt]) -> Answer<EthBlock> {
    let number = node.chain.tx_domain().eth_number().0;
    let damaged = || EthError::new(format!("internal error: block {hash} and its receipts do not fit together"));
    let raws: Vec<&Bytes> = block.txs.iter().filter(|raw| is_contract(raw)).collect();
    if raws.len() != receipts.len() {
        return Err(damaged());
    }
    let info = |(raw, receipt): (&Bytes, &Receipt)| {
        let tx = Tx::from_raw(raw).ok()?;
        let tx = eth_tx(&tx, receipt.tx_hash, Some(receipt.from), number)?;
        Some(EthTxInfo { tx: Arc::new(tx), receipt: eth_receipt(receipt) })
    };
    let txs: Option<Vec<EthTxInfo>> = raws.into_iter().zip(receipts).map(info).collect();
    let header = block.header.clone();
    Ok(EthBlock {
        hash,
        receipts_root: header.receipt_root,
        bloom: *header.bloom,
        size: rlp::encode(block).len() as u64,
        header,
        txs: txs.ok_or_else(damaged)?,
    })
}

fn eth_receipt(receipt: &Receipt) -> EthReceipt {
    EthReceipt {
        success: receipt.success,
        gas_used: receipt.gas_used,
        cumulative_gas_used: receipt.cumulative_gas_used,
        logs: receipt.logs.clone(),
        bloom: receipt.bloom(),
        contract_address: receipt.created.then_some(receipt.contract),
    }
}

/// Native hashes of a block's contract transactions, in order.
pub(super) fn native_hashes(block: &Block) -> Vec<Hash> {
    block.txs.iter().filter(|raw| is_contract(raw)).map(keccak256).collect()
}
