//! Buckets in which equal and opposite points meet, against sums of another library.

use super::*;
use crate::field::Packed;
use crate::secp::linear::buckets::{Bucketing, Buckets, Cut, Terms};
use k256::elliptic_curve::sec1::FromEncodedPoint;
use k256::{AffinePoint, EncodedPoint, ProjectivePoint, Scalar};
use rand::Rng;

/// A multiple of the generator, times a scalar, turned or not.
#[derive(Clone, Copy)]
struct Term {
    multiple: u64,
    scalar: u64,
    negative: bool,
}

fn point(multiple: u64) -> Packed {
    Packed(secret(order(multiple)).public_key().to_words())
}

fn theirs(point: &Packed) -> ProjectivePoint {
    let key = PublicKey::from_words(point.0);
    AffinePoint::from_encoded_point(&EncodedPoint::from_untagged_bytes(&key.0.into())).expect("on the curve").into()
}

/// The sum of each bucket, times its digit, times the power of two of its window.
fn total(buckets: &Buckets, cut: Cut) -> ProjectivePoint {
    let mut total = ProjectivePoint::IDENTITY;
    for window in 0..cut.windows {
        for digit in 1..=cut.buckets() {
            let bucket = window * cut.buckets() + digit - 1;
            if buckets.occupied[bucket] {
                let weight = (digit as u128) << cut.bit(window);
                total += theirs(&buckets.sums[bucket]) * Scalar::from(weight);
            }
        }
    }
    total
}

fn sums_up<M: Machine>(machine: M, terms: &[Term]) {
    let points: Vec<_> = terms.iter().map(|term| point(term.multiple)).collect();
    let mut listed = Terms::default();
    let mut want = ProjectivePoint::IDENTITY;
    for (place, term) in terms.iter().enumerate() {
        listed.push(place as u32, u128::from(term.scalar), term.negative);
        let product = ProjectivePoint::GENERATOR * Scalar::from(u128::from(term.multiple) * u128::from(term.scalar));
        want = if term.negative { want - product } else { want + product };
    }
    listed.end_short();
    listed.end_long();
    let cut = Cut::best(terms.len(), 0);
    let mut bucketing = Bucketing::default();
    let buckets = bucketing.run(machine, &points, &mut listed, cut).expect("few points meet");
    assert_eq!(total(buckets, cut), want);
}

#[test]
fn equal_and_opposite_points_meet() {
    let mut rng = testing::rng(21);
    // The same point twice, with its opposite, three times, and so that what is left of the first two meets the third.
    for turns in [&[false, false][..], &[false, true], &[false; 3], &[false, true, false], &[true, true, false]] {
        for round in 0..8 {
            let mut random = |multiple| Term { multiple, scalar: rng.random::<u64>() >> 1, negative: rng.random() };
            let mut terms: Vec<_> = (1000..1100 + round).map(&mut random).collect();
            let met = random(7);
            terms.extend(turns.iter().map(|turned| Term { negative: met.negative ^ turned, ..met }));
            terms.shuffle(&mut rng);
            sums_up(Portable, &terms);
            #[cfg(target_arch = "x86_64")]
            if let Some((machine, _)) = WIDE.as_ref() {
                sums_up(*machine, &terms);
            }
        }
    }
}
