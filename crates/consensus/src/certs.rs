//! Commit certificates: how they are checked, and which are known (§1.8, §1.6 rules 7 and 14).
//!
//! A certificate is canonical if its votes are sorted by voter, one a voter, all of members, all with the same body and
//! together a quorum. Any such subset of the votes will do: the header's signature covers the one that was chosen.

use crate::limits::{CERTS_UNKNOWN_MAX, CLOCK_MAX, VERIFIED_MAX};
use crate::machine::Machine;
use crate::{BlockMeta, Config, Effect, Evidence, Keys, Peer, Penalty, SetKey, ValidatorSet};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use vigil_primitives::{Address, Epoch, Hash, Hcc, Height, SignDomain, Signature, Vote};

/// A certificate that was checked.
#[derive(Clone)]
pub(crate) struct Cert {
    pub(crate) hcc: Arc<Hcc>,
    pub(crate) height: Height,
    pub(crate) epoch: Epoch,
    pub(crate) set: SetKey,
}

impl Cert {
    pub(crate) fn rank(&self) -> (u64, Height) {
        (self.set.index, self.height)
    }
}

/// What a check finds.
pub(crate) enum Verdict {
    Valid(Cert),
    /// Of a set we do not know (yet).
    Unknown,
    Bad(Penalty),
}

/// Our key and the signatures that were found good, so that each vote is checked once.
#[derive(Clone)]
pub(crate) struct Signer {
    keys: Arc<dyn Keys>,
    verified: HashSet<Vote>,
    order: VecDeque<Vote>,
}

impl Signer {
    pub(crate) fn new(keys: Box<dyn Keys>) -> Self {
        Self { keys: keys.into(), verified: HashSet::new(), order: VecDeque::new() }
    }

    pub(crate) fn sign(&self, digest: &Hash) -> Signature {
        self.keys.sign(digest)
    }

    pub(crate) fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.keys.verify(signer, digest, signature)
    }

    pub(crate) fn verify_vote(&mut self, domain: &SignDomain, vote: &Vote) -> bool {
        if self.verified.contains(vote) {
            return true;
        }
        let good = self.keys.verify(&vote.voter, &vote.digest(domain), &vote.signature);
        if good {
            self.remember(vote);
        }
        good
    }

    pub(crate) fn remember(&mut self, vote: &Vote) {
        if self.verified.insert(vote.clone()) {
            self.order.push_back(vote.clone());
        }
        if self.order.len() > VERIFIED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.verified.remove(&oldest);
        }
    }
}

/// True for the implicit certificate of genesis.
pub(crate) fn is_genesis(hcc: &Hcc, config: &Config) -> bool {
    hcc.votes.is_empty() && hcc.block_hash == config.domain.genesis_hash
}

/// True if the votes say of `meta` what its header says.
pub(crate) fn matches(vote: &Vote, meta: &BlockMeta) -> bool {
    vote.block_hash == meta.hash
        && vote.height == meta.height
        && vote.block_epoch == meta.epoch
        && vote.source_hash == meta.hcc_hash
        && vote.source_height == meta.hcc_height
}

fn same_body(a: &Vote, b: &Vote) -> bool {
    a.block_hash == b.block_hash
        && a.height == b.height
        && a.block_epoch == b.block_epoch
        && a.source_hash == b.source_hash
        && a.source_height == b.source_height
}

/// Heights and epochs that can be.
pub(crate) fn is_sane(vote: &Vote) -> bool {
    vote.height < CLOCK_MAX && vote.block_epoch < CLOCK_MAX && vote.source_height < vote.height
}

/// Sorted by voter, one a voter, one body, for the named block.
fn is_canonical(hcc: &Hcc) -> bool {
    let Some(first) = hcc.votes.first() else { return false };
    first.block_hash == hcc.block_hash
        && is_sane(first)
        && hcc.votes.windows(2).all(|pair| pair[0].voter < pair[1].voter && same_body(&pair[0], &pair[1]))
}

/// All voters are members and together a quorum.
fn is_quorum(set: &ValidatorSet, votes: &[Vote]) -> bool {
    votes.iter().all(|vote| set.contains(&vote.voter))
        && set.is_quorum(set.weight_of(votes.iter().map(|vote| &vote.voter)))
}

impl Machine {
    /// Checks a certificate completely.
    pub(crate) fn check_cert(&mut self, hcc: &Hcc) -> Verdict {
        if is_genesis(hcc, &self.config) {
            let set = self.genesis_set();
            return Verdict::Valid(Cert { hcc: Arc::new(hcc.clone()), height: 0, epoch: 0, set });
        }
        if !is_canonical(hcc) {
            return Verdict::Bad(Penalty::BadCertificate);
        }
        let first = &hcc.votes[0];
        let set = match self.tree.meta(&hcc.block_hash) {
            Some(meta) if !matches(first, meta) => return Verdict::Bad(Penalty::BadCertificate),
            _ => self.certifying_set(first, |set| is_quorum(set, &hcc.votes)),
        };
        // Too little weight is no reason for blame: who sent it may know other sets than we do.
        let Some(set) = set else { return Verdict::Unknown };
        let (height, epoch) = (first.height, first.block_epoch);
        if !hcc.votes.iter().all(|vote| self.signer.verify_vote(&self.config.domain, vote)) {
            return Verdict::Bad(Penalty::BadSignature);
        }
        Verdict::Valid(Cert { hcc: Arc::new(hcc.clone()), height, epoch, set })
    }

    /// The set that certifies what `body` votes for, if `enough` of it does.
    ///
    /// A block that is held: its own set. Else the vote names its HCC, and a child of that is of one set unless it
    /// stands on uncertified blocks; the header is compared when it comes. If the HCC is not held either, only what is
    /// enough in every set that counts or may come to count.
    fn certifying_set(&self, body: &Vote, enough: impl Fn(&ValidatorSet) -> bool) -> Option<SetKey> {
        let source = || {
            let hcc = self.tree.valid(&body.source_hash)?;
            crate::sets::of_child(&self.tree, hcc, hcc).map(|(set, _)| set)
        };
        let certain = self.tree.meta(&body.block_hash).map(|meta| meta.set).or_else(source);
        if let Some(key) = certain {
            return self.sets.get(&key).is_some_and(enough).then_some(key);
        }
        // Blocks of a set carry a certificate from above the block that made the set.
        let may_count = |key: &SetKey| {
            let origin = self.tree.meta(&key.origin).map_or(0, |meta| meta.height);
            *key == self.active || (key.index >= self.active.index && body.source_height > origin)
        };
        let mut possible = self.sets.iter().filter(|(key, _)| may_count(key)).peekable();
        let newest = possible.peek().map(|(key, _)| **key);
        newest.filter(|_| possible.all(|(_, set)| enough(set)))
    }

    /// Genesis is the origin of the set with index 0.
    fn genesis_set(&self) -> SetKey {
        SetKey { index: 0, origin: self.config.domain.genesis_hash }
    }

    /// Takes a certificate from a message. Returns false if it is provably worthless; then the sender was blamed.
    pub(crate) fn learn_cert(&mut self, hcc: &Hcc, from: Option<Peer>) -> bool {
        if is_genesis(hcc, &self.config) {
            return true;
        }
        if let Some(known) = self.certs.get(&hcc.block_hash) {
            let height = known.height;
            self.want_certified(hcc.block_hash, height, from);
            return true;
        }
        match self.check_cert(hcc) {
            Verdict::Valid(cert) => {
                // Its votes may prove faults, and belong to the tally like those that come singly.
                for vote in &hcc.votes {
                    self.count_vote(vote);
                }
                self.add_cert(cert, from);
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

    /// Puts a vote whose signature is good into the tally and reports the faults it proves.
    pub(crate) fn count_vote(&mut self, vote: &Vote) {
        let settled = self.tree.head().height;
        for fault in self.tally.add(vote, settled) {
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
            if fits && !bodies.iter().any(|body| same_body(body, vote)) {
                bodies.push(vote);
            }
        }
        bodies.into_iter().find_map(|body| {
            let voters = || self.tally.votes(hash).filter(|vote| same_body(body, vote));
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
