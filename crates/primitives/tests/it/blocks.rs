//! Blocks of the reference node. Its votes and aggregated votes are not ours (DESIGN §4, "block bytes"), so they are read
//! by a codec that lives only here; everything else in a header is the same bytes in the same order.

use alloy_rlp::{Header, RlpDecodable, RlpEncodable};
use serde_json::Value;
use vigil_primitives::rlp::{self, Decodable, Encodable};
use vigil_primitives::*;
use vigil_testkit::vectors::{self, array, hex_at};

/// One item as it stands.
#[derive(Clone, Debug, PartialEq)]
struct Raw(Vec<u8>);

impl Encodable for Raw {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        out.put_slice(&self.0);
    }

    fn length(&self) -> usize {
        self.0.len()
    }
}

impl Decodable for Raw {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let start = *buf;
        let header = Header::decode(buf)?;
        *buf = buf.get(header.payload_length..).ok_or(alloy_rlp::Error::InputTooShort)?;
        Ok(Self(start[..start.len() - buf.len()].to_vec()))
    }
}

#[derive(Clone, Debug, PartialEq, RlpEncodable, RlpDecodable)]
struct RefVote {
    block: Hash,
    height: u64,
    epoch: u64,
    id: Address,
    signature: Signature,
}

#[derive(Clone, Debug, Default, PartialEq, RlpEncodable, RlpDecodable)]
struct RefHcc {
    votes: Vec<RefVote>,
    block_hash: Hash,
}

#[derive(Clone, Debug, PartialEq, RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct RefHeader {
    chain_id: String,
    epoch: u64,
    height: u64,
    parent: Hash,
    hcc: RefHcc,
    tx_root: Hash,
    receipt_root: Hash,
    bloom: Bytes,
    state_root: Hash,
    timestamp: U256,
    proposer: Address,
    signature: Signature,
    guardian_votes: Option<Raw>,
    edge_votes: Option<Raw>,
}

#[derive(Debug, PartialEq, RlpEncodable, RlpDecodable)]
struct RefBlock {
    header: RefHeader,
    txs: Vec<Bytes>,
}

#[derive(Debug, PartialEq, RlpEncodable, RlpDecodable)]
struct RefStored {
    block: RefBlock,
    children: Vec<Hash>,
    status: u8,
    validator_update: bool,
}

/// Shared by guardians' votes; edge nodes have addresses in place of the second hash.
#[derive(Clone, Debug, PartialEq, RlpEncodable, RlpDecodable)]
struct RefGuardianVotes {
    block: Hash,
    gcp: Hash,
    multiplicities: Vec<u32>,
    signature: Bytes,
}

#[derive(Clone, Debug, PartialEq, RlpEncodable, RlpDecodable)]
struct RefEdgeVotes {
    block: Hash,
    multiplicities: Vec<u32>,
    addresses: Vec<Address>,
    signature: Bytes,
}

fn exact<T: Decodable + Encodable>(bytes: &[u8]) -> T {
    let value = rlp::decode_exact("reference value", bytes, usize::MAX).unwrap();
    assert_eq!(rlp::encode(&value), bytes);
    value
}

/// The same header as ours, its votes left out.
fn ours(header: &RefHeader) -> BlockHeader {
    BlockHeader {
        chain_id: header.chain_id.clone(),
        epoch: header.epoch,
        height: header.height,
        parent: header.parent,
        hcc: Hcc { votes: Vec::new(), block_hash: header.hcc.block_hash },
        tx_root: header.tx_root,
        receipt_root: header.receipt_root,
        bloom: Box::new(Bloom::from_slice(&header.bloom)),
        state_root: header.state_root,
        timestamp: header.timestamp.to(),
        proposer: header.proposer,
        signature: header.signature.clone(),
        finality: None,
    }
}

/// Ours is the reference's with the votes of the certificate removed and both aggregated items absent (`c0`).
fn check_layout(header: &RefHeader) {
    let absent = Some(Raw(vec![0xc0]));
    let hcc = RefHcc { votes: Vec::new(), ..header.hcc.clone() };
    let reduced = RefHeader { hcc, guardian_votes: absent.clone(), edge_votes: absent, ..header.clone() };
    let bytes = rlp::encode(&reduced);
    let ours = ours(header);
    assert_eq!(rlp::encode(&ours), bytes);
    assert_eq!(rlp::decode_exact("header", &bytes, usize::MAX), Ok(ours.clone()));
    assert_eq!(ours.hash(), keccak256(&bytes));
    let unsigned = RefHeader { signature: Signature::none(), ..reduced };
    assert_eq!(ours.sign_bytes(), rlp::encode(&unsigned));
}

fn check_block(case: &Value) {
    let header: RefHeader = exact(&hex_at(case, "header_rlp"));
    assert_eq!(keccak256(rlp::encode(&header)).to_vec(), hex_at(case, "block_hash"), "{}", case["name"]);
    let unsigned = RefHeader { signature: Signature::none(), ..header.clone() };
    assert_eq!(rlp::encode(&unsigned), hex_at(case, "header_sign_bytes"));
    assert_eq!(header.tx_root.to_vec(), hex_at(case, "tx_hash"));
    assert_eq!(header.receipt_root, EMPTY_TRIE_ROOT);
    check_layout(&header);
    let votes = [&header.guardian_votes, &header.edge_votes].map(|v| v.clone().filter(|v| v.0 != [0xc0]));
    votes[0].iter().for_each(|raw| drop(exact::<RefGuardianVotes>(&raw.0)));
    votes[1].iter().for_each(|raw| drop(exact::<RefEdgeVotes>(&raw.0)));
    let block: RefBlock = exact(&hex_at(case, "block_rlp"));
    let txs: Vec<Vec<u8>> = array(case, "txs").iter().map(|tx| vectors::unhex(tx.as_str().unwrap())).collect();
    assert_eq!(block.txs, txs);
    let ours = Block { header: ours(&header), txs: block.txs.clone() };
    assert_eq!(Block::from_rlp(&rlp::encode(&ours)), Ok(ours));
    let stored: RefStored = exact(&hex_at(case, "extended_block_rlp_status3_update_true_child_self"));
    let children = vec![Hash::from_slice(&hex_at(case, "block_hash"))];
    assert_eq!(stored, RefStored { block, children, status: 3, validator_update: true });
}

#[test]
fn reference_blocks() {
    let Some(file) = vectors::json("ledger/block.json") else { return };
    array(&file, "blocks").iter().for_each(check_block);
    for case in array(&file, "from_go_tests") {
        let header = if case["block_rlp"].is_string() {
            exact::<RefBlock>(&hex_at(case, "block_rlp")).header
        } else {
            RefHeader { receipt_root: Hash::ZERO, ..of_ours(&BlockHeader { epoch: 1, ..Default::default() }) }
        };
        assert_eq!(keccak256(rlp::encode(&header)).to_vec(), hex_at(case, "block_hash"));
        check_layout(&header);
    }
}

/// The oldest form, 12 items.
fn of_ours(header: &BlockHeader) -> RefHeader {
    RefHeader {
        chain_id: header.chain_id.clone(),
        epoch: header.epoch,
        height: header.height,
        parent: header.parent,
        hcc: RefHcc { votes: Vec::new(), block_hash: header.hcc.block_hash },
        tx_root: header.tx_root,
        receipt_root: EMPTY_TRIE_ROOT,
        bloom: vec![0; 256].into(),
        state_root: header.state_root,
        timestamp: U256::from(header.timestamp),
        proposer: header.proposer,
        signature: header.signature.clone(),
        guardian_votes: None,
        edge_votes: None,
    }
}

#[test]
fn genesis_headers() {
    let Some(file) = vectors::json("ledger/genesis.json") else { return };
    for case in array(&file, "vectors") {
        let bytes = hex_at(case, "header_rlp");
        assert_eq!(keccak256(&bytes).to_vec(), hex_at(case, "block_hash"), "{}", case["file"]);
        let header: RefHeader = exact(&bytes);
        assert_eq!(header.state_root.to_vec(), hex_at(case, "state_root"));
        assert_eq!(header.timestamp, U256::from(case["timestamp"].as_u64().unwrap()));
        check_layout(&header);
    }
}

#[test]
fn votes_and_pools() {
    let Some(file) = vectors::json("ledger/block.json") else { return };
    let vote: RefVote = exact(&hex_at(&file["vote"], "vote_rlp"));
    assert_eq!(keccak256(rlp::encode(&vote)).to_vec(), hex_at(&file["vote"], "hash"));
    let signed = RefVote { height: 0, signature: Signature::none(), ..vote.clone() };
    assert_eq!(rlp::encode(&signed), hex_at(&file["vote"], "sign_bytes"));
    let set: Vec<RefVote> = exact(&hex_at(&file, "vote_set_rlp_sorted"));
    assert!(set.contains(&vote) && set.is_sorted_by(|a, b| a.id < b.id));
    let guardian: RefGuardianVotes = exact(&hex_at(&file, "guardian_votes_rlp"));
    let signed = RefGuardianVotes { multiplicities: vec![], signature: Bytes::new(), ..guardian.clone() };
    assert_eq!(rlp::encode(&signed), hex_at(&file, "guardian_votes_sign_bytes"));
    exact::<RefEdgeVotes>(&hex_at(&file, "een_votes_rlp"));
    let pool: GuardianPool = exact(&hex_at(&file, "guardian_pool_rlp"));
    assert_eq!(keccak256(rlp::encode(&pool)).to_vec(), hex_at(&file, "guardian_pool_hash"));
    assert_eq!(guardian.gcp.to_vec(), hex_at(&file, "guardian_pool_hash"));
    assert_eq!(pool.sorted_guardians[0].holder.stakes[0].return_height, ACTIVE_RETURN_HEIGHT);
}
