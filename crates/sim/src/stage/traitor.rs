//! What the traitor does when the script says so.

use super::{Stage, TRAITOR, VALIDATORS};
use crate::ledger::tx_root;
use crate::shell::UNIX_START_MS;
use crate::world::CHAIN_ID;
use std::sync::Arc;
use vigil_consensus::EpochChange;
use vigil_primitives::{Block, BlockHeader, Hash, Signature, Vote};

impl Stage {
    /// The traitor's block in its turn, shown to some. The traitor votes for it.
    ///
    /// # Panics
    /// If it is not its turn, or there is no certificate for `hcc`.
    pub fn traitor_block(&mut self, parent: Hash, hcc: Hash, twin: u64, to: &[usize]) -> Hash {
        assert_eq!(self.epoch as usize % VALIDATORS, TRAITOR, "not the traitor's turn");
        let above = self.lineage.get(&parent).expect("a known parent");
        let before = above.state.as_ref().expect("a valid parent");
        let (height, timestamp) = (above.height() + 1, above.block.header.timestamp.max(UNIX_START_MS / 1_000) + twin);
        let state = self.toy.apply(before, height, self.epoch, &[]).expect("nothing to fail");
        let mut header = BlockHeader {
            chain_id: CHAIN_ID.into(),
            epoch: self.epoch,
            height,
            parent,
            hcc: self.seen.cert(&hcc, &self.lineage).expect("a certified block").as_ref().clone(),
            tx_root: tx_root(&[]),
            state_root: state.root,
            timestamp,
            proposer: self.signers[TRAITOR].address(),
            ..BlockHeader::default()
        };
        header.signature = self.signers[TRAITOR].sign(&header.sign_digest());
        let block = Arc::new(Block { header, txs: Vec::new() });
        let hash = block.hash();
        self.lineage.enter(hash, &block);
        self.show(hash, to);
        self.traitor_votes(hash);
        hash
    }

    /// The traitor votes, whatever it voted before. Nobody is told.
    pub fn traitor_votes(&mut self, block: Hash) {
        let header = &self.lineage.get(&block).expect("a known block").block.header;
        let source = self.lineage.get(&header.hcc.block_hash).expect("a known source");
        let mut vote = Vote {
            height: header.height,
            block_hash: block,
            block_epoch: header.epoch,
            source_set: source.set.index,
            source_height: source.height(),
            source_hash: header.hcc.block_hash,
            voter: self.signers[TRAITOR].address(),
            signature: Signature::none(),
        };
        vote.signature = self.signers[TRAITOR].sign(&vote.digest(&self.domain));
        self.seen.vote(TRAITOR, &vote, &self.lineage);
    }

    /// The traitor wants the next epoch, locked on genesis.
    pub(super) fn traitor_changes_epoch(&mut self) {
        let genesis = self.genesis();
        let mut own = EpochChange {
            target_epoch: self.epoch + 1,
            lock_height: 0,
            lock_hash: genesis,
            last_vote_height: 0,
            last_vote_hash: genesis,
            voter: self.signers[TRAITOR].address(),
            signature: Signature::none(),
            lock_cc: None,
        };
        own.signature = self.signers[TRAITOR].sign(&own.digest(&self.domain));
        self.changes.insert(own.voter, own);
    }
}
