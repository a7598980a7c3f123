//! What the calibration measures with: good signatures of a few keys, messages of the lengths that a node hashes.

use super::plan::Op;
use crate::backend::Backend;
use crate::comb::Comb;
use crate::ops::{Claim, Signed};
use crate::oracle;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use vigil_crypto::SecretKey;
use vigil_primitives::Hash;

/// Signatures; no two alike, so that a batch meets no special case.
const COUNT: usize = 4_096;
/// Their keys.
const KEYS: usize = 32;
/// Lengths of messages: what a transaction signs, a leaf, a full branch of the trie.
const MESSAGE_BYTES: [usize; 4] = [110, 64, 110, 532];

/// Items for every operation.
pub(crate) struct Samples {
    signed: Vec<Signed>,
    claims: Vec<Claim>,
    messages: Vec<Vec<u8>>,
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
        Self { signed: claims.iter().map(|c| c.signed).collect(), claims, messages: (0..COUNT).map(message).collect() }
    }

    /// The first `items` of an operation, by the oracle.
    pub(crate) fn by_oracle(&self, op: Op, items: usize) {
        for at in 0..items {
            match op {
                Op::Recover => {
                    let _ = black_box(oracle::recover(&self.signed[at]));
                }
                Op::VerifyCold | Op::VerifyHot => {
                    let _ = black_box(oracle::verify(&self.claims[at]));
                }
                Op::Keccak256 => {
                    let _ = black_box(oracle::digest(&self.messages[at]));
                }
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
        }
    }
}
