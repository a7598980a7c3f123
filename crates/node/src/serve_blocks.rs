//! Headers and blocks for peers that ask.

use crate::chain::{Chain, ChainError};
use alloy_rlp::Header;
use vigil_net::{BlocksRequest, BlocksResponse};
use vigil_primitives::{Bytes, Hash, Height, rlp};
use vigil_sync::{serve_bodies, serve_headers};

/// Bytes of blocks read for one answer with headers (a header is stored in its block); the peer asks again for more.
const READ_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Answers a request from the store.
///
/// # Errors
/// The store's, or a damaged value.
pub(crate) fn answer(chain: &Chain, request: &BlocksRequest) -> Result<BlocksResponse, ChainError> {
    match request {
        BlocksRequest::Bodies(hashes) => {
            serve_bodies(hashes, |hash| chain.block_bytes(hash)).map(BlocksResponse::Bodies)
        }
        BlocksRequest::Headers { from, max } => {
            let (head, mut read) = (chain.head(), 0);
            let header = |height| settled_header(chain, height, &mut read);
            let tip = || certified_child(chain, &head.hash);
            let (headers, tip) = serve_headers(*from, *max, head.as_parent.height, header, tip)?;
            Ok(BlocksResponse::Headers { headers, tip })
        }
    }
}

fn settled_header(chain: &Chain, height: Height, read: &mut usize) -> Result<Option<Bytes>, ChainError> {
    if *read >= READ_BYTES_MAX {
        return Ok(None);
    }
    let Some((hash, _)) = chain.settled_at(height)? else { return Ok(None) };
    let Some(block) = chain.block_bytes(&hash)? else { return Ok(None) };
    *read += block.len();
    let damaged = |error: alloy_rlp::Error| ChainError::Corrupt { what: "block".into(), reason: error.to_string() };
    header_bytes(&block).map(Some).map_err(damaged)
}

/// The first item of an encoded block.
fn header_bytes(block: &[u8]) -> alloy_rlp::Result<Bytes> {
    let items = Header::decode_bytes(&mut &*block, true)?;
    let mut after = items;
    Header::decode_bytes(&mut after, true)?;
    Ok(Bytes::copy_from_slice(&items[..items.len() - after.len()]))
}

/// Header and certificate of the child of the settled head that settles it.
fn certified_child(chain: &Chain, head: &Hash) -> Result<Option<(Bytes, Bytes)>, ChainError> {
    let children: Vec<_> = {
        let tip = chain.tip();
        tip.pending.values().filter(|b| b.block.header.parent == *head).cloned().collect()
    };
    for child in children.iter().filter(|child| child.block.header.links_directly()) {
        if let Some(cert) = chain.cert(&child.hash)? {
            return Ok(Some((rlp::encode(&child.block.header).into(), rlp::encode(&cert).into())));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{Block, BlockHeader};

    #[test]
    fn a_header_is_cut_out_of_its_block() {
        for txs in [vec![], vec![Bytes::from(vec![7; 100])]] {
            let block = Block { header: BlockHeader { height: 9, ..Default::default() }, txs };
            assert_eq!(header_bytes(&rlp::encode(&block)), Ok(rlp::encode(&block.header).into()));
        }
        for damaged in [vec![], vec![0xc0], vec![0xc1, 0x80], vec![0xc2, 0xc5, 1]] {
            assert!(header_bytes(&damaged).is_err(), "{damaged:?}");
        }
    }
}
