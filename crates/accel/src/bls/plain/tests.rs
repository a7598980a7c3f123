use super::Plain;
use crate::bls::library::{add, exponentiates_to_one, miller, minus_g1, multiply, to_affine};
use crate::bls::row::{Point, Row12};
use crate::bls::{Maths, library};
use blst::{blst_p1, blst_p1_affine};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The generator's negative, times a number.
fn point(times: u64) -> blst_p1_affine {
    let mut sum = blst_p1::default();
    for bit in (0..64).rev() {
        sum = library::double(&sum);
        if times >> bit & 1 == 1 {
            sum = add(&sum, &minus_g1());
        }
    }
    to_affine(&sum).expect("not infinity")
}

#[test]
fn sums_and_products_of_small_powers() {
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    for (n, most) in [(1, 1), (2, 63), (3, 64), (5, 255), (9, 4_096), (20, 65_535), (3, 0)] {
        let factors: Vec<u64> = (0..n).map(|_| rng.next_u64() >> 20).collect();
        let times: Vec<u16> =
            (0..n).map(|i| if i == 0 { most } else { (rng.next_u32() % (u32::from(most) + 1)) as u16 }).collect();
        let keys: Vec<blst_p1_affine> = factors.iter().map(|factor| point(*factor)).collect();
        let points: Vec<Point> = keys.iter().map(Point::from_blst).collect();
        assert!(points.iter().zip(&keys).all(|(point, key)| point.to_blst() == *key));
        let total: u64 = factors.iter().zip(&times).map(|(factor, times)| factor * u64::from(*times)).sum();
        let sum = to_affine(&Plain.key_sum(&points, &times));
        assert_eq!(sum, (total > 0).then(|| point(total)), "{times:?}");
        // The product of e(P_i, Q)^times is e(sum, Q).
        let hash = library::hash_to_g2(b"message", b"tag");
        let values: Vec<Row12> = keys.iter().map(|key| Row12::from_blst(&miller(key, &hash))).collect();
        let product = Plain.product(&values, &times);
        let closing = sum.map_or_else(library::one, |sum| miller(&library::negative(&sum), &hash));
        assert!(exponentiates_to_one(&multiply(&product, &closing)), "{times:?}");
        if total > 0 {
            assert!(!exponentiates_to_one(&product));
        }
    }
}
