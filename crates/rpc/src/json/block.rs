//! Blocks, headers and votes (`spec/rpc.md` §3).

use super::scalars::{Big, SignatureJson, U64s, null_if_empty};
use super::{BalanceChangesJson, ReceiptJson, TxJson, shown_tx};
use crate::{BlockInfo, BlockStatus};
use serde::{Serialize, Serializer};
use vigil_primitives::{Address, BlockHeader, BlsSignatureBytes, Bytes, Hash, Hcc, Receipt, U256, Vote, keccak256};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VoteJson<'a> {
    block: Hash,
    height: u64,
    epoch: u64,
    #[serde(rename = "ID")]
    id: Address,
    signature: SignatureJson<'a>,
}

impl<'a> From<&'a Vote> for VoteJson<'a> {
    fn from(vote: &'a Vote) -> Self {
        Self {
            block: vote.block_hash,
            height: vote.height,
            epoch: vote.block_epoch,
            id: vote.voter,
            signature: SignatureJson(&vote.signature),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HccJson<'a> {
    #[serde(serialize_with = "null_if_empty")]
    votes: Vec<VoteJson<'a>>,
    block_hash: Hash,
}

impl<'a> From<&'a Hcc> for HccJson<'a> {
    fn from(hcc: &'a Hcc) -> Self {
        Self { votes: hcc.votes.iter().map(VoteJson::from).collect(), block_hash: hcc.block_hash }
    }
}

/// Edge node votes: our headers carry none.
const NO_VOTES: Option<()> = None;

/// A guardians' certificate. In the place of the reference's list `Multiplies` stands the packed signer vector, which
/// needs the guardian set to be read, and our signature is a point and not `{}`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CertJson<'a> {
    block: Hash,
    height: u64,
    gcp: Hash,
    signers: &'a Bytes,
    signature: BlsSignatureBytes,
}

fn cert(header: &BlockHeader) -> Option<CertJson<'_>> {
    header.finality.as_deref().map(|votes| CertJson {
        block: votes.checkpoint.block_hash,
        height: votes.checkpoint.height,
        gcp: votes.checkpoint.set_hash,
        signers: &votes.signers,
        signature: votes.signature,
    })
}

/// A block as `GetBlock` and its kin give it.
#[derive(Serialize)]
pub(crate) struct BlockJson<'a> {
    chain_id: &'a str,
    epoch: U64s,
    height: U64s,
    parent: Hash,
    transactions_hash: Hash,
    state_hash: Hash,
    timestamp: Big,
    proposer: Address,
    hcc: HccJson<'a>,
    guardian_votes: Option<CertJson<'a>>,
    elite_edge_node_votes: Option<()>,
    children: &'a [Hash],
    status: u8,
    guardian_finalized: bool,
    finality: &'static str,
    hash: Hash,
    #[serde(serialize_with = "transactions")]
    transactions: Transactions<'a>,
}

/// Transactions of a block.
struct Transactions<'a> {
    raws: &'a [Bytes],
    receipts: &'a [Receipt],
    /// Number of the chain, if each is to name its Ethereum hash.
    eth_number: Option<U256>,
}

impl<'a> BlockJson<'a> {
    /// The form of a block; with `eth_number`, the number of the chain, each transaction also names its Ethereum hash.
    pub(crate) fn new(info: &'a BlockInfo, eth_number: Option<U256>) -> Self {
        let header = &info.block.header;
        Self {
            chain_id: &header.chain_id,
            epoch: U64s(header.epoch),
            height: U64s(header.height),
            parent: header.parent,
            transactions_hash: header.tx_root,
            state_hash: header.state_root,
            timestamp: Big(U256::from(header.timestamp)),
            proposer: header.proposer,
            hcc: (&header.hcc).into(),
            guardian_votes: cert(header),
            elite_edge_node_votes: NO_VOTES,
            children: &info.children,
            status: info.status as u8,
            guardian_finalized: info.guardian_finalized,
            finality: finality(info.status, info.guardian_finalized),
            hash: info.hash,
            transactions: Transactions { raws: &info.block.txs, receipts: &info.receipts, eth_number },
        }
    }
}

#[derive(Serialize)]
struct BlockTxJson<'a> {
    raw: Option<TxJson<'a>>,
    #[serde(rename = "type")]
    tx_type: u8,
    hash: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    eth_tx_hash: Option<Hash>,
    receipt: Option<ReceiptJson<'a>>,
    balance_changes: Option<BalanceChangesJson<'a>>,
}

/// Decodes and writes one transaction at a time, so that a full block is never held decoded.
fn transactions<S: Serializer>(txs: &Transactions<'_>, s: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeSeq as _;
    if txs.raws.is_empty() {
        return s.serialize_none();
    }
    let mut receipts = txs.receipts.iter().peekable();
    let mut seq = s.serialize_seq(Some(txs.raws.len()))?;
    for raw in txs.raws {
        let hash = keccak256(raw);
        let receipt = receipts.next_if(|receipt| receipt.tx_hash == hash);
        // A stored block was decoded before it was accepted; an undecodable one would be shown as `null`.
        let tx = shown_tx(raw, receipt).ok();
        let eth_hash = |number| tx.as_ref().and_then(|tx| tx.eth_hash(number)).unwrap_or_default();
        seq.serialize_element(&BlockTxJson {
            raw: tx.as_ref().map(TxJson::from),
            tx_type: tx.as_ref().map_or(0, |tx| tx.tx_type() as u8),
            hash,
            eth_tx_hash: txs.eth_number.map(eth_hash),
            receipt: receipt.map(ReceiptJson::from),
            balance_changes: receipt.map(BalanceChangesJson::from),
        })?;
    }
    seq.end()
}

/// How far a block has come, in words that tell settled by validators from finalized by guardians (DESIGN §4, "words").
pub(crate) fn finality(status: BlockStatus, guardian_finalized: bool) -> &'static str {
    match status {
        BlockStatus::Pending | BlockStatus::Valid => "pending",
        BlockStatus::Invalid => "invalid",
        BlockStatus::Committed => "committed",
        BlockStatus::DirectlySettled | BlockStatus::IndirectlySettled | BlockStatus::Trusted => {
            if guardian_finalized {
                "finalized"
            } else {
                "settled"
            }
        }
        BlockStatus::Disposed => "disposed",
    }
}

/// What stands for block 0 in ranges (`spec/rpc.md` §4.3): chain id and hash, all else zero.
pub(crate) fn synthetic_genesis(chain_id: &str, genesis_hash: Hash, guardian_finalized: bool) -> BlockJson<'_> {
    BlockJson {
        chain_id,
        epoch: U64s(0),
        height: U64s(0),
        parent: Hash::ZERO,
        transactions_hash: Hash::ZERO,
        state_hash: Hash::ZERO,
        timestamp: Big(U256::ZERO),
        proposer: Address::ZERO,
        hcc: HccJson { votes: Vec::new(), block_hash: Hash::ZERO },
        guardian_votes: None,
        elite_edge_node_votes: NO_VOTES,
        children: &[],
        status: BlockStatus::DirectlySettled as u8,
        guardian_finalized,
        finality: finality(BlockStatus::Trusted, guardian_finalized),
        hash: genesis_hash,
        transactions: Transactions { raws: &[], receipts: &[], eth_number: None },
    }
}

/// A header as the blocking broadcast gives it: other names, plain numbers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HeaderJson<'a> {
    #[serde(rename = "ChainID")]
    chain_id: &'a str,
    epoch: u64,
    height: u64,
    parent: Hash,
    #[serde(rename = "HCC")]
    hcc: HccJson<'a>,
    guardian_votes: Option<CertJson<'a>>,
    elite_edge_node_votes: Option<()>,
    tx_hash: Hash,
    state_hash: Hash,
    timestamp: u64,
    proposer: Address,
    signature: SignatureJson<'a>,
}

impl<'a> From<&'a BlockHeader> for HeaderJson<'a> {
    fn from(header: &'a BlockHeader) -> Self {
        Self {
            chain_id: &header.chain_id,
            epoch: header.epoch,
            height: header.height,
            parent: header.parent,
            hcc: (&header.hcc).into(),
            guardian_votes: cert(header),
            elite_edge_node_votes: NO_VOTES,
            tx_hash: header.tx_root,
            state_hash: header.state_root,
            timestamp: header.timestamp,
            proposer: header.proposer,
            signature: SignatureJson(&header.signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{AggregatedVotes, Checkpoint};

    #[test]
    fn a_certificate_stands_where_the_reference_has_guardian_votes() {
        let (block_hash, set_hash) = (Hash::repeat_byte(1), Hash::repeat_byte(2));
        let checkpoint = Checkpoint { resets: 0, height: 100, block_hash, set_hash };
        let signature = BlsSignatureBytes::repeat_byte(3);
        let votes = AggregatedVotes { checkpoint, signers: vec![0, 0x80].into(), signature };
        let header = BlockHeader { finality: Some(Box::new(votes)), ..BlockHeader::default() };
        let json = serde_json::to_value(HeaderJson::from(&header)).expect("plain data");
        let expected = serde_json::json!({
            "Block": block_hash, "Height": 100, "Gcp": set_hash, "Signers": "0x0080", "Signature": signature
        });
        assert_eq!(json["GuardianVotes"], expected);
        assert!(
            serde_json::to_value(HeaderJson::from(&BlockHeader::default())).expect("plain")["GuardianVotes"].is_null()
        );
    }
}
