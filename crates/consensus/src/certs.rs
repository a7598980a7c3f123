//! Commit certificates: what they are and how they are checked (§1.8, §1.6 rules 7 and 14). Which are known is in
//! `certify.rs`.
//!
//! A certificate is canonical if its votes are sorted by voter, one a voter, all of members, all with the same body and
//! together a quorum. Any such subset of the votes will do: the header's signature covers the one that was chosen.

use crate::limits::CLOCK_MAX;
use crate::machine::Machine;
use crate::{BlockMeta, Config, Penalty, SetKey, ValidatorSet};
use std::sync::Arc;
use vigil_primitives::{Epoch, Hcc, Height, Vote};

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
        && vote.source_rank() == meta.hcc_rank()
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
        && hcc.votes.windows(2).all(|pair| pair[0].voter < pair[1].voter && pair[0].body() == pair[1].body())
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
        if !self.signer.verify_votes(&self.config.domain, &hcc.votes) {
            return Verdict::Bad(Penalty::BadSignature);
        }
        Verdict::Valid(Cert { hcc: Arc::new(hcc.clone()), height, epoch, set })
    }

    /// The set that certifies what `body` votes for, if `enough` of it does.
    ///
    /// A block that is held: its own set. Else the vote names its HCC, and a child of that is of one set unless it
    /// stands on uncertified blocks; the header is compared when it comes. If the HCC is not held either, only what is
    /// enough in every set that counts or may come to count.
    pub(crate) fn certifying_set(&self, body: &Vote, enough: impl Fn(&ValidatorSet) -> bool) -> Option<SetKey> {
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
}
