//! Blocks for peers that ask.

use crate::chain::{Chain, ChainError};
use vigil_net::{BlocksRequest, BlocksResponse};
use vigil_primitives::{BLOCK_BYTES_MAX, Bytes, Hash, rlp};
use vigil_sync::serve_range;

/// Most blocks in an answer.
const BLOCKS_MAX: usize = 64;

/// Answers a request from the store.
///
/// # Errors
/// The store's.
pub(crate) fn answer(chain: &Chain, request: &BlocksRequest) -> Result<BlocksResponse, ChainError> {
    match request {
        BlocksRequest::Hashes(hashes) => by_hash(chain, hashes),
        BlocksRequest::Range { from, max } => {
            let head = chain.head();
            let block = |height| match chain.settled_at(height)? {
                Some((hash, _)) => chain.block_bytes(&hash),
                None => Ok(None),
            };
            let answer = serve_range(*from, *max, head.as_parent.height, block, || certified_child(chain, &head.hash))?;
            Ok(BlocksResponse { blocks: answer.blocks, certs: answer.certs })
        }
    }
}

fn by_hash(chain: &Chain, hashes: &[Hash]) -> Result<BlocksResponse, ChainError> {
    let mut answer = BlocksResponse::default();
    let mut bytes = 0;
    for hash in hashes.iter().take(BLOCKS_MAX) {
        let Some(block) = chain.block_bytes(hash)? else { continue };
        bytes += block.len();
        if bytes > BLOCK_BYTES_MAX && !answer.blocks.is_empty() {
            break;
        }
        answer.blocks.push(block);
    }
    Ok(answer)
}

/// The child of the settled head that settles it, and its certificate.
fn certified_child(chain: &Chain, head: &Hash) -> Result<Option<(Bytes, Bytes)>, ChainError> {
    let children: Vec<_> = {
        let tip = chain.tip();
        tip.pending.values().filter(|b| b.block.header.parent == *head).cloned().collect()
    };
    for child in children.iter().filter(|child| child.block.header.links_directly()) {
        if let Some(cert) = chain.cert(&child.hash)? {
            return Ok(Some((rlp::encode(child.block.as_ref()).into(), rlp::encode(&cert).into())));
        }
    }
    Ok(None)
}
