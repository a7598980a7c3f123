//! Which certificates are known: taken from messages, made of votes, confirmed by headers; and the highest of them.

use crate::certs::{Cert, Verdict, is_genesis, matches};
use crate::limits::{CERTS_UNKNOWN_MAX, HEIGHT_WINDOW};
use crate::machine::Machine;
use crate::{Effect, Peer, Penalty, ValidatorSet};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Evidence, Hash, Hcc, Height, Vote};

impl Machine {
    /// Takes a certificate from a message. Returns false if it is provably worthless; then the sender was blamed.
    pub(crate) fn learn_cert(&mut self, hcc: &Hcc, from: Option<Peer>) -> bool {
        if is_genesis(hcc, &self.config) {
            return true;
        }
        let known = self.certs.get(&hcc.block_hash).map(|cert| cert.height);
        if let Some(height) = known {
            self.want_certified(hcc.block_hash, height, from);
            // Votes of another choice may be the only ones that show a fault.
            if hcc.votes.iter().all(|vote| self.tally.contains(vote)) {
                return true;
            }
        }
        match self.check_cert(hcc) {
            Verdict::Valid(cert) => {
                // Its votes may prove faults, and belong to the tally like those that come singly.
                for vote in &hcc.votes {
                    self.count_vote(vote);
                }
                if known.is_none() {
                    self.add_cert(cert, from);
                }
                true
            }
            Verdict::Unknown => self.keep_votes(hcc, from),
            Verdict::Bad(reason) => {
                self.penalize(from, reason);
                false
            }
        }
    }

    /// A certificate that cannot be judged yet: its votes count like single ones, and its block is asked for.
    fn keep_votes(&mut self, hcc: &Hcc, from: Option<Peer>) -> bool {
        let new = hcc.votes.iter().filter(|v| self.sets.any_contains(&v.voter) && !self.tally.contains(v));
        self.signer.verify_votes(&self.config.domain, new);
        for vote in &hcc.votes {
            if !self.sets.any_contains(&vote.voter) || self.tally.contains(vote) {
                continue;
            }
            if !self.signer.verify_vote(&self.config.domain, vote) {
                self.penalize(from, Penalty::BadSignature);
                return false;
            }
            self.count_vote(vote);
        }
        if let (Some(from), Some(vote)) = (from, hcc.votes.first()) {
            self.want_named(hcc.block_hash, vote.height, from);
        }
        true
    }

    /// Puts a vote whose signature is good into the tally and reports the faults it proves. One too high for a block that
    /// we could hold is not kept, unless it is ours: the database may be older than the journal.
    pub(crate) fn count_vote(&mut self, vote: &Vote) {
        let settled = self.tree.head().height;
        let keep = vote.height <= settled + HEIGHT_WINDOW || Some(vote.voter) == self.config.me;
        for fault in self.tally.add(vote, settled, keep) {
            self.out.push(Effect::Evidence(Box::new(fault)));
        }
    }

    /// Looks whether the votes for a block are enough.
    pub(crate) fn try_certify(&mut self, hash: &Hash) {
        if self.certs.contains_key(hash) {
            return;
        }
        if let Some(cert) = self.assemble(hash) {
            self.add_cert(cert, None);
        }
    }

    fn assemble(&self, hash: &Hash) -> Option<Cert> {
        let meta = self.tree.meta(hash);
        let mut bodies: Vec<&Vote> = Vec::new();
        for vote in self.tally.votes(hash) {
            let fits = meta.is_none_or(|meta| matches(vote, meta));
            if fits && !bodies.iter().any(|body| body.body() == vote.body()) {
                bodies.push(vote);
            }
        }
        bodies.into_iter().find_map(|body| {
            let voters = || self.tally.votes(hash).filter(|vote| vote.body() == body.body());
            let weight = |set: &ValidatorSet| set.weight_of(voters().map(|vote| &vote.voter));
            let key = self.certifying_set(body, |set| set.is_quorum(weight(set)))?;
            let set = self.sets.get(&key)?;
            let votes: Vec<Vote> = voters().filter(|vote| set.contains(&vote.voter)).cloned().collect();
            let (height, epoch) = (body.height, body.block_epoch);
            Some(Cert { hcc: Arc::new(Hcc { votes, block_hash: *hash }), height, epoch, set: key })
        })
    }

    fn add_cert(&mut self, cert: Cert, from: Option<Peer>) {
        let hash = cert.hcc.block_hash;
        if cert.height <= self.tree.head().height && hash != self.tree.head().hash && cert.epoch < self.clock.epoch {
            return;
        }
        self.seen_height = self.seen_height.max(cert.height);
        self.out.push(Effect::StoreCert(cert.hcc.clone()));
        let (height, held) = (cert.height, self.tree.meta(&hash).is_some());
        self.certs.insert(hash, cert);
        if self.config.rules.backoff_reset_on_certificate {
            self.clock.backoff = crate::BACKOFF_MIN;
        }
        if held {
            self.refresh_high();
        } else {
            self.bound_unknown_certs();
            self.want_certified(hash, height, from);
        }
    }

    /// Only more than a third of faulty stake can make many; then the lowest go.
    fn bound_unknown_certs(&mut self) {
        let unknown: BTreeMap<(Height, Hash), ()> = self
            .certs
            .iter()
            .filter(|(hash, _)| self.tree.meta(hash).is_none())
            .map(|(hash, cert)| ((cert.height, *hash), ()))
            .collect();
        if unknown.len() > CERTS_UNKNOWN_MAX
            && let Some(((_, lowest), ())) = unknown.first_key_value()
        {
            self.certs.remove(lowest);
        }
    }

    /// Looks again at the votes for blocks that are not held, where `about` picks one of their votes.
    pub(crate) fn recount(&mut self, about: impl Fn(&Vote) -> bool) {
        for hash in self.tally.blocks() {
            if self.tree.meta(&hash).is_none() && self.tally.votes(&hash).any(&about) {
                self.try_certify(&hash);
            }
        }
    }

    /// A certificate that came before its block is checked against the header now.
    pub(crate) fn confirm_cert(&mut self, hash: &Hash) {
        let (Some(cert), Some(meta)) = (self.certs.get(hash), self.tree.meta(hash)) else { return };
        let fits = cert.set == meta.set && cert.hcc.votes.first().is_some_and(|vote| matches(vote, meta));
        if !fits {
            self.certs.remove(hash);
        }
        let lies: Vec<Vote> =
            self.tally.votes(hash).filter(|vote| vote.source_hash != meta.hcc_hash).cloned().collect();
        for vote in lies {
            self.report_lie(vote);
        }
        self.try_certify(hash);
    }

    /// A vote whose source is not the HCC of its block.
    pub(crate) fn report_lie(&mut self, vote: Vote) {
        if let Some(node) = self.tree.node(&vote.block_hash)
            && node.meta.hcc_hash != vote.source_hash
        {
            let header = Box::new(node.block.header.clone());
            self.out.push(Effect::Evidence(Box::new(Evidence::SourceLie(vote, header))));
        }
    }

    /// The highest certificate whose block is held and executed; the head if there is none. And with it the set that
    /// counts: that of a child of this block (§1.12).
    pub(crate) fn refresh_high(&mut self) {
        let held = self.certs.iter().filter_map(|(hash, cert)| {
            let meta = self.tree.valid(hash)?;
            (meta.set == cert.set && meta.height >= self.tree.head().height).then_some((cert.rank(), *hash))
        });
        let head = self.tree.head();
        let (_, high) = held.max().unwrap_or(((head.set.index, head.height), head.hash));
        self.high = high;
        let before = self.active;
        if let Some(meta) = self.tree.meta(&high)
            && let Some((set, _)) = crate::sets::of_child(&self.tree, meta, meta)
            && self.sets.get(&set).is_some()
        {
            self.active = set;
        }
        if self.active != before {
            self.recount(|_| true);
        }
    }
}
