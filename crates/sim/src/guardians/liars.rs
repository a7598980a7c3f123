//! What liars send: the attacks T6 of `spec/consensus.md` §A.2, and some more.

use super::node::Role;
use super::scenario::{INTERVAL, Liars};
use super::signatures::{Bytes96, Signatures};
use super::world::{World, domain};
use crate::rng::{Rng, Stream};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_crypto::signer_vectors;
use vigil_primitives::{AggregatedVotes, Checkpoint, Hash, SIGNER_VECTOR_BYTES_MAX, rlp};

/// What the liars know together.
pub struct Attackers {
    pub(super) rng: Rng,
    /// The latest votes that each heard.
    heard: BTreeMap<usize, AggregatedVotes>,
    malformed: [Bytes96; 3],
    /// Votes sent that hold for nobody.
    pub forged: u64,
}

/// One way to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A quorum, says the vector; the signature is the liar's alone.
    Junk,
    /// Honest votes, many times: valid.
    Scaling,
    /// The inverse of what was heard, under its vector.
    Cancellation,
    /// Honest votes with one more signer written in.
    ExtraSigner,
    /// Honest votes with an error; another liar sends the inverse error, so that their sum holds.
    PairedErrors,
    /// The point at infinity, under an honest vector.
    Infinity,
    /// A point outside of the subgroup.
    Subgroup,
    /// No point.
    OffCurve,
    /// A vector of zeros.
    ZeroVector,
    /// Votes under another guardian set.
    ForeignSet,
    /// A vector of another length.
    WrongLength,
    /// A longer message than there may be.
    Oversize,
    /// Votes for a block that does not exist, with the liar's own signature: it holds, and it is a second vote.
    OtherBlock,
    /// Votes on a checkpoint far ahead.
    Future,
    /// A height that is no checkpoint.
    OffInterval,
    /// What was heard before, as it is: valid.
    Replay,
    /// Votes on what the neighbour sees settled, with the signatures of all liars: valid, whatever it is.
    BothSides,
}

const ALL: [Lie; 17] = [
    Lie::Junk,
    Lie::Scaling,
    Lie::Cancellation,
    Lie::ExtraSigner,
    Lie::PairedErrors,
    Lie::Infinity,
    Lie::Subgroup,
    Lie::OffCurve,
    Lie::ZeroVector,
    Lie::ForeignSet,
    Lie::WrongLength,
    Lie::Oversize,
    Lie::OtherBlock,
    Lie::Future,
    Lie::OffInterval,
    Lie::Replay,
    Lie::BothSides,
];

/// Of the paper's simulation: fake signatures.
const FAKE: [Lie; 4] = [Lie::Junk, Lie::ExtraSigner, Lie::Cancellation, Lie::PairedErrors];

impl Attackers {
    /// Liars that have heard nothing.
    pub fn new(seed: u64, signatures: &dyn Signatures) -> Self {
        let malformed = signatures.malformed();
        Self { rng: Rng::seeded(seed, Stream::Liars), heard: BTreeMap::new(), malformed, forged: 0 }
    }

    /// A liar heard votes of an honest neighbour.
    pub fn hear(&mut self, liar: usize, votes: AggregatedVotes) {
        self.heard.insert(liar, votes);
    }
}

impl World {
    /// A liar's turn: something for each neighbour.
    pub(super) fn attack(&mut self, liar: usize) {
        let lies: &[Lie] = if self.scenario.liars == Liars::Paper { &FAKE } else { &ALL };
        for to in self.nodes[liar].connected.clone() {
            let two_faced = self.scenario.corrupt && self.attackers.rng.percent(70);
            let lie = if two_faced { Lie::BothSides } else { *self.attackers.rng.pick(lies) };
            let times = if self.attackers.rng.percent(2) { 30 } else { 1 };
            let Some(bytes) = self.tell(liar, to, lie) else { continue };
            for _ in 0..times {
                let is_forged = !matches!(lie, Lie::Scaling | Lie::Replay | Lie::OtherBlock | Lie::BothSides);
                self.attackers.forged += u64::from(is_forged);
                self.send(liar, to, Arc::clone(&bytes));
            }
        }
    }

    /// The checkpoint under way, as the liar sees it.
    fn target(&self, liar: usize) -> Option<Checkpoint> {
        self.nodes[liar].settled.last().map(|settled| settled.checkpoint(0))
    }

    fn tell(&mut self, liar: usize, to: usize, lie: Lie) -> Option<Arc<Vec<u8>>> {
        let target = self.target(liar)?;
        let (n, signatures) = (self.nodes.len(), Arc::clone(&self.signatures));
        let heard = self.attackers.heard.get(&liar).filter(|votes| votes.checkpoint == target).cloned();
        let own = |checkpoint: Checkpoint| signatures.sign(liar, &checkpoint.message(&domain()));
        let mut alone = vec![0; n];
        alone[liar] = 1;
        // Without anything heard a liar builds on its own vote.
        let (mut vector, signature) = match &heard {
            Some(votes) => (signer_vectors::unpack(n, &votes.signers).ok()?, votes.signature.0),
            None => (alone.clone(), own(target)),
        };
        let rng = &mut self.attackers.rng;
        let [infinity, outside, no_point] = self.attackers.malformed;
        let votes = |checkpoint, vector: &[u8], signature: Bytes96| AggregatedVotes {
            checkpoint,
            signers: signer_vectors::pack(vector).into(),
            signature: signature.into(),
        };
        let told = match lie {
            Lie::Junk => {
                let vector: Vec<u8> = (0..n).map(|_| rng.percent(80) as u8 * rng.between(1, 3) as u8).collect();
                votes(target, &vector, own(target))
            }
            Lie::Scaling => {
                let most = 255 / vector.iter().max().copied().unwrap_or(1).max(1);
                let scaled: Vec<u8> = vector.iter().map(|entry| entry * most).collect();
                votes(target, &scaled, signatures.combine(&[(signature, most)])?)
            }
            Lie::Cancellation => votes(target, &vector, signatures.negate(&signature)),
            Lie::ExtraSigner => {
                let absent: Vec<usize> = (0..n).filter(|i| vector[*i] == 0).collect();
                let more = if absent.is_empty() { rng.below(n) } else { *rng.pick(&absent) };
                vector[more] = vector[more].saturating_add(1).max(1);
                votes(target, &vector, signature)
            }
            Lie::PairedErrors => {
                let error = signatures.sign(liar - liar % 2, &Hash::repeat_byte(0xee));
                let error = if liar.is_multiple_of(2) { error } else { signatures.negate(&error) };
                votes(target, &vector, signatures.combine(&[(signature, 1), (error, 1)])?)
            }
            Lie::Infinity => votes(target, &vector, infinity),
            Lie::Subgroup => votes(target, &vector, outside),
            Lie::OffCurve => votes(target, &vector, no_point),
            Lie::ZeroVector => votes(target, &vec![0; n], infinity),
            Lie::ForeignSet => {
                let foreign = Checkpoint { set_hash: Hash::repeat_byte(rng.below(256) as u8), ..target };
                votes(foreign, &alone, own(foreign))
            }
            Lie::WrongLength => {
                vector.push(1);
                votes(target, &vector, signature)
            }
            Lie::Oversize => {
                let signers = vec![8; SIGNER_VECTOR_BYTES_MAX + 300].into();
                AggregatedVotes { checkpoint: target, signers, signature: signature.into() }
            }
            Lie::OtherBlock => {
                let other = Checkpoint { block_hash: Hash::repeat_byte(0x66), ..target };
                votes(other, &alone, own(other))
            }
            Lie::Future => {
                let height = target.height + INTERVAL * rng.between(1, 1_000);
                let future = Checkpoint { height, block_hash: Hash::repeat_byte(0x77), ..target };
                votes(future, &alone, own(future))
            }
            Lie::OffInterval => {
                let odd = Checkpoint { height: target.height + 1, ..target };
                votes(odd, &alone, own(odd))
            }
            Lie::Replay => heard?,
            Lie::BothSides => return self.both_sides(to),
        };
        Some(Arc::new(rlp::encode(&told)))
    }

    /// The liars' votes together, on the checkpoint that a node settled last.
    fn both_sides(&self, to: usize) -> Option<Arc<Vec<u8>>> {
        let checkpoint = self.target(to)?;
        let message = checkpoint.message(&domain());
        let liars: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].role == Role::Liar).collect();
        let mut vector = vec![0; self.nodes.len()];
        liars.iter().for_each(|liar| vector[*liar] = 1);
        let terms: Vec<(Bytes96, u8)> = liars.iter().map(|liar| (self.signatures.sign(*liar, &message), 1)).collect();
        let signature = self.signatures.combine(&terms)?.into();
        let signers = signer_vectors::pack(&vector).into();
        Some(Arc::new(rlp::encode(&AggregatedVotes { checkpoint, signers, signature })))
    }
}
