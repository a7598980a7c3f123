//! `signer_vectors`: what guardians' votes need beside signatures. An item is one call over whole vectors; nobody else does this.

use super::inputs::{Random, random};
use super::plan::Plan;
use super::side::{Answers, Side, Workload};
use rand::Rng;
use std::ops::Range;
use vigil_accel::Backend;
use vigil_crypto::signer_vectors as plain;

/// Votes that are summed in one call.
const VOTES: usize = 20;
/// Calls a round; each has vectors of its own.
const CALLS: usize = 64;

/// The vectors of one call.
struct Votes {
    vectors: Vec<Vec<u8>>,
    weights: Vec<u64>,
    packed: Vec<u8>,
}

/// Cases `nN-k20` (the weighted sum of 20 vectors of N guardians), and of 10,000 guardians: `count`, `merge`, `pack`, `unpack`.
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let [few, many] = [1_000, 10_000].map(|guardians| calls(&mut random, guardians));
    body(&mut [
        sums("n1000-k20", &few, plan),
        sums("n10000-k20", &many, plan),
        workload(
            "count-n10000",
            &many,
            plan,
            |b, v| b.signer_count(&v.vectors[0]),
            |v| plain::signer_count(&v.vectors[0]),
        ),
        workload(
            "merge-n10000",
            &many,
            plan,
            |b, v| b.merge_signers(&v.vectors[0], &v.vectors[1]),
            |v| plain::merge(&v.vectors[0], &v.vectors[1]),
        ),
        workload("pack-n10000", &many, plan, |b, v| b.pack_signers(&v.vectors[0]), |v| v.packed.clone()),
        workload(
            "unpack-n10000",
            &many,
            plan,
            |b, v| b.unpack_signers(v.vectors[0].len(), &v.packed).ok(),
            |v| Some(v.vectors[0].clone()),
        ),
    ]);
}

/// Two of three guardians signed, some more than once.
fn calls(random: &mut Random, guardians: usize) -> Vec<Votes> {
    let mut vector = || (0..guardians).map(|_| [0, 0, 1, 1, 1, 2][random.random_range(0..6)]).collect::<Vec<u8>>();
    let vectors: Vec<Vec<Vec<u8>>> = (0..CALLS).map(|_| (0..VOTES).map(|_| vector()).collect()).collect();
    let votes = |vectors: Vec<Vec<u8>>| {
        let weights = (0..VOTES).map(|_| random.random()).collect();
        Votes { packed: plain::pack(&vectors[0]), vectors, weights }
    };
    vectors.into_iter().map(votes).collect()
}

fn sums<'a>(case: &'static str, calls: &'a [Votes], plan: &Plan) -> Workload<'a> {
    fn all(sum: impl FnOnce(&[&[u8]], &mut [u128]), votes: &Votes) -> Vec<u128> {
        let vectors: Vec<&[u8]> = votes.vectors.iter().map(Vec::as_slice).collect();
        let mut sums = vec![0; vectors[0].len()];
        sum(&vectors, &mut sums);
        sums
    }
    let ours = |b: &dyn Backend, v: &Votes| all(|vectors, sums| b.weighted_sums(vectors, &v.weights, sums), v);
    workload(case, calls, plan, ours, |v| all(|vectors, sums| plain::weighted_sums(vectors, &v.weights, sums), v))
}

fn workload<'a, T: PartialEq + 'a>(
    case: &'static str,
    calls: &'a [Votes],
    plan: &Plan,
    ours: impl Fn(&dyn Backend, &Votes) -> T + Copy + 'a,
    expected: impl Fn(&Votes) -> T,
) -> Workload<'a> {
    let side = |backend: &&'static dyn Backend| {
        let backend = *backend;
        let expected: Vec<T> = calls.iter().map(&expected).collect();
        let work = move |batch: Range<usize>, answers: &mut Vec<T>| {
            answers.extend(calls[batch].iter().map(|votes| ours(backend, votes)));
        };
        Side::ours(backend.name().as_str(), Answers::new(work, move |item, answer| *answer == expected[item]))
    };
    Workload { case, round_items: CALLS, sides: plan.backends.iter().map(side).collect() }
}
