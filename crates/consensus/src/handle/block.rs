//! A block arrives: as a proposal, as an answer, or fed by sync (§1.6, §1.11).

use crate::certs::{Verdict, is_genesis};
use crate::limits::{CLOCK_MAX, EPOCHS_AHEAD_MAX, HEIGHT_WINDOW, PROPOSALS_PER_TURN_MAX};
use crate::machine::Machine;
use crate::{BlockMeta, Effect, Executed, Peer, Penalty, Proposal};
use alloy_rlp::Encodable;
use std::sync::Arc;
use vigil_primitives::{Block, BlockHeader, Hash, SIGNATURE_BYTES};

/// What the header checks say (they need the parent).
enum HeaderVerdict {
    Fits(Box<BlockMeta>),
    Invalid,
    /// It conflicts with what is settled, or a third block of its turn: not kept, not judged.
    Dropped,
}

impl Machine {
    pub(crate) fn on_proposal(&mut self, from: Peer, proposal: Proposal) {
        if let Some(cert) = proposal.epoch_cert
            && proposal.block.header.epoch > self.clock.epoch
        {
            self.on_epoch_cert(from, cert);
            self.advance_epoch();
        }
        self.receive_block(from, proposal.block, false);
    }

    pub(crate) fn on_block(&mut self, from: Peer, block: Arc<Block>) {
        self.receive_block(from, block, true);
    }

    fn receive_block(&mut self, from: Peer, block: Arc<Block>, answer: bool) {
        let hash = block.hash();
        let wanted = self.fetches.done(&hash) || self.certs.contains_key(&hash);
        let header = &block.header;
        if self.parking.contains(&hash) {
            return self.want_ancestor(header.parent, header.height - 1, from);
        }
        if self.tree.meta(&hash).is_some() || self.tree.is_invalid(&hash) {
            return;
        }
        let settled = self.tree.head().height;
        self.look_for_late_rival(from, &hash, &block);
        if header.height <= settled || header.height > settled + HEIGHT_WINDOW || header.epoch >= CLOCK_MAX {
            return;
        }
        if !answer && !wanted && !self.sets.any_contains(&header.proposer) {
            return;
        }
        if !self.is_well_formed(&block) || !self.is_signed(header) {
            return self.penalize(Some(from), Penalty::BadBlock);
        }
        if !self.learn_cert(&header.hcc, Some(from)) {
            return;
        }
        self.advance_epoch();
        let early = header.epoch > self.clock.epoch;
        if early && !answer && !wanted && header.epoch > self.clock.epoch + EPOCHS_AHEAD_MAX {
            return;
        }
        if !early && self.tree.valid(&header.parent).is_some() {
            return self.place(hash, block, Some(from), wanted);
        }
        self.want_ancestor(header.parent, header.height - 1, from);
        if self.parking.park(hash, block, from, wanted) {
            self.unpark = true;
        }
    }

    /// Rule 1, as far as it needs no chain.
    fn is_well_formed(&self, block: &Block) -> bool {
        let header = &block.header;
        header.chain_id == self.config.domain.chain_id
            && header.height > 0
            && header.epoch > 0
            && header.timestamp > 0
            && !header.parent.is_zero()
            && !header.hcc.block_hash.is_zero()
            && !header.proposer.is_zero()
            && header.signature.0.len() == SIGNATURE_BYTES
            && block.txs.len() <= self.config.block_txs_max
            && block.length() <= self.config.block_bytes_max
    }

    pub(crate) fn is_signed(&self, header: &BlockHeader) -> bool {
        self.signer.verify(&header.proposer, &header.sign_digest(), &header.signature)
    }

    /// Takes up parked blocks whose epoch has come and whose parent is executed. Returns true if one was.
    pub(crate) fn unpark_due(&mut self) -> bool {
        if !std::mem::take(&mut self.unpark) {
            return false;
        }
        let mut moved = false;
        for hash in self.parking.due(self.clock.epoch) {
            let Some(parent) = self.parking.get(&hash).map(|parked| parked.block.header.parent) else { continue };
            if self.tree.is_invalid(&parent) {
                self.parking.take(&hash);
                self.reject(hash);
            } else if self.tree.valid(&parent).is_some()
                && let Some(parked) = self.parking.take(&hash)
            {
                self.place(hash, parked.block, Some(parked.from), parked.solicited);
                moved = true;
            }
        }
        moved
    }

    /// Puts a block whose parent is executed on the tree and has it executed.
    fn place(&mut self, hash: Hash, block: Arc<Block>, from: Option<Peer>, solicited: bool) {
        match self.check_header(hash, &block.header, solicited) {
            HeaderVerdict::Fits(meta) => {
                self.insert_block(block.clone(), *meta, from);
                self.out.push(Effect::Execute(block));
            }
            HeaderVerdict::Invalid => self.reject(hash),
            HeaderVerdict::Dropped => {}
        }
    }

    fn insert_block(&mut self, block: Arc<Block>, meta: BlockMeta, from: Option<Peer>) {
        let hash = meta.hash;
        self.look_for_rival(&hash, &block);
        self.tree.insert(block, meta, self.now.mono, from);
        self.confirm_cert(&hash);
    }

    /// §1.6 rules 3 to 9, 12 and 14, and rule 8 as §1.12 has it.
    fn check_header(&mut self, hash: Hash, header: &BlockHeader, solicited: bool) -> HeaderVerdict {
        let Some(parent) = self.tree.valid(&header.parent).cloned() else { return HeaderVerdict::Dropped };
        if parent.height < self.tree.head().height {
            return HeaderVerdict::Dropped;
        }
        let follows =
            header.height == parent.height + 1 && header.epoch > parent.epoch && header.timestamp >= parent.timestamp;
        let hcc = self.tree.meta(&header.hcc.block_hash).cloned();
        let Some(hcc) = hcc.filter(|hcc| follows && self.tree.descends(&parent.hash, hcc)) else {
            return HeaderVerdict::Invalid;
        };
        let Some((set, pend)) = self.allowed_child(&parent, &hcc) else { return HeaderVerdict::Invalid };
        if !self.carries_cert(header) || self.sets.proposer(&set, header.epoch) != Some(header.proposer) {
            return HeaderVerdict::Invalid;
        }
        let turn_is_full = self.rivals(header, &hash).len() >= PROPOSALS_PER_TURN_MAX;
        let needed = solicited || self.certs.contains_key(&hash) || self.parking.has_children(&hash);
        if (turn_is_full && !needed) || !self.make_room() {
            return HeaderVerdict::Dropped;
        }
        HeaderVerdict::Fits(Box::new(BlockMeta {
            hash,
            parent: parent.hash,
            height: header.height,
            epoch: header.epoch,
            timestamp: header.timestamp,
            hcc_hash: hcc.hash,
            hcc_set: hcc.set.index,
            hcc_height: hcc.height,
            set,
            pend,
            set_after: None,
        }))
    }

    /// Rule 7: the header's own votes certify its HCC.
    pub(crate) fn carries_cert(&mut self, header: &BlockHeader) -> bool {
        is_genesis(&header.hcc, &self.config) || matches!(self.check_cert(&header.hcc), Verdict::Valid(_))
    }

    /// Set and pending change of a child, if rule 12 (the HCC's rank never falls) permits it.
    pub(crate) fn allowed_child(&self, parent: &BlockMeta, hcc: &BlockMeta) -> Option<(crate::SetKey, Option<Hash>)> {
        let before = self.tree.meta(&parent.hcc_hash);
        let rank = |meta: &BlockMeta| (meta.set.index, meta.height);
        if before.is_some_and(|before| rank(hcc) < rank(before)) {
            return None;
        }
        if self.config.rules.forced_links && hcc.hash != parent.hash {
            let flagged = |meta: &BlockMeta| meta.set_after.is_some();
            if flagged(parent) || self.tree.meta(&parent.parent).is_some_and(flagged) {
                return None;
            }
        }
        let child = crate::sets::of_child(&self.tree, parent, hcc)?;
        self.sets.get(&child.0).is_some().then_some(child)
    }

    /// If the tree is full, an old branch that nobody certified gives way.
    fn make_room(&mut self) -> bool {
        let last_vote = self.own.voted().hash;
        let surplus = self.tree.surplus_leaf(|hash| self.certs.contains_key(hash) || last_vote == *hash);
        if let Some(leaf) = surplus {
            self.tree.remove_leaf(&leaf);
            self.out.push(Effect::Discarded(vec![leaf]));
        }
        !self.tree.is_full()
    }

    /// Remembers a block and all that waits for it as invalid.
    pub(crate) fn reject(&mut self, hash: Hash) {
        let mut rejected = vec![hash];
        while let Some(hash) = rejected.pop() {
            self.tree.mark_invalid(hash);
            self.fetches.done(&hash);
            rejected.extend(self.parking.take_children(&hash).into_iter().map(|parked| parked.hash));
        }
    }

    /// Our own block, executed while it was built.
    pub(crate) fn place_own(&mut self, block: Arc<Block>, executed: Executed) -> bool {
        let hash = block.hash();
        let HeaderVerdict::Fits(meta) = self.check_header(hash, &block.header, true) else { return false };
        self.insert_block(block, *meta, None);
        self.mark_executed(&hash, executed);
        true
    }

    /// A block from our own store.
    pub(crate) fn restore_block(&mut self, block: Arc<Block>, executed: Executed) {
        let settled = self.tree.head().height;
        if block.header.height > settled && self.learn_cert(&block.header.hcc, None) {
            self.place_own(block, executed);
        }
    }
}
