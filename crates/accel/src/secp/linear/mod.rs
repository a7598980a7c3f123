//! ECDSA verification of many known keys by one random linear combination (`PERFORMANCE.md` §4a, §4d).
//!
//! "The recovered key is Q" is the same as `s R = z G + r Q`, where R is the point with x = r and the parity that v names
//! (the group has prime order). For random a_i, all N equations hold exactly, but with probability 2^-128, if
//!
//! `sum of a_i R_i - (sum of a_i z_i / s_i) G - sum over keys Q of (sum of a_i r_i / s_i) Q`
//!
//! is the point at infinity. `a = alpha + beta * lambda` with halves of 64 bits: R and its image under the endomorphism
//! then have short factors. They are drawn after the batch is fixed, from a generator that only this process knows.
//!
//! If the sum is not 0, blocks of the batch are summed (with the same coefficients), then smaller ones, and the items of
//! those that are left are decided one by one. The same is done with claims of one nonce, whose equal points the formulas
//! cannot add: a verdict is never wrong for that. After a batch with bad items, the next one begins
//! with blocks, or with decisions.

mod accumulate;
mod batch;
mod buckets;
mod locate;
mod msm;
mod running;
mod search;
mod sort;
#[cfg(test)]
mod tests;
mod weigh;

use super::generator::Generator;
use super::machine::Machine;
use super::{hot, recover};
use crate::ops::{Claim, PublicKey, Verdict};
use batch::Batch;
use msm::Summing;
use rand::rngs::OsRng;
use rand::{RngCore, SeedableRng, TryRngCore};
use rand_chacha::ChaCha20Rng;
use search::Search;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below so many claims, recovering each key is faster.
const BATCH_MIN: usize = 96;
/// From so many claims of one key on, a table of its multiples pays.
const TABLE_MIN: usize = 64;
/// Claims summed together at most.
const BATCH_MAX: usize = 16384;

/// Whether the claimed key signed, for each claim.
pub(crate) fn verify_cold<M: Machine>(machine: M, generator: &Generator, claims: &[Claim]) -> Vec<Verdict> {
    verify_with(machine, generator, claims, &mut coefficients())
}

/// As [`verify_cold`], with the source of the coefficients.
fn verify_with<M: Machine>(
    machine: M,
    generator: &Generator,
    claims: &[Claim],
    coefficients: &mut impl RngCore,
) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(claims.len());
    for claims in claims.chunks(BATCH_MAX) {
        if claims.len() < BATCH_MIN {
            verdicts.extend(recover::verify(machine, generator, claims));
        } else {
            verdicts.extend(verify_batch(machine, generator, claims, coefficients));
        }
    }
    verdicts
}

/// A batch of so many claims tells all about the next one; smaller ones count for less.
const TELLING: usize = 1000;

/// Memory that a thread uses again for each batch: fresh memory costs more than what is done with it.
#[derive(Default)]
struct Workspace {
    batch: Batch,
    summing: Summing,
    /// Which part of the items was bad in the last batches of this thread: the best guess about the next one.
    bad_part: f64,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

fn verify_batch<M: Machine>(
    machine: M,
    generator: &Generator,
    claims: &[Claim],
    coefficients: &mut impl RngCore,
) -> Vec<Verdict> {
    // Taken out: a panic is not to leave it half done.
    let mut workspace = WORKSPACE.take();
    let Workspace { batch, summing, bad_part } = &mut workspace;
    let (mut verdicts, keys) = batch.parse(claims);
    let steps = search::steps(claims.len(), *bad_part, keys * TABLE_MIN <= claims.len());
    let places: Vec<usize> = if steps.is_empty() {
        batch.candidates().collect()
    } else {
        batch.equations(machine, claims, coefficients, &mut verdicts);
        let doubtful = Search { machine, generator, batch, summing }.doubtful(steps);
        doubtful.into_iter().flatten().map(|item| batch.items[item].claim as usize).collect()
    };
    let left: Vec<Claim> = places.iter().map(|place| claims[*place]).collect();
    let decided = decide(machine, generator, &left);
    let bad = decided.iter().filter(|verdict| verdict.is_err()).count();
    let weight = (claims.len() as f64 / TELLING as f64).min(1.0);
    *bad_part += weight * (bad as f64 / claims.len() as f64 - *bad_part);
    for (place, verdict) in places.into_iter().zip(decided) {
        verdicts[place] = verdict;
    }
    WORKSPACE.set(workspace);
    verdicts
}

/// Decides one by one: with tables for the keys of many claims, the others by recovering.
fn decide<M: Machine>(machine: M, generator: &Generator, claims: &[Claim]) -> Vec<Verdict> {
    let mut places_of: HashMap<PublicKey, Vec<usize>> = HashMap::new();
    for (place, claim) in claims.iter().enumerate() {
        places_of.entry(claim.key).or_default().push(place);
    }
    let mut verdicts = vec![Ok(()); claims.len()];
    let mut put = |places: &[usize], decided: Vec<Verdict>| {
        places.iter().zip(decided).for_each(|(place, verdict)| verdicts[*place] = verdict);
    };
    let at = |places: &[usize]| places.iter().map(|place| claims[*place]).collect::<Vec<Claim>>();
    let mut others = Vec::new();
    for (key, places) in places_of {
        let comb = if places.len() < TABLE_MIN { None } else { hot::build_combs(machine, &[key]).swap_remove(0) };
        match comb {
            Some(comb) => {
                put(&places, hot::verify_hot(machine, generator, &at(&places), &vec![&comb; places.len()]));
            }
            // Few claims, or a key that is no point of the curve.
            None => others.extend(places),
        }
    }
    put(&others, recover::verify(machine, generator, &at(&others)));
    verdicts
}

/// Fresh coefficients: ChaCha20 with a key that the operating system gave this process, on a stream not used before.
fn coefficients() -> ChaCha20Rng {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    static STREAM: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(|| {
        let mut key = [0; 32];
        OsRng.try_fill_bytes(&mut key).expect("the operating system gives randomness");
        key
    });
    let mut rng = ChaCha20Rng::from_seed(*key);
    rng.set_stream(STREAM.fetch_add(1, Ordering::Relaxed));
    rng
}

/// Items of a batch.
type Items = Range<usize>;
