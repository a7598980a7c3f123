//! Sums of keys on a card, each key so many times.
//!
//! A *plane* has the keys whose number of times has one bit set: the sum of all is that of 2^bit times each plane. A card
//! folds all planes at once down to a few points each, which the CPU adds. A random point is among the keys of each run, and taken
//! out of the sum: the sum of another run is wrong for this one, and fulfils no equation.

use super::card::Fault;
use super::desk::{INFINITE, NOBODY, POINT, Points};
use super::fp381::{NUMBER, number_of, words_of};
use super::post::{Kind, Post};
use crate::bls::library;
use crate::bls::row::Point;
use blst::{blst_p1, blst_p1_affine};

/// Points that are left to the CPU, about: halving them once more takes a card as long as the CPU takes for them all.
pub(super) const LEFT: usize = 128;
/// Most keys of a run.
const KEYS_MAX: usize = 32_768;

/// What times are made of.
const BITS: usize = u16::BITS as usize;

/// How many points all planes have.
pub(super) fn points_of(times: &[u16]) -> usize {
    times.iter().map(|times| times.count_ones() as usize).sum()
}

/// The sum of `times[i]` times point `i`; about `left` points of each run are added by the CPU.
pub(super) fn key_sum(post: &Post, keys: &[Point], times: &[u16], left: usize) -> Result<blst_p1, Fault> {
    let most = KEYS_MAX.min(post.card.info().items_max);
    let runs: Vec<_> = keys
        .chunks(most)
        .zip(times.chunks(most))
        .filter(|(_, times)| points_of(times) > 0)
        .map(|(keys, times)| {
            let random = library::random_multiple_of_g1();
            let (points, widths) =
                planes(&[keys, &[Point::from_blst(&random)]].concat(), &[times, &[1]].concat(), left);
            let answer = post.send(Kind::Points, points.slots.len(), move |desk, limit| desk.fold(&points, limit));
            (answer, widths, library::negative(&random))
        })
        .collect();
    runs.into_iter().try_fold(blst_p1::default(), |sum, (answer, widths, less)| {
        let of_run = library::add(&sum_of_planes(&answer.wait()?, &widths), &less);
        Ok(library::add_jacobian(&sum, &of_run))
    })
}

/// The planes side by side, and how many sums are left of each: in a row of slots each plane has as many.
fn planes(keys: &[Point], times: &[u16], left: usize) -> (Points, [usize; BITS]) {
    let of_bit = |bit: usize| (0..).zip(times).filter(|(_, times)| **times >> bit & 1 == 1).map(|(at, _)| at).collect();
    let planes: [Vec<u32>; BITS] = std::array::from_fn(of_bit);
    let levels = (points_of(times) / left).checked_ilog2().unwrap_or(0).max(1);
    let widths = planes.each_ref().map(|plane| plane.len().div_ceil(1 << levels));
    let width: usize = widths.iter().sum();
    let mut slots = vec![NOBODY; width << levels];
    let mut first = 0;
    for (plane, own) in planes.iter().zip(widths) {
        for (at, key) in plane.iter().enumerate() {
            slots[at / own * width + first + at % own] = *key;
        }
        first += own;
    }
    let rows = keys.iter().flat_map(|key| row(&key.to_blst())).collect();
    (Points { rows, slots, levels }, widths)
}

/// The words of a point.
pub(super) fn row(point: &blst_p1_affine) -> [u32; POINT] {
    let [x, y] = [words_of(&point.x), words_of(&point.y)];
    std::array::from_fn(|at| if at < NUMBER { x[at] } else { y[at - NUMBER] })
}

/// The other way round; `None` is infinity.
pub(super) fn point_of(row: &[u32]) -> Option<blst_p1_affine> {
    let (x, y) = row.split_at(NUMBER);
    (x[NUMBER - 1] != INFINITE).then(|| blst_p1_affine { x: number_of(x), y: number_of(y) })
}

/// Of rows of so many points a plane.
fn sum_of_planes(rows: &[u32], widths: &[usize; BITS]) -> blst_p1 {
    let mut points = rows.rchunks_exact(POINT).map(point_of);
    widths.iter().rev().fold(blst_p1::default(), |sum, width| {
        points.by_ref().take(*width).flatten().fold(library::double(&sum), |sum, point| library::add(&sum, &point))
    })
}

#[cfg(test)]
mod tests;
