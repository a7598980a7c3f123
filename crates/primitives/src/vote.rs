//! Validator votes (`spec/consensus.md` §1.4).

use crate::{Address, Epoch, Hash, Height, Signature, keccak256};
use alloy_rlp::{Encodable, Header, RlpDecodable, RlpEncodable};

/// What separates our signatures from those of other chains and other kinds of message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignDomain {
    /// The chain.
    pub chain_id: String,
    /// Its genesis block. For what validators sign after a reset: the reset block ([`SignDomain::after_reset`]).
    pub genesis_hash: Hash,
}

impl SignDomain {
    /// The domain of validators in the segment that begins with a reset block. What they signed before the reset says
    /// nothing there, and what they sign there says nothing about before. Guardians keep the domain of genesis: what
    /// they sign names the number of resets.
    #[must_use]
    pub fn after_reset(&self, reset_block: Hash) -> Self {
        Self { chain_id: self.chain_id.clone(), genesis_hash: reset_block }
    }

    /// Digest of a message of kind `tag`: `keccak(rlp([tag, chain id, genesis hash, body]))`, where `body` is the
    /// message's RLP without its signature.
    pub fn digest<T: Encodable + ?Sized>(&self, tag: &str, body: &T) -> Hash {
        let payload_length = tag.length() + self.chain_id.length() + self.genesis_hash.length() + body.length();
        let mut out = Vec::with_capacity(payload_length + 4);
        Header { list: true, payload_length }.encode(&mut out);
        tag.encode(&mut out);
        self.chain_id.encode(&mut out);
        self.genesis_hash.encode(&mut out);
        body.encode(&mut out);
        keccak256(out)
    }
}

/// A validator's vote for a block, with the certificate link it stands on.
///
/// All votes for a block sign the same fields but the voter, so evidence is self-contained.
#[derive(Clone, Debug, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct Vote {
    /// Height of the block.
    pub height: Height,
    /// The block.
    pub block_hash: Hash,
    /// Epoch of the block.
    pub block_epoch: Epoch,
    /// How many set changes led to the validators that certified the block's HCC (`spec/consensus.md` §1.12).
    pub source_set: u64,
    /// Height of the block's HCC.
    pub source_height: Height,
    /// The block's HCC.
    pub source_hash: Hash,
    /// Who votes.
    pub voter: Address,
    /// Over [`Vote::digest`].
    pub signature: Signature,
}

/// What a vote says, whoever signs it: height, block, its epoch, rank and hash of the source.
pub type VoteBody = (Height, Hash, Epoch, (u64, Height), Hash);

impl Vote {
    /// What the voter signs.
    pub fn digest(&self, domain: &SignDomain) -> Hash {
        domain.digest("vigil/vote/1", &Self { signature: Signature::none(), ..self.clone() })
    }

    /// What it says. Nobody honest signs two bodies for one height (rule V4); one body may have more than one signature.
    pub fn body(&self) -> VoteBody {
        (self.height, self.block_hash, self.block_epoch, self.source_rank(), self.source_hash)
    }

    /// Rank of the block's HCC: certificates of a later set stand above all of an earlier one (`spec/consensus.md` §1.12).
    pub fn source_rank(&self) -> (u64, Height) {
        (self.source_set, self.source_height)
    }

    /// True if this vote links over the `inner` one: its source ranks below, its block is higher. The rules of voting (V4
    /// and V5) keep everybody honest from signing both.
    pub fn surrounds(&self, inner: &Self) -> bool {
        self.voter == inner.voter && self.source_rank() < inner.source_rank() && inner.height < self.height
    }
}
