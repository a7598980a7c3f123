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
//! If the sum is not 0, halves of the batch are summed (with the same coefficients; the other half is the difference)
//! until small blocks are left, whose items are recovered one by one, which decides. The same is done where sums met
//! points that the formulas cannot add, which a hostile sender can force: a verdict is never wrong for that.

mod accumulate;
mod batch;
mod buckets;
mod msm;
mod running;
mod search;
mod sort;
#[cfg(test)]
mod tests;

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

/// Memory that a thread uses again for each batch: fresh memory costs more than what is done with it.
#[derive(Default)]
struct Workspace {
    batch: Batch,
    summing: Summing,
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
    WORKSPACE.with_borrow_mut(|Workspace { batch, summing }| {
        let mut verdicts = batch.fill(machine, claims, coefficients);
        let doubtful = Search::new(machine, generator, batch, summing).doubtful();
        let places: Vec<usize> = doubtful.into_iter().flatten().map(|item| batch.items[item].claim as usize).collect();
        let left: Vec<Claim> = places.iter().map(|place| claims[*place]).collect();
        for (place, verdict) in places.into_iter().zip(decide(machine, generator, &left)) {
            verdicts[place] = verdict;
        }
        verdicts
    })
}

/// Decides one by one: with tables for the keys of many claims, the others by recovering.
fn decide<M: Machine>(machine: M, generator: &Generator, claims: &[Claim]) -> Vec<Verdict> {
    let mut places_of: HashMap<PublicKey, Vec<usize>> = HashMap::new();
    for (place, claim) in claims.iter().enumerate() {
        places_of.entry(claim.key).or_default().push(place);
    }
    let (many, few): (Vec<_>, Vec<_>) = places_of.into_iter().partition(|(_, places)| places.len() >= TABLE_MIN);
    let mut verdicts = vec![Ok(()); claims.len()];
    for (key, places) in many {
        let claims: Vec<Claim> = places.iter().map(|place| claims[*place]).collect();
        let comb = hot::build_combs(machine, &[key]).swap_remove(0).expect("keys of equations are points");
        let combs = vec![&comb; claims.len()];
        for (place, verdict) in places.into_iter().zip(hot::verify_hot(machine, generator, &claims, &combs)) {
            verdicts[place] = verdict;
        }
    }
    let places: Vec<usize> = few.into_iter().flat_map(|(_, places)| places).collect();
    let claims: Vec<Claim> = places.iter().map(|place| claims[*place]).collect();
    for (place, verdict) in places.into_iter().zip(recover::verify(machine, generator, &claims)) {
        verdicts[place] = verdict;
    }
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
