//! Which guardians behind a connection are proven to be there.
//!
//! A host says whom it has, with one signature: the sum of what those of them signed that are in the newest set. Each signs
//! that it is hosted by a network identity. The connection proves that identity, so that nobody else can use the
//! signature, not even who received it; one signature serves for all connections.
//!
//! Keys are those of the newest set known here. While one of the members is not in it (sets differ for a while) nothing
//! can be judged, and those who were not proven before are unproven: until the next checkpoint, when the host is judged
//! again by what it said last, and when its own set changes it says it anew.

use super::hosted::Hosted;
use super::seat::Seat;
use super::verifier::Verifier;
use super::wire::Here;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_consensus::Peer;
use vigil_crypto::bls::Signature;
use vigil_net::{PeerId, points};
use vigil_primitives::{Address, BlsKeyBytes, GuardianSet, Hash, SignDomain};

/// So often a host may say something new of whom it has until a checkpoint settles. What it says beyond waits until then.
const HEARD_MAX: usize = 4;

/// What a guardian signs that is hosted by the node of that network identity.
pub fn hosted_by(domain: &SignDomain, host: &PeerId) -> Hash {
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
    said: Option<Here>,
    /// How often it said something new since a checkpoint settled.
    heard: usize,
    proven: BTreeSet<Address>,
}

/// What hosts said and proved.
pub(super) struct Proofs {
    domain: SignDomain,
    verifier: Arc<Verifier>,
    /// The newest that is known.
    set: Arc<GuardianSet>,
    hosts: BTreeMap<Peer, Host>,
}

impl Proofs {
    pub(super) fn new(domain: SignDomain, verifier: Arc<Verifier>, set: Arc<GuardianSet>) -> Self {
        Self { domain, verifier, set, hosts: BTreeMap::new() }
    }

    /// A peer is there; the connection proves its identity.
    pub(super) fn connected(&mut self, peer: Peer, id: &PeerId) {
        let message = hosted_by(&self.domain, id);
        self.hosts.insert(peer, Host { message, said: None, heard: 0, proven: BTreeSet::new() });
    }

    /// A peer is gone.
    pub(super) fn disconnected(&mut self, peer: Peer) {
        self.hosts.remove(&peer);
    }

    /// A peer says whom it hosts. `None`: nothing new.
    ///
    /// # Errors
    /// [`Wrong`]; what was known of it stands.
    pub(super) fn heard(&mut self, peer: Peer, here: Here) -> Result<Option<Hosted>, Wrong> {
        let Some(host) = self.hosts.get_mut(&peer).filter(|host| host.said.as_ref() != Some(&here)) else {
            return Ok(None);
        };
        host.said = Some(here);
        host.heard += 1;
        if host.heard > HEARD_MAX {
            return Err(Wrong::Often);
        }
        judge(&self.set, &self.verifier, host)
    }

    /// A checkpoint with that set is settled: hosts may speak anew, and what they said last is judged by it.
    pub(super) fn settled(&mut self, set: Arc<GuardianSet>) -> Vec<(Peer, Result<Option<Hosted>, Wrong>)> {
        self.set = set;
        let (set, verifier) = (&self.set, &self.verifier);
        let again = |(peer, host): (&Peer, &mut Host)| {
            host.heard = 0;
            (*peer, judge(set, verifier, host))
        };
        self.hosts.iter_mut().map(again).collect()
    }
}

/// Who is hosted there, by what the host said last. A signature is verified only if it would prove somebody new, and one
/// that does not hold once only. `None`: the host said nothing.
fn judge(set: &GuardianSet, verifier: &Verifier, host: &mut Host) -> Result<Option<Hosted>, Wrong> {
    let Some(here) = &host.said else { return Ok(None) };
    let members: BTreeSet<Address> = here.members.iter().copied().collect();
    let keys: Option<Vec<BlsKeyBytes>> = members.iter().map(|who| key_of(set, who)).collect();
    if let Some(keys) = keys.filter(|_| !members.is_subset(&host.proven)) {
        if !verifier.all_signed(&keys, &host.message, &here.signature) {
            host.said = None;
            return Err(Wrong::Proof);
        }
        host.proven.clone_from(&members);
    }
    host.proven.retain(|who| members.contains(who) && set.position(who).is_some());
    let proven: Vec<Address> = host.proven.iter().copied().collect();
    Ok(Some(Hosted::new(&proven, &[&here.members[..], &here.others].concat())))
}

#[cfg(test)]
mod tests;
