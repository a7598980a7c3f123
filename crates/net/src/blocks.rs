//! Questions for headers and blocks, and their answers (`spec/consensus.md` §4.3 REC limits).

use crate::WireError;
use crate::limits::{BLOCKS_BYTES_MAX, BLOCKS_MAX, BLOCKS_REQUEST_BYTES_MAX, BLOCKS_RESPONSE_BYTES_MAX};
use crate::wire::{at_most, split, tagged};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_consensus::HCC_BYTES_MAX;
use vigil_primitives::{Bytes, Hash, Height, rlp};

const TAG_HEADERS: u8 = 0;
const TAG_BODIES: u8 = 1;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlocksRequest {
    /// Headers of settled blocks upward from a height, then that of the unsettled child of the last one if its
    /// certificate can be given.
    Headers {
        /// First height.
        from: Height,
        /// At most this many headers, 1 to 64.
        max: u64,
    },
    /// Blocks by hash, 1 to 64; those not held are left out.
    Bodies(Vec<Hash>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlocksResponse {
    /// To [`BlocksRequest::Headers`].
    Headers {
        /// RLP of headers, ascending. Over 64 of them or over 8 MiB is an error.
        headers: Vec<Bytes>,
        /// RLP of [`vigil_primitives::Hcc`]: the certificate of the last header, where that is the child of the
        /// responder's settled head (which it settles).
        tip: Option<Bytes>,
    },
    /// To [`BlocksRequest::Bodies`]: RLP of blocks, in the order asked for. Over 64 of them or over 8 MiB is an error.
    Bodies(Vec<Bytes>),
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireRange {
    from: u64,
    max: u64,
}

/// `tip` has at most one element.
#[derive(RlpEncodable, RlpDecodable)]
struct WireHeaders {
    headers: Vec<Bytes>,
    tip: Vec<Bytes>,
}

impl BlocksRequest {
    /// The bytes of the request.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Headers { from, max } => tagged(TAG_HEADERS, &WireRange { from: *from, max: *max }),
            Self::Bodies(hashes) => tagged(TAG_BODIES, hashes),
        }
    }

    /// Decodes strictly; 1 to 64 headers or blocks may be asked for.
    ///
    /// # Errors
    /// [`WireError`]: an unknown tag, a broken body, a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let (tag, body) = split("blocks request", bytes)?;
        let (request, count) = match tag {
            TAG_HEADERS => {
                let WireRange { from, max } = rlp::decode_exact("range of headers", body, BLOCKS_REQUEST_BYTES_MAX)?;
                (Self::Headers { from, max }, max)
            }
            TAG_BODIES => {
                let hashes: Vec<Hash> = rlp::decode_exact("block hashes", body, BLOCKS_REQUEST_BYTES_MAX)?;
                let count = hashes.len() as u64;
                (Self::Bodies(hashes), count)
            }
            tag => return Err(WireError::Tag { what: "blocks request", tag }),
        };
        if count == 0 || count > BLOCKS_MAX as u64 {
            return Err(WireError::Limit { what: "headers or blocks asked for", got: count, max: BLOCKS_MAX as u64 });
        }
        Ok(request)
    }
}

impl BlocksResponse {
    /// The bytes of the answer.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Headers { headers, tip } => {
                let wire = WireHeaders { headers: headers.clone(), tip: tip.iter().cloned().collect() };
                tagged(TAG_HEADERS, &wire)
            }
            Self::Bodies(blocks) => tagged(TAG_BODIES, blocks),
        }
    }

    /// Decodes strictly.
    ///
    /// # Errors
    /// [`WireError`]: an unknown tag, a broken body, or see [`BlocksResponse::check_limits`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let (tag, body) = split("blocks response", bytes)?;
        let response = match tag {
            TAG_HEADERS => {
                let WireHeaders { headers, mut tip } = rlp::decode_exact("headers", body, BLOCKS_RESPONSE_BYTES_MAX)?;
                at_most("certificates in an answer", tip.len(), 1)?;
                Self::Headers { headers, tip: tip.pop() }
            }
            TAG_BODIES => Self::Bodies(rlp::decode_exact("blocks", body, BLOCKS_RESPONSE_BYTES_MAX)?),
            tag => return Err(WireError::Tag { what: "blocks response", tag }),
        };
        response.check_limits()?;
        Ok(response)
    }

    /// At most 64 headers or blocks of 8 MiB together, and one certificate.
    ///
    /// # Errors
    /// [`WireError::Limit`].
    pub fn check_limits(&self) -> Result<(), WireError> {
        let (items, tip) = match self {
            Self::Headers { headers, tip } => (headers, tip.as_ref()),
            Self::Bodies(blocks) => (blocks, None),
        };
        at_most("headers or blocks in an answer", items.len(), BLOCKS_MAX)?;
        at_most(
            "bytes of headers or blocks in an answer",
            items.iter().map(|item| item.len()).sum(),
            BLOCKS_BYTES_MAX,
        )?;
        at_most("bytes of a certificate", tip.map_or(0, |cert| cert.len()), HCC_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests;
