//! Checks of an answer that need nothing but the answer.

use crate::{Fault, RangeAnswer};
use std::collections::VecDeque;
use std::sync::Arc;
use vigil_consensus::HCC_BYTES_MAX;
use vigil_primitives::{Block, Hash, Hcc, Height, rlp};

/// Certificates in an answer.
const CERTS_MAX: usize = 64;

/// A block with what was computed once.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) hash: Hash,
    pub(crate) block: Arc<Block>,
    pub(crate) bytes: usize,
}

/// A good answer: blocks of consecutive heights, each the child of the one before.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) blocks: VecDeque<Held>,
    pub(crate) certs: Vec<Hcc>,
}

/// Decodes and checks an answer to the question for `max` blocks from `from` up.
pub(crate) fn check(answer: &RangeAnswer, chain_id: &str, from: Height, max: u64) -> Result<Chunk, (Fault, String)> {
    let invalid = |reason: String| (Fault::Invalid, reason);
    if answer.blocks.len() as u64 > max || answer.certs.len() > CERTS_MAX {
        return Err((Fault::Unsolicited, format!("{} blocks for {max} asked for", answer.blocks.len())));
    }
    let mut blocks: VecDeque<Held> = VecDeque::with_capacity(answer.blocks.len());
    for (height, bytes) in (from..).zip(&answer.blocks) {
        let block = Block::from_rlp(bytes).map_err(|error| invalid(format!("block {height}: {error}")))?;
        let header = &block.header;
        if header.height != height {
            return Err(invalid(format!("a block of height {} where {height} belongs", header.height)));
        }
        if header.chain_id != chain_id {
            return Err(invalid(format!("block {height} is of chain {:?}, not {chain_id:?}", header.chain_id)));
        }
        if let Some(parent) = blocks.back()
            && header.parent != parent.hash
        {
            return Err(invalid(format!("block {height} has parent {}, not {}", header.parent, parent.hash)));
        }
        blocks.push_back(Held { hash: block.hash(), block: Arc::new(block), bytes: bytes.len() });
    }
    let mut certs = Vec::with_capacity(answer.certs.len());
    for bytes in &answer.certs {
        let cert: Hcc =
            rlp::decode_exact("certificate", bytes, HCC_BYTES_MAX).map_err(|error| invalid(error.to_string()))?;
        if !blocks.iter().any(|held| held.hash == cert.block_hash) {
            return Err((
                Fault::Unsolicited,
                format!("a certificate of {}, which is not in the answer", cert.block_hash),
            ));
        }
        certs.push(cert);
    }
    Ok(Chunk { blocks, certs })
}
