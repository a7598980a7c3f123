//! One finalization machine with its journal.

use super::checkpoints;
use super::journal::GuardianJournal;
use super::proofs::sign_hosting;
use super::silence::Silence;
use super::waiting::Waiting;
use crate::chain::{Chain, ChainError};
use crate::layout::Layout;
use vigil_consensus::Millis;
use vigil_consensus::finality::{Config, Journal, Keys, Machine, Recovered, Voter};
use vigil_crypto::bls::{Scheme, SecretKey, Signature};
use vigil_net::PeerId;
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, Hash, Height};

/// A machine with its journal.
pub struct Seat {
    /// The guardian; the node's address if it votes for nobody.
    pub(super) id: Address,
    pub(super) machine: Machine,
    /// Its key, and its signature that it is hosted by this node ([`sign_hosting`]). Absent: it does not vote.
    pub(super) hosted_here: Option<(BlsKeyBytes, Signature)>,
    /// Absent: it does not vote.
    pub(super) journal: Option<GuardianJournal>,
    pub(super) timer: Option<Millis>,
    /// Present: it waits for its journal.
    pub(super) waiting: Option<Waiting>,
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
/// guardian is silent, and the node says why. `host`: the node's network identity. `fresh`: journals that are lost are begun anew.
///
/// # Errors
/// The chain's.
pub fn open_seats(
    layout: &Layout,
    chain: &Chain,
    silence: &mut Silence,
    me: Address,
    host: &PeerId,
    keys: Vec<(Address, SecretKey)>,
    fresh: bool,
) -> Result<Vec<Seat>, ChainError> {
    let config = Config::from_params(chain.params(), chain.genesis());
    let (scheme, domain) = (chain.scheme(), chain.sign_domain());
    // What a lost journal may have been used for, at most: if nothing is settled yet, for nothing.
    let lost = if fresh { Some(Journal { last: checkpoints::highest(chain)?, reset: None }) } else { None };
    let mut opened = Vec::new();
    for (id, secret) in keys {
        let lost = lost.filter(|_| GuardianJournal::is_lost(layout, &id));
        match GuardianJournal::open(layout, id, &chain.genesis(), lost) {
            Ok(journal) => {
                let hosted_here = (secret.public_key().to_bytes().into(), sign_hosting(&secret, &domain, host));
                let keys = Box::new(GuardianKey { secret, scheme });
                opened.push((id, Some((Voter { address: id, keys }, hosted_here)), Some(journal)));
            }
            Err(refusal) => silence.begin(id, refusal.to_string()),
        }
    }
    if opened.is_empty() {
        opened.push((me, None, None));
    }
    let finalized = chain.final_cert();
    let final_height = finalized.as_ref().map_or(0, |cert| cert.checkpoint.height);
    let voted = |journal: &Option<GuardianJournal>| journal.as_ref().and_then(|journal| journal.votes().last);
    let heights: Vec<Height> = opened.iter().filter_map(|(_, _, journal)| Some(voted(journal)?.height)).collect();
    let settled = checkpoints::recovered(chain, &heights, final_height)?;
    if let Some(newest) = settled.last() {
        silence.expect(&newest.set);
    }
    let seat = |(id, voter, journal): (Address, Option<(Voter, _)>, Option<GuardianJournal>)| {
        let (voter, hosted_here) = voter.unzip();
        let votes = journal.as_ref().map_or_else(Journal::default, GuardianJournal::votes);
        let finalized = finalized.as_deref().cloned();
        let recovered = Recovered { journal: votes, finalized, settled: settled.clone(), reset: None };
        let machine = Machine::new(config.clone(), voter, recovered);
        Seat { id, machine, hosted_here, journal, timer: None, waiting: None }
    };
    Ok(opened.into_iter().map(seat).collect())
}
