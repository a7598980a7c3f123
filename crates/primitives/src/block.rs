//! Blocks (`spec/ledger.md` §5.1; DESIGN §4 "block bytes").

use crate::rlp::{self, RlpError};
use crate::{
    Address, BLOCK_BYTES_MAX, BLOCK_TXS_MAX, Bytes, Epoch, FinalityCert, Hash, Height, Signature, U256, VALIDATORS_MAX,
    Vote, keccak256,
};
use alloy_primitives::{Bloom, b256};
use alloy_rlp::{Decodable, Encodable, Header, RlpEncodable};

/// Root of a trie with no entries.
pub const EMPTY_TRIE_ROOT: Hash = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
/// RLP of the empty list: what stands for an absent certificate and for edge-node votes.
const EMPTY_LIST: u8 = 0xc0;

/// The highest commit certificate its proposer knew: votes of a quorum for one ancestor. RLP: `[[Vote...], hash]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, RlpEncodable)]
pub struct Hcc {
    /// By voter address ascending, one a voter; empty only for genesis.
    pub votes: Vec<Vote>,
    /// The certified block.
    pub block_hash: Hash,
}

impl Decodable for Hcc {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        rlp::decode_struct(buf, |payload| {
            let votes = rlp::decode_list(payload, VALIDATORS_MAX)?;
            Ok(Self { votes, block_hash: Hash::decode(payload)? })
        })
    }
}

/// A block header: the 14 items of `spec/ledger.md` §5.1; that of edge-node votes is always the empty list, so it is
/// a byte of the encoding and no field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BlockHeader {
    /// The chain.
    pub chain_id: String,
    /// The consensus epoch it was proposed in.
    pub epoch: Epoch,
    /// Parent's height + 1.
    pub height: Height,
    /// Hash of the parent.
    pub parent: Hash,
    /// The certificate it builds on.
    pub hcc: Hcc,
    /// [`Block::txs`]' trie root.
    pub tx_root: Hash,
    /// Root of the trie of its receipts, [`EMPTY_TRIE_ROOT`] without any; zero in genesis.
    pub receipt_root: Hash,
    /// Of the logs of its receipts.
    pub bloom: Box<Bloom>,
    /// Root of the state after the block.
    pub state_root: Hash,
    /// Unix seconds.
    pub timestamp: u64,
    /// Who proposed it.
    pub proposer: Address,
    /// Over [`BlockHeader::sign_bytes`].
    pub signature: Signature,
    /// That an ancestor is final, if the proposer has news of it.
    pub finality: Option<Box<FinalityCert>>,
}

impl BlockHeader {
    /// Keccak-256 of the encoding, **signature included**.
    pub fn hash(&self) -> Hash {
        keccak256(rlp::encode(self))
    }

    /// The encoding with the signature absent.
    pub fn sign_bytes(&self) -> Vec<u8> {
        rlp::encode(&Self { signature: Signature::none(), ..self.clone() })
    }

    /// What the proposer signs.
    pub fn sign_digest(&self) -> Hash {
        keccak256(self.sign_bytes())
    }

    /// True if the certificate it carries is its parent's: the direct link that settles.
    pub fn links_directly(&self) -> bool {
        self.hcc.block_hash == self.parent
    }

    fn payload_length(&self) -> usize {
        self.chain_id.length()
            + self.epoch.length()
            + self.height.length()
            + self.parent.length()
            + self.hcc.length()
            + self.tx_root.length()
            + self.receipt_root.length()
            + self.bloom.length()
            + self.state_root.length()
            + self.timestamp.length()
            + self.proposer.length()
            + self.signature.length()
            + self.finality.as_ref().map_or(1, |cert| cert.length())
            + 1
    }
}

impl Encodable for BlockHeader {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        Header { list: true, payload_length: self.payload_length() }.encode(out);
        self.chain_id.encode(out);
        self.epoch.encode(out);
        self.height.encode(out);
        self.parent.encode(out);
        self.hcc.encode(out);
        self.tx_root.encode(out);
        self.receipt_root.encode(out);
        self.bloom.encode(out);
        self.state_root.encode(out);
        self.timestamp.encode(out);
        self.proposer.encode(out);
        self.signature.encode(out);
        match &self.finality {
            Some(cert) => cert.encode(out),
            None => out.put_u8(EMPTY_LIST),
        }
        out.put_u8(EMPTY_LIST);
    }

    fn length(&self) -> usize {
        let payload_length = self.payload_length();
        Header { list: true, payload_length }.length() + payload_length
    }
}

impl Decodable for BlockHeader {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut payload = Header::decode_bytes(buf, true)?;
        let payload = &mut payload;
        let mut header = Self {
            chain_id: String::decode(payload)?,
            epoch: u64::decode(payload)?,
            height: u64::decode(payload)?,
            parent: Hash::decode(payload)?,
            hcc: Hcc::decode(payload)?,
            tx_root: Hash::decode(payload)?,
            receipt_root: Hash::decode(payload)?,
            bloom: Box::new(Bloom::decode(payload)?),
            state_root: Hash::decode(payload)?,
            timestamp: u64::try_from(U256::decode(payload)?).map_err(|_| alloy_rlp::Error::Overflow)?,
            proposer: Address::decode(payload)?,
            signature: Signature::decode(payload)?,
            finality: None,
        };
        match payload.split_first() {
            Some((&EMPTY_LIST, rest)) => *payload = rest,
            _ => header.finality = Some(Box::new(FinalityCert::decode_item(payload)?)),
        }
        if *payload != [EMPTY_LIST] {
            return Err(alloy_rlp::Error::Custom("the last item of a header is the empty list"));
        }
        Ok(header)
    }
}

/// A block: header and raw transactions. RLP: `[header, [raw_tx...]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable)]
pub struct Block {
    /// The header.
    pub header: BlockHeader,
    /// Envelopes ([`crate::Tx::to_raw`]) in order of execution; at most [`BLOCK_TXS_MAX`], none empty.
    pub txs: Vec<Bytes>,
}

impl Decodable for Block {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        rlp::decode_struct(buf, |payload| {
            let block = Self { header: BlockHeader::decode(payload)?, txs: rlp::decode_list(payload, BLOCK_TXS_MAX)? };
            // The transaction root does not see empty items at the end: with them, a sender could give an honest
            // header a body that no node can execute.
            if block.txs.iter().any(|tx| tx.is_empty()) {
                return Err(alloy_rlp::Error::Custom("a transaction of no bytes"));
            }
            Ok(block)
        })
    }
}

impl Block {
    /// Hash of the header.
    pub fn hash(&self) -> Hash {
        self.header.hash()
    }

    /// Decodes a block strictly. Transactions stay raw.
    ///
    /// # Errors
    /// [`RlpError`]: over [`BLOCK_BYTES_MAX`] or [`BLOCK_TXS_MAX`], an empty transaction, a broken item, bytes left over.
    pub fn from_rlp(bytes: &[u8]) -> Result<Self, RlpError> {
        rlp::decode_exact("block", bytes, BLOCK_BYTES_MAX)
    }
}
