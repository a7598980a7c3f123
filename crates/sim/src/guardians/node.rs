//! A guardian: its machine, and what survives a crash.

use super::scenario::{INTERVAL, ROUND};
use super::signatures::{Bytes96, Signatures};
use std::collections::BTreeSet;
use std::sync::Arc;
use vigil_consensus::finality::{Config, Journal, Keys, Machine, Record, Recovered, SettledCheckpoint, Voter};
use vigil_primitives::{Address, BlsKeyBytes, BlsSignatureBytes, FinalityCert, Hash, ResetCert, SignDomain};

/// What a guardian is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Keeps the rules.
    Honest,
    /// Says nothing.
    Silent,
    /// Sends invalid aggregates.
    Liar,
}

/// A guardian.
pub struct Node {
    /// What it is.
    pub role: Role,
    /// `None` while it is down.
    pub machine: Option<Machine>,
    /// Counts starts, so that what was meant for an earlier one is not taken by a later one.
    pub incarnation: u32,
    /// Durable: the signing journal.
    pub journal: Vec<Record>,
    /// Durable: the highest certificate.
    pub finalized: Option<Arc<FinalityCert>>,
    /// Durable: the certificate of the last reset.
    pub reset: Option<Arc<ResetCert>>,
    /// Durable: settled checkpoints.
    pub settled: Vec<SettledCheckpoint>,
    /// Neighbours with which it has a connection.
    pub connected: BTreeSet<usize>,
    /// Round in which it held a quorum for the first checkpoint, counted as the paper does.
    pub quorum_round: Option<u32>,
}

impl Node {
    /// A guardian that never ran.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            machine: None,
            incarnation: 0,
            journal: Vec::new(),
            finalized: None,
            reset: None,
            settled: Vec::new(),
            connected: BTreeSet::new(),
            quorum_round: None,
        }
    }

    /// A machine from what is durable. Records go through their encoding, as on a disk.
    pub fn start(&mut self, config: Config, voter: Option<Voter>) {
        let read = |record: &Record| Record::from_bytes(&record.to_bytes()).expect("we wrote it");
        let journal = Journal::replay(self.journal.iter().map(read));
        let (finalized, reset) = (self.finalized.as_deref().cloned(), self.reset.as_deref().cloned());
        let recovered = Recovered { journal, finalized, settled: self.settled.clone(), reset };
        self.incarnation += 1;
        self.machine = Some(Machine::new(config, voter, recovered));
    }
}

/// The guardian of that number.
pub fn voter(index: usize, signatures: &Arc<dyn Signatures>) -> Voter {
    let keys = Box::new(GuardianKeys { index, signatures: Arc::clone(signatures) });
    Voter { address: address(index), keys }
}

/// The chain's constants.
pub fn config() -> Config {
    let domain = SignDomain { chain_id: "guardians".into(), genesis_hash: Hash::repeat_byte(1) };
    Config { domain, interval: INTERVAL, round: ROUND }
}

/// A guardian's address; ascending with its number, so that place i of the full set is guardian i.
pub fn address(index: usize) -> Address {
    Address::left_padding_from(&(index as u64 + 1).to_be_bytes())
}

struct GuardianKeys {
    index: usize,
    signatures: Arc<dyn Signatures>,
}

impl Keys for GuardianKeys {
    fn key(&self) -> BlsKeyBytes {
        self.signatures.key(self.index)
    }

    fn sign(&self, message: &Hash) -> BlsSignatureBytes {
        let signature: Bytes96 = self.signatures.sign(self.index, message);
        signature.into()
    }
}
