//! Sums by everything that stands in for cards, against blst.

use super::*;
use crate::bls::Maths;
use crate::bls::plain::Plain;
use crate::gpu::post::SET_UP;
use crate::gpu::testing::cards;
use blst::{blst_p1_generator, blst_p1_mult};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn dice() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0x6b65_7973)
}

fn random(dice: &mut ChaCha8Rng) -> blst_p1_affine {
    let (mut point, scalar) = (blst_p1::default(), dice.random::<[u8; 32]>());
    // SAFETY: 32 bytes, points of blst.
    unsafe { blst_p1_mult(&mut point, blst_p1_generator(), scalar.as_ptr(), 255) };
    library::to_affine(&point).expect("not infinity")
}

fn keys(points: impl IntoIterator<Item = blst_p1_affine>) -> Vec<Point> {
    points.into_iter().map(|point| Point::from_blst(&point)).collect()
}

fn each_card(test: impl Fn(&Post)) {
    for card in cards() {
        test(&Post::open(card, SET_UP, usize::MAX).expect("opened"));
    }
}

fn check(post: &Post, keys: &[Point], times: &[u16], left: usize, what: &str) {
    let got = key_sum(post, keys, times, left).expect("a sum");
    let right = library::to_affine(&Plain.key_sum(keys, times));
    assert!(library::to_affine(&got) == right, "{what}: {} keys on {:?}", keys.len(), post.card.info());
}

#[test]
fn sums_of_any_size() {
    let dice = &mut dice();
    let points = keys((0..513).map(|_| random(dice)));
    let times: Vec<u16> = (0..513).map(|_| dice.random()).collect();
    each_card(|post| {
        for n in [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 127, 129, 255, 257, 513] {
            check(post, &points[..n], &vec![1; n], 1, "once each");
            check(post, &points[..n], &times[..n], 1, "random times");
            check(post, &points[..n], &times[..n], LEFT, "random times, some left");
        }
        check(post, &points[..5], &[0; 5], 1, "never");
        check(post, &points[..5], &[0, u16::MAX, 0, 1, 1 << 15], 1, "times of all sizes");
    });
}

/// Equal and opposite points, and sums that are infinity, in every place of the tree.
#[test]
fn exceptional_sums() {
    let dice = &mut dice();
    let p = random(dice);
    let twice = library::to_affine(&library::double(&library::add(&blst_p1::default(), &p))).expect("not infinity");
    let few = [p, library::negative(&p), twice, library::negative(&twice), random(dice)];
    each_card(|post| {
        let dice = &mut self::dice();
        for n in [1, 2, 3, 8, 17, 64, 100] {
            let alternating = keys((0..n).map(|at| few[at % 2]));
            let halves = keys((0..n).map(|at| few[usize::from(2 * at < n)]));
            check(post, &keys(vec![p; n]), &vec![1; n], 1, "all equal");
            check(post, &keys(vec![p; n]), &vec![u16::MAX; n], 1, "all equal, often");
            check(post, &alternating, &vec![1; n], 1, "alternating");
            check(post, &halves, &vec![u16::MAX; n], 1, "a half and its opposites");
            for _ in 0..8 {
                let mixed = keys((0..n).map(|_| few[dice.random_range(0..few.len())]));
                let times: Vec<u16> = (0..n).map(|_| dice.random_range(0..4)).collect();
                check(post, &mixed, &times, 1, "mixed");
            }
        }
    });
}

/// More than one run, and many pairs a thread: of 15 planes on drivers in software, of two on the twin, whose threads have few.
#[test]
fn more_than_a_run() {
    let dice = &mut dice();
    let some: Vec<_> = (0..701).map(|_| random(dice)).collect();
    each_card(|post| {
        let run = post.card.info().items_max.min(KEYS_MAX);
        let points = keys(some.iter().copied().cycle().take(run + 1));
        let largest = if run > 8_192 { 3 } else { u16::MAX };
        let times: Vec<u16> = (0..=run).map(|at| if at % 9 == 0 { 1 } else { largest }).collect();
        check(post, &points, &times, LEFT, "two runs");
    });
}

#[test]
fn planes_have_every_key_as_often_as_it_counts() {
    let dice = &mut dice();
    let keys = keys((0..40).map(|_| random(dice)));
    for left in [1, 7, LEFT] {
        let times: Vec<u16> = (0..40).map(|_| dice.random::<u16>() >> dice.random_range(0..16)).collect();
        let (points, widths) = planes(&keys, &times, left);
        let width = points.sums();
        assert_eq!((widths.iter().sum::<usize>(), points.slots.len()), (width, width << points.levels));
        let bit_of = |column: usize| (0..BITS).find(|bit| column < widths[..=*bit].iter().sum()).expect("a plane");
        let mut counted = [0u32; 40];
        for (at, key) in points.slots.iter().enumerate().filter(|(_, key)| **key != NOBODY) {
            counted[*key as usize] += 1 << bit_of(at % width);
        }
        assert!(counted.iter().zip(&times).all(|(counted, times)| *counted == u32::from(*times)));
    }
}
