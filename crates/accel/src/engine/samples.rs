//! What the calibration measures with: good signatures of a few keys, messages of the lengths that a node hashes, weighted
//! sums of signer vectors, guardians' votes.

use super::plan::Op;
use crate::backend::Backend;
use crate::bls::plain::Plain;
use crate::checkpoint::{Aggregate, GuardianKeys, PreparedCheckpoint, Scheme, miller_values};
use crate::comb::Comb;
use crate::gpu::Gpu;
use crate::ops::{Claim, Signed};
use crate::oracle;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::sync::Arc;
use vigil_crypto::{SecretKey, bls, checkpoint as twin, signer_vectors};
use vigil_primitives::Hash;

/// Signatures; no two alike, so that a batch meets no special case.
const COUNT: usize = 4_096;
/// Their keys.
const KEYS: usize = 32;
/// Lengths of messages: what a transaction signs, a leaf, a full branch of the trie.
const MESSAGE_BYTES: [usize; 4] = [110, 64, 110, 532];

/// Signer vectors; more are these again.
const VECTORS: usize = 32;
/// Guardians of a signer vector.
const GUARDIANS: usize = 1_000;

/// Guardians who vote.
const VOTERS: usize = 500;
/// On what they vote.
const MESSAGE: &[u8] = b"a checkpoint";

/// Items for every operation.
pub(crate) struct Samples {
    signed: Vec<Signed>,
    claims: Vec<Claim>,
    messages: Vec<Vec<u8>>,
    vectors: Vec<Vec<u8>>,
    weights: Vec<u64>,
    checkpoint: PreparedCheckpoint,
    vote: Aggregate,
}

/// Items of one operation, with what its backend needs besides.
pub(crate) struct Prepared<'a> {
    op: Op,
    samples: &'a Samples,
    combs: Vec<Comb>,
    messages: Vec<&'a [u8]>,
}

impl Samples {
    pub(crate) fn new() -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let keys: Vec<SecretKey> = (0..KEYS).filter_map(|_| SecretKey::from_bytes(&dice.random())).collect();
        let publics: Vec<_> = keys.iter().map(SecretKey::public_key).collect();
        let claim = |at: usize| {
            let digest = Hash::from(dice.random::<[u8; 32]>());
            let signature = *keys[at % keys.len()].sign(&digest).as_array().expect("made with 65 bytes");
            Claim { signed: Signed { digest, signature }, key: publics[at % keys.len()] }
        };
        let claims: Vec<Claim> = (0..COUNT).map(claim).collect();
        let message = |at: usize| vec![at as u8; MESSAGE_BYTES[at % MESSAGE_BYTES.len()]];
        let (checkpoint, vote) = checkpoint();
        Self {
            checkpoint,
            vote,
            signed: claims.iter().map(|c| c.signed).collect(),
            messages: (0..COUNT).map(message).collect(),
            vectors: (0..VECTORS).map(|_| (0..GUARDIANS).map(|_| dice.random_range(0..3)).collect()).collect(),
            weights: (0..COUNT).map(|_| dice.random()).collect(),
            claims,
        }
    }

    /// The first `items` signer vectors, their weights, and room for the sums.
    fn sums(&self, items: usize) -> (Vec<&[u8]>, &[u64], Vec<u128>) {
        let vectors = self.vectors.iter().cycle().take(items).map(Vec::as_slice).collect();
        (vectors, &self.weights[..items], vec![0; GUARDIANS])
    }

    /// An operation on as many items as asked for, or as there are, for a card; `None`: cards do not do it for the engine.
    pub(crate) fn for_card<'a>(
        &'a self,
        op: Op,
        items: usize,
        card: &'static Gpu,
    ) -> Option<(usize, Box<dyn Fn() + 'a>)> {
        fn cycled<T: Clone>(items: &[T], count: usize) -> Vec<T> {
            items.iter().cycle().take(count).cloned().collect()
        }
        let guardians = self.checkpoint.guardians();
        let (claims, messages) = (cycled(&self.claims, items), cycled(&self.messages, items));
        let run: Box<dyn Fn()> = match op {
            Op::Recover => {
                let signed = cycled(&self.signed, items);
                Box::new(move || drop(black_box(card.recover(&signed))))
            }
            Op::VerifyCold => Box::new(move || drop(black_box(card.verify_cold(&claims)))),
            Op::VerifyHot => {
                let keys: Vec<_> = self.claims[..KEYS].iter().map(|claim| claim.key).collect();
                let combs = card.build_combs(&keys).into_iter().collect::<Option<Vec<Comb>>>()?;
                Box::new(move || {
                    let combs: Vec<&Comb> = combs.iter().cycle().take(claims.len()).collect();
                    drop(black_box(card.verify_hot(&claims, &combs)));
                })
            }
            Op::Keccak256 => Box::new(move || {
                let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
                let mut digests = vec![Hash::ZERO; messages.len()];
                card.keccak256(&messages, &mut digests);
                black_box(digests);
            }),
            Op::MillerValues => {
                let count = items.min(guardians.len());
                return Some((
                    count,
                    Box::new(move || {
                        black_box(card.miller_values(guardians, 0..count, MESSAGE));
                    }),
                ));
            }
            Op::SignerVectors | Op::Checkpoint => return None,
        };
        Some((items, run))
    }

    fn votes(&self, items: usize) -> Vec<Aggregate> {
        vec![self.vote.clone(); items]
    }

    /// The first `items` of an operation, by the oracle.
    pub(crate) fn by_oracle(&self, op: Op, items: usize) {
        match op {
            Op::Recover => self.signed[..items].iter().map(oracle::recover).for_each(|answer| consume(&answer)),
            Op::VerifyCold | Op::VerifyHot => {
                self.claims[..items].iter().map(oracle::verify).for_each(|answer| consume(&answer));
            }
            Op::Keccak256 => {
                self.messages[..items]
                    .iter()
                    .map(|message| oracle::digest(message))
                    .for_each(|answer| consume(&answer));
            }
            Op::Checkpoint => {
                let (keys, message) = (self.checkpoint.guardians().keys(), self.checkpoint.message());
                black_box(twin::merge(self.checkpoint.scheme(), keys, message, &self.votes(items)));
            }
            Op::MillerValues => {
                black_box(miller_values(&Plain, self.checkpoint.guardians(), 0..items, MESSAGE));
            }
            Op::SignerVectors => {
                let (vectors, weights, mut sums) = self.sums(items);
                signer_vectors::weighted_sums(&vectors, weights, &mut sums);
                black_box(sums);
            }
        }
    }

    /// What a backend needs for an operation; `None`: it builds no tables.
    pub(crate) fn prepare(&self, op: Op, backend: &dyn Backend) -> Option<Prepared<'_>> {
        let keys: Vec<_> = self.claims[..KEYS.min(COUNT)].iter().map(|claim| claim.key).collect();
        let combs = match op {
            Op::VerifyHot => backend.build_combs(&keys).into_iter().collect::<Option<Vec<Comb>>>()?,
            _ => Vec::new(),
        };
        let messages = self.messages.iter().map(Vec::as_slice).collect();
        Some(Prepared { op, samples: self, combs, messages })
    }
}

/// A checkpoint and a vote of all guardians.
fn checkpoint() -> (PreparedCheckpoint, Aggregate) {
    let secret = |at: usize| {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&(at as u64).to_be_bytes());
        bls::SecretKey::from_bytes(&bytes).expect("below the order of the group")
    };
    let secrets: Vec<_> = (0..VOTERS).map(secret).collect();
    let keys: Vec<_> = secrets.iter().map(bls::SecretKey::public_key).collect();
    let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(Scheme::ProofOfPossession, MESSAGE)).collect();
    let signature = bls::Signature::aggregate(&signatures).expect("not infinity").to_bytes();
    let prepared = PreparedCheckpoint::proof_of_possession(Arc::new(GuardianKeys::new(&keys)), MESSAGE);
    (prepared, Aggregate { signature, signers: vec![1; VOTERS] })
}

/// An answer that the compiler must not leave out.
fn consume<T>(answer: &T) {
    black_box(answer);
}

impl Prepared<'_> {
    /// The first `items`, by a backend.
    pub(crate) fn run(&self, backend: &dyn Backend, items: usize) {
        match self.op {
            Op::Recover => drop(black_box(backend.recover(&self.samples.signed[..items]))),
            Op::VerifyCold => drop(black_box(backend.verify_cold(&self.samples.claims[..items]))),
            Op::VerifyHot => {
                let combs: Vec<&Comb> = (0..items).map(|at| &self.combs[at % self.combs.len()]).collect();
                drop(black_box(backend.verify_hot(&self.samples.claims[..items], &combs)));
            }
            Op::Keccak256 => {
                let mut digests = vec![Hash::ZERO; items];
                backend.keccak256(&self.messages[..items], &mut digests);
                black_box(digests);
            }
            Op::Checkpoint => {
                black_box(backend.merge_votes(&self.samples.checkpoint, &self.samples.votes(items)));
            }
            Op::MillerValues => {
                black_box(backend.miller_values(self.samples.checkpoint.guardians(), 0..items, MESSAGE));
            }
            Op::SignerVectors => {
                let (vectors, weights, mut sums) = self.samples.sums(items);
                backend.weighted_sums(&vectors, weights, &mut sums);
                black_box(sums);
            }
        }
    }
}
