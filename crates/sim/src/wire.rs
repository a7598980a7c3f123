//! Words for the trace and for the log: what a message says, without hashing it.

use crate::trace::words_of;
use vigil_consensus::{EpochCert, Message};
use vigil_primitives::{Block, Hash};

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every node.
    All,
    /// One.
    One(usize),
    /// Some.
    Some(Vec<usize>),
}

fn block_words(block: &Block) -> [u64; 4] {
    let [a, b] = words_of(&block.header.state_root);
    let [c, d] = words_of(&block.header.hcc.block_hash);
    [a ^ c, b ^ d, block.header.epoch, block.header.timestamp ^ block.header.height << 32]
}

/// Words that tell a message from others.
pub fn words(message: &Message) -> [u64; 5] {
    let named = |kind: u64, hash: &Hash| {
        let [a, b] = words_of(hash);
        [kind, a, b, 0, 0]
    };
    match message {
        Message::Vote(vote) => {
            let [a, b] = words_of(&vote.block_hash);
            [1, a, b, vote.height, u64::from(vote.voter[0]) << 8 | u64::from(vote.voter[1])]
        }
        Message::EpochChange(change) => {
            let [a, _] = words_of(&change.lock_hash);
            let [b, _] = words_of(&change.last_vote_hash);
            [2, a ^ b, change.target_epoch, change.last_vote_height, u64::from(change.voter[0])]
        }
        Message::Proposal(proposal) => {
            let [a, b, c, d] = block_words(&proposal.block);
            [3, a, b, c, d]
        }
        Message::EpochCert(EpochCert::Commit(hcc)) => named(4, &hcc.block_hash),
        Message::EpochCert(EpochCert::Changes(changes)) => {
            let targets = changes.iter().fold(0, |sum: u64, change| sum.wrapping_mul(31) ^ change.target_epoch);
            [9, changes.len() as u64, targets, 0, 0]
        }
        Message::CertReq(hash) => named(5, hash),
        Message::Certificate(hcc) => named(6, &hcc.block_hash),
        Message::BlockReq(hash) => named(7, hash),
        Message::Block(block) => {
            let [a, b, c, d] = block_words(block);
            [8, a, b, c, d]
        }
    }
}

/// A line for the log.
pub fn text(message: &Message) -> String {
    let short = |hash: &Hash| format!("{:.4}", alloy_primitives::hex::encode(&hash[..2]));
    let block = |block: &Block| {
        let header = &block.header;
        let (hash, parent, hcc) = (block.hash(), header.parent, header.hcc.block_hash);
        format!("{} h{} e{} on {} hcc {}", short(&hash), header.height, header.epoch, short(&parent), short(&hcc))
    };
    match message {
        Message::Vote(vote) => format!("vote {} h{} e{}", short(&vote.block_hash), vote.height, vote.block_epoch),
        Message::EpochChange(change) => format!(
            "EC({}) lock {} h{} last vote {} h{}",
            change.target_epoch,
            short(&change.lock_hash),
            change.lock_height,
            short(&change.last_vote_hash),
            change.last_vote_height
        ),
        Message::Proposal(proposal) => format!("proposal {}", block(&proposal.block)),
        Message::EpochCert(EpochCert::Commit(hcc)) => format!("epoch certificate by {}", short(&hcc.block_hash)),
        Message::EpochCert(EpochCert::Changes(changes)) => {
            format!("epoch certificate by EC{:?}", changes.iter().map(|change| change.target_epoch).collect::<Vec<_>>())
        }
        Message::CertReq(hash) => format!("certificate of {}?", short(hash)),
        Message::Certificate(hcc) => format!("certificate of {}", short(&hcc.block_hash)),
        Message::BlockReq(hash) => format!("block {}?", short(hash)),
        Message::Block(body) => format!("block {}", block(body)),
    }
}
