//! Noise: votes of people who are no validators, broken signatures and certificates, blocks out of turn, epochs far away.

use super::adversary::{Adversary, Parts, Shot};
use crate::agenda::Time;
use crate::lineage::Lineage;
use crate::wire::Target;
use std::sync::Arc;
use vigil_consensus::{EpochCert, EpochChange, Message};
use vigil_primitives::{Epoch, Hash, Hcc, Signature, Vote, keccak256};

/// How far an epoch jumper jumps.
const JUMP: Epoch = 1_000;

impl Adversary {
    /// A piece of noise, from the stranger or a liar, to one node or all.
    pub fn flood(&mut self, now: Time, epoch: Epoch, lineage: &mut Lineage) -> Vec<Shot> {
        let message = match self.rng.below(8) {
            0 => Some(self.stranger_vote(lineage)),
            1 => Some(self.stranger_change(epoch, lineage)),
            2 => self.broken_vote(lineage),
            3 => self.broken_cert(lineage).map(|hcc| Message::Certificate(Arc::new(hcc))),
            4 => self.broken_epoch_cert(lineage),
            5 => self.out_of_turn(now, epoch, lineage),
            6 => self.out_of_turn(now, epoch + JUMP, lineage),
            _ => Some(self.question()),
        };
        let Some(message) = message else { return Vec::new() };
        let mut senders: Vec<usize> = self.liars.iter().map(|liar| liar.node).collect();
        senders.push(self.stranger.node);
        let from = *self.rng.pick(&senders);
        let to = if self.rng.percent(30) { Target::All } else { Target::One(*self.rng.pick(&self.honest)) };
        vec![Shot { after: 0, from, to, message }]
    }

    fn some_certified(&mut self, lineage: &Lineage) -> Hash {
        if self.seen.certified.is_empty() {
            return lineage.genesis();
        }
        let recent = self.seen.certified.len().saturating_sub(4);
        self.seen.certified[recent + self.rng.below(self.seen.certified.len() - recent)]
    }

    /// A well-signed vote of a non-member, for a real block or for none.
    fn stranger_vote(&mut self, lineage: &Lineage) -> Message {
        let real = self.some_certified(lineage);
        let hash = if self.rng.percent(50) { real } else { keccak256(self.rng.between(0, 1 << 20).to_be_bytes()) };
        let (height, epoch) = lineage.get(&real).map_or((1, 1), |kin| (kin.height(), kin.epoch()));
        let mut vote = Vote {
            height,
            block_hash: hash,
            block_epoch: epoch + self.rng.between(0, 2),
            source_set: 0,
            source_height: 0,
            source_hash: lineage.genesis(),
            voter: self.stranger.signer.address(),
            signature: Signature::none(),
        };
        vote.signature = self.stranger.signer.sign(&vote.digest(&self.domain));
        Message::Vote(vote)
    }

    fn stranger_change(&mut self, epoch: Epoch, lineage: &Lineage) -> Message {
        let mut change = EpochChange {
            target_epoch: epoch + if self.rng.percent(50) { 1 } else { JUMP },
            lock_height: 0,
            lock_hash: lineage.genesis(),
            last_vote_height: 0,
            last_vote_hash: lineage.genesis(),
            voter: self.stranger.signer.address(),
            signature: Signature::none(),
            lock_cc: None,
        };
        change.signature = self.stranger.signer.sign(&change.digest(&self.domain));
        Message::EpochChange(change)
    }

    /// An honest vote with another height: the signature is not for it.
    fn broken_vote(&mut self, _lineage: &Lineage) -> Option<Message> {
        let victim = *self.rng.pick(&self.honest);
        let mut vote = self.seen.last_votes.get(&victim)?.clone();
        vote.height += 1;
        Some(Message::Vote(vote))
    }

    /// A certificate with a vote too few, a vote twice, or somebody else's hash.
    fn broken_cert(&mut self, lineage: &Lineage) -> Option<Hcc> {
        let hash = self.some_certified(lineage);
        let mut hcc = self.seen.cert(&hash, lineage)?.as_ref().clone();
        let last = hcc.votes.len().checked_sub(1)?;
        match self.rng.below(3) {
            0 => hcc.votes.truncate(last.min(1)),
            1 => {
                let first = hcc.votes[0].clone();
                hcc.votes.iter_mut().for_each(|vote| *vote = first.clone());
            }
            _ => hcc.block_hash = Hash::repeat_byte(5),
        }
        Some(hcc)
    }

    fn broken_epoch_cert(&mut self, lineage: &Lineage) -> Option<Message> {
        if self.rng.percent(50) {
            return self.broken_cert(lineage).map(|hcc| Message::EpochCert(EpochCert::Commit(Arc::new(hcc))));
        }
        let mut change = self.changes.values().next()?.clone();
        if self.rng.percent(50) {
            change.target_epoch += JUMP;
        }
        Some(Message::EpochCert(EpochCert::Changes(vec![change])))
    }

    /// A liar's block of an epoch that is not its turn, or far away.
    fn out_of_turn(&mut self, now: Time, epoch: Epoch, lineage: &mut Lineage) -> Option<Message> {
        if self.liars.is_empty() {
            return None;
        }
        let liar = self.rng.below(self.liars.len());
        let best = self.some_certified(lineage);
        let parts = Parts { parent: best, hcc: best, epoch, txs: Vec::new(), salt: 2, wrong_root: false };
        let block = self.forge(now, liar, &parts, lineage)?;
        lineage.enter(block.hash(), &block);
        if self.rng.percent(30) {
            return Some(Message::Block(block));
        }
        Some(self.proposal(&block, lineage))
    }

    fn question(&mut self) -> Message {
        let hash = keccak256(self.rng.between(0, 1 << 20).to_be_bytes());
        if self.rng.percent(50) { Message::BlockReq(hash) } else { Message::CertReq(hash) }
    }
}
