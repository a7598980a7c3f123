//! Chains with certificates.

use vigil_consensus::ValidatorSet;
use vigil_primitives::{
    Address, Block, BlockHeader, Bytes, EMPTY_TRIE_ROOT, Hash, Hcc, Height, Signature, Vote, keccak256, rlp,
};
use vigil_sync::Head;

pub(crate) const CHAIN: &str = "testnet";

/// Validators at the start.
pub(crate) const FIRST: Voters = Voters { ids: [1, 2, 3, 4], forged: false };
/// Validators after a set change.
pub(crate) const SECOND: Voters = Voters { ids: [5, 6, 7, 8], forged: false };
/// Nobody's validators.
pub(crate) const STRANGERS: Voters = Voters { ids: [21, 22, 23, 24], forged: false };
/// The first validators' names under signatures that are not theirs.
pub(crate) const FORGED: Voters = Voters { ids: [1, 2, 3, 4], forged: true };

/// Who certifies a block.
#[derive(Clone, Copy)]
pub(crate) struct Voters {
    ids: [u8; 4],
    forged: bool,
}

impl Voters {
    pub(crate) fn set(self) -> ValidatorSet {
        ValidatorSet::new(self.ids.map(|id| (Address::repeat_byte(id), 1))).unwrap()
    }

    fn certify(self, block: &Block) -> Hcc {
        let header = &block.header;
        let vote = |id: u8| {
            let mut vote = Vote {
                height: header.height,
                block_hash: block.hash(),
                block_epoch: header.epoch,
                source_set: 0,
                source_height: header.hcc.votes.first().map_or(0, |vote| vote.height),
                source_hash: header.hcc.block_hash,
                voter: Address::repeat_byte(id),
                signature: Signature::none(),
            };
            vote.signature = if self.forged { Signature(vec![0; 65].into()) } else { signature(&vote) };
            vote
        };
        Hcc { votes: self.ids[..3].iter().map(|id| vote(*id)).collect(), block_hash: block.hash() }
    }
}

fn signature(vote: &Vote) -> Signature {
    let unsigned = Vote { signature: Signature::none(), ..vote.clone() };
    Signature([keccak256(rlp::encode(&unsigned)).as_slice(), &[0; 33]].concat().into())
}

pub(crate) fn is_signed(vote: &Vote) -> bool {
    vote.signature == signature(vote)
}

/// Blocks from genesis up, each carrying its parent's certificate, and the certificate of each.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) blocks: Vec<Block>,
    pub(crate) certs: Vec<Hcc>,
}

impl History {
    /// `length` blocks above genesis.
    pub(crate) fn new(length: Height, voters: impl Fn(Height) -> Voters) -> Self {
        let header = BlockHeader { chain_id: CHAIN.into(), tx_root: EMPTY_TRIE_ROOT, ..Default::default() };
        let genesis = Block { header, txs: vec![] };
        let cert = Hcc { votes: vec![], block_hash: genesis.hash() };
        let mut history = Self { blocks: vec![genesis], certs: vec![cert] };
        history.grow(length, 0, |_, _| (), voters);
        history
    }

    /// Another history from height `at` up; `bend` changes headers before they are hashed.
    pub(crate) fn bent(
        &self,
        at: Height,
        length: Height,
        bend: impl Fn(Height, &mut BlockHeader),
        voters: impl Fn(Height) -> Voters,
    ) -> Self {
        let cut = at as usize;
        let mut other = Self { blocks: self.blocks[..cut].to_vec(), certs: self.certs[..cut].to_vec() };
        other.grow(length, 7, bend, voters);
        other
    }

    /// Another history from height `at` up, in good order, certified by `voters`.
    pub(crate) fn forked(&self, at: Height, length: Height, voters: Voters) -> Self {
        self.bent(at, length, |_, _| (), |_| voters)
    }

    fn grow(
        &mut self,
        length: Height,
        timestamp: u64,
        bend: impl Fn(Height, &mut BlockHeader),
        voters: impl Fn(Height) -> Voters,
    ) {
        for height in self.blocks.len() as Height..=length {
            let mut header = BlockHeader {
                height,
                timestamp,
                epoch: height,
                parent: self.hash(height - 1),
                hcc: self.certs[height as usize - 1].clone(),
                ..self.blocks[0].header.clone()
            };
            bend(height, &mut header);
            let block = Block { header, txs: vec![] };
            self.certs.push(voters(height).certify(&block));
            self.blocks.push(block);
        }
    }

    /// A history whose blocks from `at` on have one certificate in common, that of the block below, for so many blocks.
    pub(crate) fn climbing(at: Height, blocks: Height, length: Height) -> Self {
        let below = Self::new(at, |_| FIRST);
        let cert = below.certs[at as usize - 1].clone();
        let climb = |height, header: &mut BlockHeader| {
            if height < at + blocks {
                header.hcc = cert.clone();
            }
        };
        below.bent(at, length, climb, |_| FIRST)
    }

    pub(crate) fn hash(&self, height: Height) -> Hash {
        self.certs[height as usize].block_hash
    }

    pub(crate) fn head(&self, height: Height) -> Head {
        Head { height, hash: self.hash(height) }
    }

    /// Headers `heights` and the certificate of the last one.
    pub(crate) fn headers(&self, heights: impl IntoIterator<Item = Height>) -> Vec<Bytes> {
        heights.into_iter().map(|height| rlp::encode(&self.blocks[height as usize].header).into()).collect()
    }

    pub(crate) fn cert(&self, height: Height) -> Bytes {
        rlp::encode(&self.certs[height as usize]).into()
    }

    pub(crate) fn block(&self, height: Height) -> Bytes {
        rlp::encode(&self.blocks[height as usize]).into()
    }
}
