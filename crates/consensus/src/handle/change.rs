//! An `EpochChange` or an epoch certificate arrives.

use crate::limits::CLOCK_MAX;
use crate::machine::Machine;
use crate::{EpochCert, EpochChange, Peer, Penalty};

impl Machine {
    pub(crate) fn on_epoch_cert(&mut self, from: Peer, cert: EpochCert) {
        match cert {
            EpochCert::Commit(hcc) => {
                self.learn_cert(&hcc, Some(from));
            }
            EpochCert::Changes(changes) => changes.into_iter().for_each(|change| self.take_change(from, change, None)),
        }
    }

    pub(crate) fn on_change(&mut self, from: Peer, change: EpochChange) {
        let (target, voter) = (change.target_epoch, change.voter);
        self.take_change(from, change, Some(from));
        if self.changes.get(&voter).is_some_and(|held| held.target_epoch > target) {
            self.remind(from, &voter);
        }
        if target <= self.clock.epoch {
            self.help(from);
        }
    }

    /// Keeps the latest of each sender. One whose lock has no valid certificate is dropped; `author` is blamed for that
    /// (who relays it may have settled past the lock, and then did not look).
    fn take_change(&mut self, from: Peer, mut change: EpochChange, author: Option<Peer>) {
        if Some(change.voter) == self.config.me || change.target_epoch >= CLOCK_MAX {
            return;
        }
        if !self.sets.any_contains(&change.voter) {
            return; // without blame: somebody who is ahead of us may know a newer set
        }
        let news = |old: &EpochChange| {
            (old.target_epoch, old.last_vote_height) < (change.target_epoch, change.last_vote_height)
        };
        if !self.changes.get(&change.voter).is_none_or(news) {
            return;
        }
        let digest = change.digest(&self.config.domain);
        if !self.signer.verify(&change.voter, &digest, &change.signature) {
            return self.penalize(Some(from), Penalty::BadSignature);
        }
        if !self.check_lock(author, &mut change) {
            return;
        }
        // Whoever names a block has it: what we lack is asked for at once (§1.4).
        if self.certs.contains_key(&change.lock_hash) {
            self.want_certified(change.lock_hash, change.lock_height, Some(from));
        }
        self.want_named(change.last_vote_hash, change.last_vote_height, from);
        self.changes.insert(change.voter, change);
    }

    /// The certificate must be the lock's and valid. One below the settled head whose set is forgotten is harmless.
    fn check_lock(&mut self, author: Option<Peer>, change: &mut EpochChange) -> bool {
        let genesis = self.config.domain.genesis_hash;
        let Some(cc) = change.lock_cc.take() else {
            return change.lock_hash == genesis && change.lock_height == 0;
        };
        let height = cc.votes.first().map_or(0, |vote| vote.height);
        if cc.block_hash != change.lock_hash || height != change.lock_height {
            self.penalize(author, Penalty::BadCertificate);
            return false;
        }
        let settled = self.tree.head().height;
        let judged = self.learn_cert(&cc, author);
        let known = self.certs.get(&cc.block_hash);
        if let Some(known) = known
            && known.height != change.lock_height
        {
            return false;
        }
        change.lock_cc = Some(known.map_or(cc, |cert| cert.hcc.clone()));
        known.is_some() || (judged && change.lock_height <= settled)
    }
}
