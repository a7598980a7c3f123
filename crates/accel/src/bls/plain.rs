//! The maths by blst alone, on any machine.

use super::Maths;
use super::library;
use super::row::{Point, Row12};
use blst::{blst_fp12, blst_p1};

/// blst.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain;

/// Bits of a number of times.
const BITS: u32 = u16::BITS;
/// Bits of a window.
const WINDOW: u32 = 6;

impl Maths for Plain {
    fn key_sum(&self, points: &[Point], times: &[u16]) -> blst_p1 {
        let points: Vec<_> = points.iter().map(|point| point.to_blst()).collect();
        let mut sum = blst_p1::default();
        for window in windows(times) {
            for _ in 0..WINDOW {
                sum = library::double(&sum);
            }
            let mut buckets = vec![blst_p1::default(); 1 << WINDOW];
            for (point, times) in points.iter().zip(times).filter(|(_, times)| digit(**times, window) > 0) {
                let bucket = &mut buckets[digit(*times, window)];
                *bucket = library::add(bucket, point);
            }
            // The sum of d times bucket d: each bucket is in as many partial sums.
            let mut partial = blst_p1::default();
            for bucket in buckets[1..].iter().rev() {
                partial = library::add_jacobian(&partial, bucket);
                sum = library::add_jacobian(&sum, &partial);
            }
        }
        sum
    }

    fn miller_values(&self, points: &[Point], signed: &[Vec<u8>], tag: &[u8]) -> Vec<Row12> {
        let value = |(point, signed): (&Point, &Vec<u8>)| {
            Row12::from_blst(&library::miller(&point.to_blst(), &library::hash_to_g2(signed, tag)))
        };
        points.iter().zip(signed).map(value).collect()
    }

    fn product(&self, values: &[Row12], powers: &[u16]) -> blst_fp12 {
        let mut product = library::one();
        for window in windows(powers) {
            for _ in 0..WINDOW {
                product = library::square(&product);
            }
            let mut buckets = vec![None; 1 << WINDOW];
            for (value, power) in values.iter().zip(powers).filter(|(_, power)| digit(**power, window) > 0) {
                let bucket = &mut buckets[digit(*power, window)];
                *bucket = times(*bucket, Some(value.to_blst()));
            }
            let mut partial = None;
            for bucket in buckets[1..].iter().rev() {
                partial = times(partial, *bucket);
                product = times(Some(product), partial).unwrap_or(product);
            }
        }
        product
    }
}

/// The windows that are not all 0, from the highest down to 0.
fn windows(numbers: &[u16]) -> impl Iterator<Item = u32> {
    let bits = BITS - numbers.iter().fold(0, |all, number| all | number).leading_zeros();
    (0..bits.div_ceil(WINDOW)).rev()
}

fn digit(number: u16, window: u32) -> usize {
    usize::from(number) >> (window * WINDOW) & ((1 << WINDOW) - 1)
}

fn times(a: Option<blst_fp12>, b: Option<blst_fp12>) -> Option<blst_fp12> {
    match (a, b) {
        (Some(a), Some(b)) => Some(library::multiply(&a, &b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests;
