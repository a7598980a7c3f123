//! Answers: decoding, and the checks that need nothing but the answer. Dear enough to be made off the loop.

use std::sync::Arc;
use vigil_consensus::HCC_BYTES_MAX;
use vigil_primitives::{AGGREGATED_VOTES_BYTES_MAX, Block, BlockHeader, Bytes, Epoch, Hash, Hcc, Height, rlp};
use vigil_trie::{BatchHasher, ordered_root_with};

/// Largest encoded header, in bytes: both certificates, and some fields.
const HEADER_BYTES_MAX: usize = HCC_BYTES_MAX + AGGREGATED_VOTES_BYTES_MAX + 1024;

/// A header's place in the chain, and the certificate it carries.
#[derive(Clone, Debug)]
pub struct Link {
    pub(crate) height: Height,
    pub(crate) hash: Hash,
    pub(crate) parent: Hash,
    pub(crate) epoch: Epoch,
    pub(crate) cert: Arc<Hcc>,
}

/// A block whose transactions are those of its header.
#[derive(Clone, Debug)]
pub struct Body {
    pub(crate) hash: Hash,
    pub(crate) block: Arc<Block>,
    pub(crate) bytes: usize,
}

/// A decoded answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`crate::Ask::Headers`].
    Headers {
        /// Headers of consecutive heights, each the child of the one before.
        links: Vec<Link>,
        /// The certificate of the last one, which no settled header carries yet.
        tip: Option<Arc<Hcc>>,
    },
    /// To [`crate::Ask::Bodies`].
    Bodies(Vec<Body>),
}

/// Why there is no answer. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// None came.
    #[error("no answer: {0}")]
    Failed(String),
    /// It breaks a rule, whatever was asked.
    #[error("{0}")]
    Invalid(String),
}

impl Answer {
    /// Decodes headers of `chain_id` and the certificate of the last one.
    ///
    /// # Errors
    /// [`AnswerError::Invalid`]: bytes that are no header or certificate, another chain, headers that do not chain.
    pub fn headers(chain_id: &str, headers: &[Bytes], tip: Option<&Bytes>) -> Result<Self, AnswerError> {
        let mut links: Vec<Link> = Vec::with_capacity(headers.len());
        for bytes in headers {
            let link = Link::decode(chain_id, bytes)?;
            if let Some(parent) = links.last() {
                link.check_follows(parent).map_err(AnswerError::Invalid)?;
            }
            links.push(link);
        }
        let tip = tip.map(|bytes| rlp::decode_exact("certificate", bytes, HCC_BYTES_MAX)).transpose();
        let tip = tip.map_err(|error| AnswerError::Invalid(error.to_string()))?.map(Arc::new);
        Ok(Self::Headers { links, tip })
    }

    /// Decodes blocks and compares their transactions, hashed by `hasher`, with their headers.
    ///
    /// # Errors
    /// [`AnswerError::Invalid`]: bytes that are no block, transactions of another one.
    pub fn bodies(blocks: &[Bytes], hasher: &dyn BatchHasher) -> Result<Self, AnswerError> {
        blocks.iter().map(|block| Body::decode(block, hasher)).collect::<Result<_, _>>().map(Self::Bodies)
    }
}

impl Link {
    fn decode(chain_id: &str, bytes: &[u8]) -> Result<Self, AnswerError> {
        let header: BlockHeader = rlp::decode_exact("header", bytes, HEADER_BYTES_MAX)
            .map_err(|error| AnswerError::Invalid(error.to_string()))?;
        if header.chain_id != chain_id {
            let reason = format!("header {} is of chain {:?}, not {chain_id:?}", header.height, header.chain_id);
            return Err(AnswerError::Invalid(reason));
        }
        let hash = header.hash();
        let BlockHeader { height, parent, epoch, hcc, .. } = header;
        Ok(Self { height, hash, parent, epoch, cert: Arc::new(hcc) })
    }

    /// Errors with what is wrong if this is no child of `parent`.
    pub(crate) fn check_follows(&self, parent: &Self) -> Result<(), String> {
        let height = self.height;
        if Some(height) != parent.height.checked_add(1) {
            return Err(format!("a header of height {height} after one of {}", parent.height));
        }
        if self.parent != parent.hash {
            return Err(format!("header {height} has parent {}, not {}", self.parent, parent.hash));
        }
        if self.epoch <= parent.epoch {
            return Err(format!("header {height} is of epoch {}, its parent of {}", self.epoch, parent.epoch));
        }
        Ok(())
    }

    /// True if `cert` is canonical and its votes say of this header what it says itself.
    pub(crate) fn is_subject_of(&self, cert: &Hcc) -> bool {
        let Some(first) = cert.votes.first() else { return false };
        cert.block_hash == self.hash
            && cert.votes.windows(2).all(|pair| pair[0].voter < pair[1].voter)
            && cert.votes.iter().all(|vote| {
                vote.block_hash == self.hash
                    && vote.height == self.height
                    && vote.block_epoch == self.epoch
                    && vote.source_hash == self.cert.block_hash
                    && vote.source_rank() == first.source_rank()
            })
    }
}

impl Body {
    fn decode(bytes: &Bytes, hasher: &dyn BatchHasher) -> Result<Self, AnswerError> {
        let block = Block::from_rlp(bytes).map_err(|error| AnswerError::Invalid(error.to_string()))?;
        let (hash, header) = (block.hash(), &block.header);
        let root = ordered_root_with(hasher, &block.txs);
        if root != header.tx_root {
            let reason = format!("block {hash} has transactions of root {root}, its header says {}", header.tx_root);
            return Err(AnswerError::Invalid(reason));
        }
        Ok(Self { hash, block: Arc::new(block), bytes: bytes.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{
        Address, AggregatedVotes, BlsSignatureBytes, CHAIN_ID_BYTES_MAX, Checkpoint, SIGNER_VECTOR_BYTES_MAX,
        Signature, VALIDATORS_MAX, Vote,
    };

    /// A header may carry the votes of 31 validators and of all guardians.
    #[test]
    fn the_largest_header() {
        let (chain_id, signature) = ("x".repeat(CHAIN_ID_BYTES_MAX), Signature::from([1; 65]));
        let (height, hash) = (u64::MAX, Hash::repeat_byte(1));
        let vote = Vote {
            height,
            block_hash: hash,
            block_epoch: height,
            source_set: height,
            source_height: height,
            source_hash: hash,
            voter: Address::repeat_byte(1),
            signature: signature.clone(),
        };
        let checkpoint = Checkpoint { resets: height, height, block_hash: hash, set_hash: hash };
        let signers = vec![1; SIGNER_VECTOR_BYTES_MAX].into();
        let votes = AggregatedVotes { checkpoint, signers, signature: BlsSignatureBytes::repeat_byte(1) };
        let header = BlockHeader {
            chain_id: chain_id.clone(),
            epoch: height,
            height,
            timestamp: height,
            hcc: Hcc { votes: vec![vote; VALIDATORS_MAX], block_hash: hash },
            signature,
            finality: Some(Box::new(votes)),
            ..BlockHeader::default()
        };
        let bytes = Bytes::from(rlp::encode(&header));
        assert!(bytes.len() <= HEADER_BYTES_MAX, "{} bytes", bytes.len());
        assert!(Answer::headers(&chain_id, &[bytes], None).is_ok());
        let above = Answer::headers(&chain_id, &[vec![0xf9; HEADER_BYTES_MAX + 1].into()], None);
        assert!(above.expect_err("too long").to_string().contains("the limit is"));
    }
}
