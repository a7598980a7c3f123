//! Our key, and the signatures that were found good, so that each vote is checked once.

use crate::Keys;
use crate::limits::VERIFIED_MAX;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use vigil_primitives::{Address, Hash, SignDomain, Signature, Vote};

/// The key with a bounded memory; the oldest gives way.
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

    /// Checks votes in one batch and remembers the good ones. True if all are good.
    pub(crate) fn verify_votes<'a>(&mut self, domain: &SignDomain, votes: impl IntoIterator<Item = &'a Vote>) -> bool {
        let new: Vec<&Vote> = votes.into_iter().filter(|vote| !self.verified.contains(*vote)).collect();
        if new.is_empty() {
            return true;
        }
        let signed: Vec<_> = new.iter().map(|v| (v.voter, v.digest(domain), v.signature.clone())).collect();
        let good = self.keys.verify_all(&signed);
        new.iter().zip(&good).filter(|(_, good)| **good).for_each(|(vote, _)| self.remember(vote));
        good.len() == new.len() && good.into_iter().all(|good| good)
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
