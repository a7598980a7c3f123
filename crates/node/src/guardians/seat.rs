//! One finalization machine with its journal and its neighbours.

use super::checkpoints;
use super::journal::GuardianJournal;
use super::links::Place;
use crate::chain::{Chain, ChainError};
use crate::health::{Fault, Health};
use crate::layout::Layout;
use std::collections::{BTreeMap, HashMap};
use vigil_consensus::finality::{Config, Journal, Keys, Machine, Recovered, SettledCheckpoint, Voter};
use vigil_consensus::{Millis, Peer};
use vigil_crypto::bls::{Scheme, SecretKey};
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, Checkpoint, Hash};

#[derive(Clone, Copy)]
struct Neighbour {
    place: Place,
    who: Address,
    /// We looked for it; else it came to us.
    outgoing: bool,
}

/// A machine, and whom it talks to. Its neighbours are numbered by the seat.
pub struct Seat {
    /// The guardian; the node's address if it votes for nobody.
    pub(super) id: Address,
    pub(super) machine: Machine,
    /// Absent: it does not vote.
    pub(super) journal: Option<GuardianJournal>,
    pub(super) timer: Option<Millis>,
    neighbours: BTreeMap<Peer, Neighbour>,
    numbers: HashMap<(Place, Address), Peer>,
    numbered: u64,
}

impl Seat {
    /// A seat without neighbours.
    pub fn new(id: Address, machine: Machine, journal: Option<GuardianJournal>) -> Self {
        Self { id, machine, journal, timer: None, neighbours: BTreeMap::new(), numbers: HashMap::new(), numbered: 0 }
    }

    /// Takes a neighbour; its number. `None`: it is one already.
    pub(super) fn take(&mut self, place: Place, who: Address, outgoing: bool) -> Option<Peer> {
        if self.numbers.contains_key(&(place, who)) {
            return None;
        }
        self.numbered += 1;
        let peer = Peer(self.numbered);
        self.neighbours.insert(peer, Neighbour { place, who, outgoing });
        self.numbers.insert((place, who), peer);
        Some(peer)
    }

    /// Lets go of all neighbours behind a connection; their numbers.
    pub(super) fn let_go(&mut self, place: Place) -> Vec<Peer> {
        let gone: Vec<Peer> =
            self.neighbours.iter().filter(|(_, at)| at.place == place).map(|(peer, _)| *peer).collect();
        for peer in &gone {
            if let Some(Neighbour { place, who, .. }) = self.neighbours.remove(peer) {
                self.numbers.remove(&(place, who));
            }
        }
        gone
    }

    pub(super) fn number_of(&self, place: Place, who: Address) -> Option<Peer> {
        self.numbers.get(&(place, who)).copied()
    }

    pub(super) fn neighbour(&self, peer: Peer) -> Option<(Place, Address)> {
        self.neighbours.get(&peer).map(|neighbour| (neighbour.place, neighbour.who))
    }

    pub(super) fn neighbours(&self) -> impl Iterator<Item = (Place, Address)> + '_ {
        self.neighbours.values().map(|neighbour| (neighbour.place, neighbour.who))
    }

    /// Neighbours that it looked for itself.
    pub(super) fn outgoing(&self) -> usize {
        self.neighbours.values().filter(|neighbour| neighbour.outgoing).count()
    }

    pub(super) fn neighbour_count(&self) -> usize {
        self.neighbours.len()
    }
}

/// A guardian's BLS key, for its machine.
struct GuardianKey {
    secret: SecretKey,
    scheme: Scheme,
}

impl Keys for GuardianKey {
    fn key(&self) -> BlsKeyBytes {
        self.secret.public_key().to_bytes().into()
    }

    fn sign(&self, message: &Hash) -> BlsSignatureBytes {
        self.secret.sign(self.scheme, message.as_slice()).to_bytes().into()
    }
}

/// A seat for each guardian, or one that votes for nobody, `me`. A journal that must not be used is a fault, not an error: that
/// guardian is silent, and the node says why. `fresh`: journals that are lost are begun anew.
///
/// # Errors
/// The chain's.
pub fn open_seats(
    layout: &Layout,
    chain: &Chain,
    health: &Health,
    me: Address,
    keys: Vec<(Address, SecretKey)>,
    fresh: bool,
) -> Result<Vec<Seat>, ChainError> {
    let config = Config::from_params(chain.params(), chain.genesis());
    let scheme = chain.scheme();
    let lost = if fresh { Some(highest(chain)?) } else { None };
    let mut opened = Vec::new();
    for (id, secret) in keys {
        let lost = lost.filter(|_| layout.guardian_marker(&id).exists() && !layout.guardian_journal(&id).exists());
        match GuardianJournal::open(layout, id, &chain.genesis(), lost) {
            Ok(journal) => {
                let keys = Box::new(GuardianKey { secret, scheme });
                opened.push((id, Some(Voter { address: id, keys }), Some(journal)));
            }
            Err(refusal) => health.raise(Fault::NotSigning, format!("guardian {id}: {refusal}")),
        }
    }
    if opened.is_empty() {
        opened.push((me, None, None));
    }
    let finalized = chain.final_cert();
    let final_height = finalized.as_ref().map_or(0, |cert| cert.checkpoint.height);
    let voted = |journal: &Option<GuardianJournal>| journal.as_ref().and_then(|journal| journal.votes().last);
    let lowest = opened.iter().filter_map(|(_, _, journal)| voted(journal)).map(|last| last.height).min();
    let settled: Vec<SettledCheckpoint> =
        checkpoints::recovered(chain, lowest.unwrap_or(final_height).min(final_height))?;
    let seat = |(id, voter, journal): (Address, Option<Voter>, Option<GuardianJournal>)| {
        let votes = journal.as_ref().map_or_else(Journal::default, GuardianJournal::votes);
        let finalized = finalized.as_deref().cloned();
        let recovered = Recovered { journal: votes, finalized, settled: settled.clone(), reset: None };
        Seat::new(id, Machine::new(config.clone(), voter, recovered), journal)
    };
    Ok(opened.into_iter().map(seat).collect())
}

/// The highest settled checkpoint: what a lost journal may have been used for, at most.
fn highest(chain: &Chain) -> Result<Checkpoint, ChainError> {
    let interval = chain.params().checkpoint_interval;
    let height = chain.head().as_parent.height / interval * interval;
    let settled = checkpoints::recovered(chain, height)?;
    Ok(settled.last().map(|settled| settled.checkpoint(0)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::SignDomain;

    #[test]
    fn neighbours_that_come_and_go_leave_nothing_behind() {
        let domain = SignDomain { chain_id: "test".into(), genesis_hash: Hash::ZERO };
        let config = Config { domain, interval: 10, round: 100 };
        let mut seat = Seat::new(Address::ZERO, Machine::new(config, None, Recovered::default()), None);
        let there = Place::There(Peer(7));
        for n in 1..=5 {
            let who = Address::repeat_byte(n);
            let number = seat.take(there, who, n <= 2).unwrap();
            assert_eq!(seat.take(there, who, true), None, "one already");
            assert_eq!((seat.number_of(there, who), seat.neighbour(number)), (Some(number), Some((there, who))));
        }
        let here = seat.take(Place::Here, Address::repeat_byte(1), true).unwrap();
        assert_eq!((seat.outgoing(), seat.neighbour_count()), (3, 6));
        assert_eq!(seat.let_go(there).len(), 5);
        assert_eq!((seat.outgoing(), seat.neighbour_count()), (1, 1));
        assert_eq!(seat.number_of(there, Address::repeat_byte(1)), None);
        assert_eq!(seat.neighbour(here), Some((Place::Here, Address::repeat_byte(1))));
    }
}
