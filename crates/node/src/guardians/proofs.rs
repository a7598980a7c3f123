//! Which guardians behind a connection are proven to be there. Pure: what is judged comes out in order.
//!
//! A host says whom it has, with one signature: the sum of what those of them signed that are in the newest set. Each signs
//! that it is hosted by a network identity. The connection proves that identity, so that nobody else can use the
//! signature, not even who received it; one signature serves for all connections. All sign the same message, whatever the
//! scheme of votes, so that a proof costs one sum of keys and two pairings: keys of a set have proven possession.
//!
//! A guardian is at one place: where several hosts have its signature, at the first of them, until that one is gone.
//!
//! Keys are those of the newest set known here. While one of the members is not in it (sets differ for a while) nothing
//! can be judged, and those who were not proven before are unproven: until the next checkpoint, when the host is judged
//! again by what it said last, and when its own set changes it says it anew.

use super::hosted::Hosted;
use super::seat::Seat;
use super::verifier::Verifier;
use super::wire::Here;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use vigil_consensus::{Millis, Peer};
use vigil_crypto::bls::{Scheme, SecretKey, Signature};
use vigil_net::{PeerId, points};
use vigil_primitives::{Address, BlsKeyBytes, GuardianSet, Hash, SignDomain};

/// So often a host may say something new of whom it has until a checkpoint settles. What it says beyond waits until then.
const HEARD_MAX: usize = 4;

/// Proofs of hosts of whom nobody is proven yet that are judged in a second. Anybody can send such a proof, and come again
/// with another identity; the others wait their turn, one of each connection.
const STRANGERS_A_SECOND: usize = 32;

/// A guardian's signature that it is hosted by the node of that network identity.
pub fn sign_hosting(guardian: &SecretKey, domain: &SignDomain, host: &PeerId) -> Signature {
    guardian.sign(Scheme::ProofOfPossession, hosted_by(domain, host).as_slice())
}

fn hosted_by(domain: &SignDomain, host: &PeerId) -> Hash {
    domain.digest("vigil/guardian-host/1", host.to_bytes().as_slice())
}

/// Whom this process hosts, with its proof for the members of a set.
pub(super) fn introduction(seats: &[Seat], set: &GuardianSet) -> Here {
    let (mut members, mut others, mut signatures) = (Vec::new(), Vec::new(), Vec::new());
    for seat in seats {
        match &seat.hosted_here {
            Some((key, signature)) if key_of(set, &seat.id) == Some(*key) => {
                members.push(seat.id);
                signatures.push(*signature);
            }
            _ => others.push(seat.id),
        }
    }
    // There is no sum of none, nor a proof.
    let signature = Signature::aggregate(&signatures).map(|sum| sum.to_bytes().into()).unwrap_or_default();
    Here { members, others, signature }
}

fn key_of(set: &GuardianSet, who: &Address) -> Option<BlsKeyBytes> {
    set.position(who).map(|at| set.members()[at].key)
}

/// What a host did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("what it shows is no signature of the guardians that it says to host")]
    Proof,
    #[error("it says too often that it hosts others")]
    Often,
}

impl Wrong {
    /// What it costs. A host may be honest whose guardian has another key in a newer or an older set.
    pub(super) fn points(self) -> u32 {
        match self {
            Self::Proof => points::UNSOLICITED,
            Self::Often => points::FLOOD,
        }
    }
}

/// A host behind a connection.
struct Host {
    /// What its guardians sign.
    message: Hash,
    /// Absent: nothing yet, or a lie.
    said: Option<Here>,
    /// How often it said something new since a checkpoint settled.
    heard: usize,
    /// Whose signatures it has.
    proven: BTreeSet<Address>,
}

impl Host {
    fn members(&self) -> BTreeSet<Address> {
        self.said.iter().flat_map(|here| here.members.iter().copied()).collect()
    }
}

/// What hosts said and proved.
pub(super) struct Proofs {
    domain: SignDomain,
    verifier: Arc<Verifier>,
    /// The newest that is known.
    set: Arc<GuardianSet>,
    hosts: BTreeMap<Peer, Host>,
    /// Where each proven guardian is.
    places: HashMap<Address, Peer>,
    /// Hosts whose proof waits to be judged, each once.
    waiting: VecDeque<Peer>,
    /// A second, and the strangers' proofs that were judged in it.
    strangers: (Millis, usize),
    judged: Vec<(Peer, Result<Hosted, Wrong>)>,
}

impl Proofs {
    pub(super) fn new(domain: SignDomain, verifier: Arc<Verifier>, set: Arc<GuardianSet>) -> Self {
        Self {
            domain,
            verifier,
            set,
            hosts: BTreeMap::new(),
            places: HashMap::new(),
            waiting: VecDeque::new(),
            strangers: (0, 0),
            judged: Vec::new(),
        }
    }

    /// A peer is there; the connection proves its identity.
    pub(super) fn connected(&mut self, peer: Peer, id: &PeerId) {
        let message = hosted_by(&self.domain, id);
        self.hosts.insert(peer, Host { message, said: None, heard: 0, proven: BTreeSet::new() });
    }

    /// A peer is gone.
    pub(super) fn disconnected(&mut self, peer: Peer) {
        self.waiting.retain(|other| *other != peer);
        if let Some(host) = self.hosts.remove(&peer) {
            self.leave(peer, &host.proven);
        }
    }

    /// A peer says whom it hosts.
    pub(super) fn heard(&mut self, peer: Peer, here: Here) {
        let Some(host) = self.hosts.get_mut(&peer).filter(|host| host.said.as_ref() != Some(&here)) else { return };
        host.said = Some(here);
        host.heard += 1;
        if host.heard > HEARD_MAX {
            self.judged.push((peer, Err(Wrong::Often)));
        } else {
            self.consider(peer);
        }
    }

    /// A checkpoint with that set is settled: hosts may speak anew, and what they said last is judged by it. Who is no guardian
    /// any more, or has another key, is proven nowhere.
    pub(super) fn settled(&mut self, set: Arc<GuardianSet>) {
        let before = std::mem::replace(&mut self.set, set);
        let stays = |who: &Address| key_of(&self.set, who).is_some_and(|key| key_of(&before, who) == Some(key));
        self.places.retain(|who, _| stays(who));
        self.hosts.values_mut().for_each(|host| host.proven.retain(stays));
        let peers: Vec<Peer> = self.hosts.keys().copied().collect();
        for peer in peers {
            self.hosts.entry(peer).and_modify(|host| host.heard = 0);
            self.consider(peer);
        }
    }

    /// Who is hosted where, by what was heard since the last time; the newest last. `now`: monotonic, in milliseconds.
    pub(super) fn take_judged(&mut self, now: Millis) -> Vec<(Peer, Result<Hosted, Wrong>)> {
        let mut later = VecDeque::new();
        while let Some(peer) = self.waiting.pop_front() {
            if self.may_judge(peer, now) { self.judge(peer) } else { later.push_back(peer) }
        }
        self.waiting = later;
        std::mem::take(&mut self.judged)
    }

    /// What a host said last is a fact, or waits for the judge: if it would prove somebody new and all are in the set.
    fn consider(&mut self, peer: Peer) {
        let Some(host) = self.hosts.get(&peer) else { return };
        let members = host.members();
        let is_judgeable = members.iter().all(|who| self.set.position(who).is_some());
        if is_judgeable && !members.is_subset(&host.proven) {
            if !self.waiting.contains(&peer) {
                self.waiting.push_back(peer);
            }
        } else {
            self.waiting.retain(|other| *other != peer);
        }
        let still = |who: &&Address| host.said.is_none() || members.contains(*who);
        let proven = host.proven.iter().filter(still).copied().collect();
        self.hold(peer, proven);
    }

    fn may_judge(&mut self, peer: Peer, now: Millis) -> bool {
        if self.hosts.get(&peer).is_some_and(|host| !host.proven.is_empty()) {
            return true;
        }
        let second = now / 1_000;
        let judged = if self.strangers.0 == second { self.strangers.1 } else { 0 };
        self.strangers = (second, judged.saturating_add(1));
        judged < STRANGERS_A_SECOND
    }

    /// A signature that does not hold is judged once only.
    fn judge(&mut self, peer: Peer) {
        let Some(host) = self.hosts.get_mut(&peer) else { return };
        let members = host.members();
        let Some(here) = &host.said else { return };
        if self.verifier.all_signed(&self.set, &members, &host.message, &here.signature) {
            self.hold(peer, members);
        } else {
            host.said = None;
            self.judged.push((peer, Err(Wrong::Proof)));
        }
    }

    /// A host has proven those, and nobody else.
    fn hold(&mut self, peer: Peer, proven: BTreeSet<Address>) {
        let Some(host) = self.hosts.get_mut(&peer) else { return };
        let gone: BTreeSet<Address> = host.proven.difference(&proven).copied().collect();
        for who in &proven {
            self.places.entry(*who).or_insert(peer);
        }
        host.proven = proven;
        self.announce(peer);
        self.leave(peer, &gone);
    }

    /// Guardians are at a host no more; those whose signatures others have are there.
    fn leave(&mut self, peer: Peer, gone: &BTreeSet<Address>) {
        let mut heirs = BTreeSet::new();
        for who in gone {
            if self.places.get(who) != Some(&peer) {
                continue;
            }
            self.places.remove(who);
            if let Some((heir, _)) = self.hosts.iter().find(|(_, host)| host.proven.contains(who)) {
                self.places.insert(*who, *heir);
                heirs.insert(*heir);
            }
        }
        heirs.into_iter().for_each(|heir| self.announce(heir));
    }

    fn announce(&mut self, peer: Peer) {
        let Some(host) = self.hosts.get(&peer) else { return };
        let is_there = |who: &&Address| self.places.get(*who) == Some(&peer);
        let proven: Vec<Address> = host.proven.iter().filter(is_there).copied().collect();
        let said = host.said.iter().flat_map(|here| here.members.iter().chain(&here.others));
        let said: Vec<Address> = said.copied().collect();
        self.judged.push((peer, Ok(Hosted::new(&proven, &said))));
    }
}

#[cfg(test)]
mod tests;
