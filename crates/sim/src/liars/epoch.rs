//! What the liars do with their `EpochChange`.

use super::EpochLie;
use super::adversary::{Adversary, Shot};
use crate::agenda::Time;
use crate::lineage::Lineage;
use crate::wire::Target;
use vigil_consensus::{EpochChange, Message};
use vigil_primitives::{Epoch, Hash, Signature};

/// The height that a liar claims to have voted at.
const TALL: u64 = 1 << 20;

impl Adversary {
    /// An epoch begins.
    pub(super) fn change_epoch(&mut self, _now: Time, epoch: Epoch, lineage: &Lineage) -> Vec<Shot> {
        let mut shots = Vec::new();
        for liar in 0..self.liars.len() {
            let (after, target, tall, to) = match self.lies.epoch {
                EpochLie::Silent => continue,
                EpochLie::Early => (self.rng.between(0, 2 * self.delta), epoch + 1, false, Target::All),
                EpochLie::AtOnce => (0, epoch + 1, false, self.amplifiers()),
                EpochLie::Liar if self.rng.percent(50) => (0, epoch + 1, true, Target::All),
                EpochLie::Liar => (0, epoch + 1_000, self.rng.percent(50), Target::All),
            };
            let lock = self.some_lock(lineage);
            let change = self.sign_change(liar, target, lock, tall, lineage);
            shots.push(self.shot(after, liar, to, Message::EpochChange(change)));
        }
        shots
    }

    /// As many honest nodes as reach a third together with the liars, or everybody.
    fn amplifiers(&mut self) -> Target {
        if self.rng.percent(50) {
            return Target::All;
        }
        let mut nodes = self.honest.clone();
        self.rng.shuffle(&mut nodes);
        nodes.truncate(self.liars.len() + 1);
        Target::Some(nodes)
    }

    /// Genesis, the highest certified block, or an older one.
    fn some_lock(&mut self, lineage: &Lineage) -> Hash {
        match self.rng.below(3) {
            0 => lineage.genesis(),
            1 => self.seen.highest_certified(lineage),
            _ if self.seen.certified.is_empty() => lineage.genesis(),
            _ => *self.rng.pick(&self.seen.certified),
        }
    }

    /// Signs an `EpochChange` of a liar.
    fn sign_change(&mut self, liar: usize, target: Epoch, lock: Hash, tall: bool, lineage: &Lineage) -> EpochChange {
        let last = self.seen.last_votes.get(&self.liars[liar].node);
        let (height, hash) = last.map_or((0, lineage.genesis()), |vote| (vote.height, vote.block_hash));
        let mut change = EpochChange {
            target_epoch: target,
            lock_height: lineage.get(&lock).map_or(0, |kin| kin.height()),
            lock_hash: lock,
            last_vote_height: if tall { TALL } else { height },
            last_vote_hash: if tall && self.rng.percent(50) { Hash::repeat_byte(9) } else { hash },
            voter: self.liars[liar].signer.address(),
            signature: Signature::none(),
            lock_cc: self.seen.cert(&lock, lineage).filter(|_| lock != lineage.genesis()),
        };
        change.signature = self.liars[liar].signer.sign(&change.digest(&self.domain));
        self.changes.insert(change.voter, change.clone());
        change
    }
}
