//! When we vote (§1.7 REC, V1-V6).

use crate::limits::TIMESTAMP_AHEAD_MAX_SECONDS;
use crate::machine::Machine;
use crate::{BlockMeta, Effect, HaltReason, JournalRecord, Lock, Message, Rules};
use std::collections::BTreeMap;
use vigil_primitives::{Address, Evidence, Hash, Hcc, Signature, Vote};

impl Machine {
    /// Votes for a block of the current epoch, if the rules allow one. Returns true if it did.
    pub(crate) fn vote_in_epoch(&mut self) -> bool {
        if self.halted || self.config.me.is_none() {
            return false;
        }
        let candidates = self.tree.of_epoch(self.clock.epoch).to_vec();
        candidates.iter().any(|hash| {
            let Some(meta) = self.tree.valid(hash).cloned() else { return false };
            if self.is_votable(&meta) {
                self.vote(&meta);
                return true;
            }
            self.halt_on_conflict(&meta);
            false
        })
    }

    /// V1 and V6 hold for every executed block of the tree; the other rules are here.
    fn is_votable(&self, meta: &BlockMeta) -> bool {
        let Rules { height_rule, epoch_clock, longest_fork, .. } = self.config.rules;
        let last = self.own.voted();
        let is_member = self.sets.get(&meta.set).is_some_and(|set| self.config.is_member(set));
        let in_time = meta.timestamp <= self.now.unix.saturating_add(TIMESTAMP_AHEAD_MAX_SECONDS); // rule 13
        let own_epoch = meta.epoch == self.clock.epoch && self.own.change_target <= self.clock.epoch; // V2, E5
        let later = meta.epoch > last.epoch; // V3
        let higher = meta.height > last.height; // V4
        let longest = || self.tree.nodes().all(|node| node.meta.height < meta.height || node.meta.hash == meta.hash);
        !self.halted
            && is_member
            && in_time
            && own_epoch
            && later
            && (higher || epoch_clock || !height_rule)
            && self.passes_lock(meta) // V5
            && (!longest_fork || longest())
    }

    /// V5: the block's HCC ranks above our lock, or is our lock. Where a journal is lost, the lock with it, the HCC ranks
    /// at least as high as the source of each vote that is known of.
    pub(crate) fn passes_lock(&self, meta: &BlockMeta) -> bool {
        let ((lock_rank, lock_hash), rank) = (self.lock_rank(), meta.hcc_rank());
        // With two certificates a height, as without V4, an equal rank has to do.
        let same_block = meta.hcc_hash == lock_hash || self.config.rules != Rules::default();
        let above_sources = rank >= self.own.voted().source_rank();
        !self.config.rules.lock_rule || (above_sources && (rank > lock_rank || (rank == lock_rank && same_block)))
    }

    fn vote(&mut self, meta: &BlockMeta) {
        let Some(node) = self.tree.node(&meta.hash) else { return };
        let cc = node.block.header.hcc.clone();
        let source = Lock { set_index: meta.hcc_set, height: meta.hcc_height, hash: meta.hcc_hash, cc };
        let lock = self.own.lock.clone().filter(|lock| lock.rank() >= source.rank()).unwrap_or(source);
        let mut vote = Vote {
            height: meta.height,
            block_hash: meta.hash,
            block_epoch: meta.epoch,
            source_set: meta.hcc_set,
            source_height: meta.hcc_height,
            source_hash: meta.hcc_hash,
            voter: self.config.me.expect("only who holds a key votes"),
            signature: Signature::none(),
        };
        vote.signature = self.signer.sign(&vote.digest(&self.config.domain));
        self.journal(JournalRecord::Vote { vote: vote.clone(), lock });
        self.signer.remember(&vote);
        self.count_vote(&vote);
        self.broadcast(Message::Vote(vote));
        let patience = self.backed_off(2 * self.config.delta + self.config.execution_budget);
        self.timeout_at_latest(self.now.mono + patience);
        self.try_certify(&meta.hash);
    }

    /// A certificate of our lock's rank for another block: more than a third of the stake is faulty.
    fn halt_on_conflict(&mut self, meta: &BlockMeta) {
        let (rank, ours) = self.lock_rank();
        let conflicts = meta.hcc_rank() == rank && meta.hcc_hash != ours;
        if !conflicts || self.config.rules != Rules::default() || self.halted {
            return;
        }
        let reason = HaltReason::ConflictingCertificates { height: meta.hcc_height, ours, theirs: meta.hcc_hash };
        self.halted = true;
        let theirs = self.tree.node(&meta.hash).map(|node| node.block.header.hcc.clone()).unwrap_or_default();
        for (ours, theirs) in common_voters(&self.lock().cc, &theirs) {
            self.report(Evidence::DoubleVote(ours, theirs));
        }
        self.out.push(Effect::Halted(reason));
    }

    /// Sends our journalled proposal again, if the block is held (§1.13).
    pub(crate) fn resend_proposal(&mut self) {
        let own: Option<Hash> = self.own.last_proposal.filter(|(epoch, _)| *epoch == self.clock.epoch).map(|(_, h)| h);
        let block = own.and_then(|hash| self.tree.node(&hash)).map(|node| node.block.clone());
        if let Some(block) = block.filter(|_| !self.halted) {
            self.broadcast(Message::Proposal(crate::Proposal { block, epoch_cert: None }));
        }
    }
}

fn common_voters(ours: &Hcc, theirs: &Hcc) -> Vec<(Vote, Vote)> {
    let ours: BTreeMap<Address, &Vote> = ours.votes.iter().map(|vote| (vote.voter, vote)).collect();
    let both = theirs.votes.iter().filter_map(|vote| Some(((*ours.get(&vote.voter)?).clone(), vote.clone())));
    both.collect()
}
