//! The machine step by step. Signatures are pretended: a vote is bad if its first byte says so.

mod ballots;
mod conflicts;
mod journal;
mod merging;
mod received;
mod resets;

use super::*;
use crate::Peer;
use std::sync::Arc;
use vigil_crypto::checkpoint::{Aggregate, Merged, Reject, Sum};
use vigil_crypto::signer_vectors;
use vigil_primitives::{
    Address, AggregatedVotes, BlsKeyBytes, BlsSignatureBytes, Checkpoint, GuardianMember, GuardianSet,
};

const T: Height = 100;
const ROUND: Millis = 1_000;
/// First byte of a signature that does not hold.
const BAD: u8 = 0xbd;

fn address(i: usize) -> Address {
    Address::left_padding_from(&(i as u64 + 1).to_be_bytes())
}

fn key(i: usize) -> BlsKeyBytes {
    BlsKeyBytes::repeat_byte(i as u8 + 1)
}

fn set_of(n: usize) -> Arc<GuardianSet> {
    let member = |i| GuardianMember { address: address(i), key: key(i), weight: 1 };
    Arc::new(GuardianSet::new((0..n).map(member).collect()))
}

fn config() -> Config {
    let domain = SignDomain { chain_id: "test".into(), genesis_hash: Hash::ZERO };
    Config { domain, interval: T, round: ROUND }
}

struct FakeKeys(usize);

impl Keys for FakeKeys {
    fn key(&self) -> BlsKeyBytes {
        key(self.0)
    }

    fn sign(&self, _: &Hash) -> BlsSignatureBytes {
        BlsSignatureBytes::with_last_byte(self.0 as u8)
    }
}

/// A machine with everything that it ever asked for.
struct Bench {
    machine: Machine,
    now: Millis,
    set: Arc<GuardianSet>,
    effects: Vec<Effect>,
    /// Answers verifications at once.
    verifies: bool,
}

impl Bench {
    /// Guardian 0 of `n`, with neighbours 1 to `n - 1`.
    fn new(n: usize) -> Self {
        let mut bench = Self::of(n, Recovered::default());
        bench.step(Input::Start);
        (1..n).for_each(|peer| bench.step(Input::Connected(Peer(peer as u64))));
        bench
    }

    fn of(n: usize, recovered: Recovered) -> Self {
        let voter = Voter { address: address(0), keys: Box::new(FakeKeys(0)) };
        let machine = Machine::new(config(), Some(voter), recovered);
        Self { machine, now: 0, set: set_of(n), effects: Vec::new(), verifies: true }
    }

    fn step(&mut self, input: Input) {
        let mut new = Vec::new();
        self.machine.step(self.now, input, &mut new);
        for effect in new {
            self.effects.push(effect.clone());
            if let (Effect::Verify(job), true) = (effect, self.verifies) {
                self.step(Input::Verified { id: job.id, merged: judge(&job) });
            }
        }
    }

    fn settled(&self, height: Height) -> SettledCheckpoint {
        SettledCheckpoint { height, block_hash: Hash::left_padding_from(&height.to_be_bytes()), set: self.set.clone() }
    }

    fn settle(&mut self, height: Height) {
        self.step(Input::Settled(vec![self.settled(height)]));
    }

    fn checkpoint(&self, height: Height) -> Checkpoint {
        self.settled(height).checkpoint(0)
    }

    /// Votes with these entries; missing ones are 0.
    fn votes(&self, height: Height, entries: &[u8]) -> AggregatedVotes {
        let mut vector = entries.to_vec();
        vector.resize(self.set.len(), 0);
        let signers = signer_vectors::pack(&vector).into();
        AggregatedVotes { checkpoint: self.checkpoint(height), signers, signature: BlsSignatureBytes::ZERO }
    }

    fn receive(&mut self, from: u64, votes: AggregatedVotes) {
        self.step(Input::Received { from: Peer(from), votes });
    }

    /// The end of the round.
    fn pass(&mut self) {
        self.now += ROUND;
        self.step(Input::Timer);
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whom the last said was sent to, and what it was.
    fn sent(&mut self) -> Vec<(u64, Vec<u8>)> {
        let n = self.set.len();
        let sends = self.take().into_iter().filter_map(|effect| match effect {
            Effect::Send { to, votes } => Some((to.0, signer_vectors::unpack(n, &votes.signers).unwrap())),
            _ => None,
        });
        sends.collect()
    }

    fn penalties(&self) -> Vec<(u64, Penalty)> {
        let penalties = self.effects.iter().filter_map(|effect| match effect {
            Effect::Penalize { peer, reason } => Some((peer.0, *reason)),
            _ => None,
        });
        penalties.collect()
    }
}

fn bad(mut votes: AggregatedVotes) -> AggregatedVotes {
    votes.signature[0] = BAD;
    votes
}

/// As the engine would, if bad signatures said so.
fn judge(job: &Job) -> Merged {
    let verdict = |part: &Arc<Aggregate>| if part.signature[0] == BAD { Err(Reject::Equation) } else { Ok(()) };
    let verdicts: Vec<_> = job.parts.iter().map(verdict).collect();
    let mut signers = vec![0u16; job.set.len()];
    let good: Vec<_> = job.parts.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()).collect();
    for (part, _) in &good {
        signers.iter_mut().zip(&part.signers).for_each(|(sum, entry)| *sum += u16::from(*entry));
    }
    let sum = (!good.is_empty()).then_some(Sum { signature: [0; 96], signers });
    Merged { verdicts, sum }
}
