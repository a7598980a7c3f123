//! What runs in such a process.

#![expect(clippy::print_stdout, reason = "the parent reads what this process prints")]

use crate::backend::{Backend, BackendName, detect};
use crate::checkpoint::{Aggregate, Scheme};
use crate::comb::Comb;
use crate::gpu::backend::Gpu;
use crate::gpu::card::Fault;
use crate::gpu::cuda::open_all;
use crate::gpu::find::{Limits, found};
use crate::gpu::post::within;
use crate::ops::{Claim, PublicKey, Signed};
use crate::oracle;
use crate::testing::guardians;
use std::time::Duration;
use vigil_crypto::{SecretKey, bls, checkpoint};
use vigil_primitives::Hash;

/// This test's name, what tells it that it is meant and for what, its time limit for calls, and its last words.
pub(super) const NAME: &str = "gpu::cuda::tests::fake::child::child";
pub(super) const KEY: &str = "VIGIL_FAKE_CUDA";
pub(super) const ASK: &str = "ask";
pub(super) const COPY: &str = "copy";
pub(super) const FEW_PIECES: &str = "few pieces";
pub(super) const CARDS: &str = "cards";
pub(super) const LIMIT: &str = "VIGIL_FAKE_CUDA_LIMIT_MS";
pub(super) const DONE: &str = "all answers were right";

/// Nothing in the test's own process.
#[test]
fn child() {
    match std::env::var(KEY).as_deref() {
        Ok(ASK) => ask_card(),
        Ok(COPY) => super::copies::copy(),
        Ok(FEW_PIECES) => super::copies::few_pieces(),
        Ok(CARDS) => open_cards(),
        _ => return,
    }
    println!("{DONE}");
}

fn ask_card() {
    let limit = std::env::var(LIMIT).ok().and_then(|limit| limit.parse().ok()).unwrap_or(120_000);
    let limit = Duration::from_millis(limit);
    let cpu = *detect().last().expect("portable");
    let cards = within(limit, || Ok(open_all())).unwrap_or_else(|fault| vec![Err(fault)]);
    assert_eq!(cards.len(), 1, "one card, or why there is none");
    for card in cards {
        match card.and_then(|card| Gpu::open_within(BackendName::Cuda, 0, card, cpu, limit, Limits::default())) {
            Ok(gpu) => {
                println!("card: {:?}", gpu.info());
                ask(&gpu);
                gpu.why_not().iter().for_each(tell);
            }
            Err(fault) => tell(&fault),
        }
    }
}

/// As `vigil` opens them.
fn open_cards() {
    for (at, found) in found(BackendName::Cuda, open_all).into_iter().enumerate() {
        assert_eq!(found.number, at);
        match found.card {
            Ok(gpu) => println!("card: {} {:?}", gpu.label(), gpu.info()),
            Err(fault) => tell(&fault),
        }
    }
}

fn tell(fault: &Fault) {
    println!("fault: {fault:?}");
}

/// Every question, several times where that makes buffers grow.
fn ask(gpu: &Gpu) {
    for count in [3, 40] {
        let (claims, keys) = claims(count);
        let signed: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
        let recovered: Vec<_> = signed.iter().map(oracle::recover).collect();
        assert_eq!(gpu.recover(&signed), recovered);
        let verdicts: Vec<_> = claims.iter().map(oracle::verify).collect();
        assert_eq!(gpu.verify_cold(&claims), verdicts);
        let combs: Vec<Comb> = gpu.build_combs(&keys).into_iter().map(|comb| comb.expect("keys")).collect();
        let combs: Vec<&Comb> = (0..claims.len()).map(|at| &combs[at % combs.len()]).collect();
        assert_eq!(gpu.verify_hot(&claims, &combs), verdicts);
        let messages: Vec<Vec<u8>> = (0..count).map(|at| vec![at as u8; 11 * at]).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let mut digests = vec![Hash::ZERO; count];
        gpu.keccak256(&messages, &mut digests);
        assert!(messages.iter().zip(&digests).all(|(message, digest)| oracle::digest(message) == *digest));
        let (vectors, weights) = ([vec![1; count], vec![255; count]], [u64::MAX, 3]);
        let (mut sums, mut right) = (vec![0; count], vec![0; count]);
        let vectors = vectors.each_ref().map(Vec::as_slice);
        gpu.weighted_sums(&vectors, &weights, &mut sums);
        vigil_crypto::signer_vectors::weighted_sums(&vectors, &weights, &mut right);
        assert_eq!(sums, right);
    }
    votes(gpu);
}

/// A good vote, and one that does not hold beside it: with a sum of keys that a card does, and with a table.
fn votes(gpu: &Gpu) {
    for (scheme, count, entry) in [(Scheme::ProofOfPossession, 33, 255), (Scheme::Augmented, 3, 1)] {
        let (guardians, secrets) = guardians(count);
        let sum = |signatures: &[_]| bls::Signature::aggregate(signatures).expect("not infinity");
        let once = sum(&secrets.iter().map(|secret| secret.sign(scheme, b"m")).collect::<Vec<_>>());
        let signature = sum(&vec![once; usize::from(entry)]).to_bytes();
        let good = Aggregate { signature, signers: vec![entry; guardians.len()] };
        let mut wrong = good.clone();
        wrong.signers[0] -= 1;
        let prepared = gpu.prepare_checkpoint(scheme, &guardians, b"m");
        for votes in [vec![good.clone()], vec![wrong, good]] {
            let right = checkpoint::merge(scheme, guardians.keys(), b"m", &votes);
            assert_eq!(gpu.merge_votes(&prepared, &votes), right, "{scheme:?}");
            assert!(right.verdicts.last().is_some_and(Result::is_ok), "{scheme:?}");
        }
    }
}

/// Signatures by three keys, every fourth of them bad.
fn claims(count: usize) -> (Vec<Claim>, Vec<PublicKey>) {
    let secrets = [1u8, 2, 3].map(|key| SecretKey::from_bytes(&[key; 32]).expect("below the order"));
    let keys = secrets.each_ref().map(|secret| secret.public_key()).to_vec();
    let claim = |at: usize| {
        let digest = Hash::from([at as u8 + 1; 32]);
        let mut signature = *secrets[at % 3].sign(&digest).as_array().expect("65 bytes");
        signature[at % 64] ^= u8::from(at % 4 == 3);
        Claim { signed: Signed { digest, signature }, key: keys[at % 3] }
    };
    ((0..count).map(claim).collect(), keys)
}
