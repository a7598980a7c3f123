//! Signer vectors: the definitions, their wire form and its limits.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vigil_crypto::signer_vectors::{UnpackError, merge, pack, signer_count, support, unpack, weighted_sums};

#[test]
fn sums_counts_and_merges() {
    let (a, b) = ([1u8, 0, 255, 7, 0, 0, 0, 0, 3], [0u8, 0, 255, 1, 0, 0, 0, 9, 252]);
    let max = u128::from(u64::MAX);
    let mut sums = [1; 9];
    weighted_sums(&[&a, &b], &[2, u64::MAX], &mut sums);
    assert_eq!(sums, [2, 0, 510 + 255 * max, 14 + max, 0, 0, 0, 9 * max, 6 + 252 * max]);
    weighted_sums(&[], &[], &mut sums);
    assert_eq!(sums, [0; 9]);
    assert_eq!((signer_count(&a), signer_count(&b), signer_count(&[])), (4, 4, 0));
    assert_eq!(support(9, &[&a]), [0b1101, 1]);
    assert_eq!(support(9, &[&a, &b]), [0b1000_1101, 1]);
    assert_eq!(merge(&a, &b), None, "255 + 255");
    assert_eq!(merge(&[3, 0, 250], &[252, 1, 5]), Some(vec![255, 1, 255]));
    assert_eq!(merge(&[1], &[255]), None);
}

#[test]
#[should_panic(expected = "every vector has 2 entries")]
fn vectors_of_another_set() {
    weighted_sums(&[&[1, 2], &[1, 2, 3]], &[1, 1], &mut [0; 2]);
}

#[test]
fn wire_bytes() {
    assert_eq!(pack(&[]), [0]);
    assert_eq!(pack(&[0; 9]), [0, 0, 0]);
    assert_eq!(pack(&[1; 9]), [0, 0xff, 1]);
    assert_eq!(pack(&[1, 0, 2]), [1, 0b101, 0b10]);
    assert_eq!(pack(&[4, 3, 0, 1, 2]), [2, 0b11011, 0b0100_1011]);
    assert_eq!(pack(&[0, 255, 1]), [8, 0b110, 254, 0]);
    // the sizes of the specification: 125 + at most 1000 bytes, and the width
    assert_eq!((pack(&[1; 1000]).len(), pack(&[255; 1000]).len()), (126, 1126));
}

#[test]
fn what_is_packed_unpacks() {
    let seed = 71;
    eprintln!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for n in (0..40).chain([255, 256, 1000]) {
        for largest in [1, 2, 3, 4, 5, 8, 9, 16, 17, 128, 129, 255] {
            let vector: Vec<u8> =
                (0..n).map(|_| if rng.random_bool(0.3) { 0 } else { rng.random_range(0..=largest) }).collect();
            assert_eq!(unpack(n, &pack(&vector)), Ok(vector));
        }
    }
}

#[test]
fn refusals_name_the_rule() {
    let good = [2, 0b11011, 0b0100_1011];
    assert_eq!(unpack(5, &good), Ok(vec![4, 3, 0, 1, 2]));
    let refused = |n: usize, bytes: &[u8]| unpack(n, bytes).expect_err("refused");
    assert_eq!(refused(5, &[]), UnpackError::Length { expected: 2, got: 0 });
    assert_eq!(refused(9, &[0, 0]), UnpackError::Length { expected: 3, got: 2 });
    assert_eq!(refused(5, &good[..2]), UnpackError::Length { expected: 3, got: 2 });
    assert_eq!(refused(5, &[2, 0b11011, 0b0100_1011, 0]), UnpackError::Length { expected: 3, got: 4 });
    assert_eq!(refused(5, &[9, 0b11011, 0]), UnpackError::Width(9));
    assert_eq!(refused(5, &[255, 0, 0]), UnpackError::Width(255));
    assert_eq!(refused(5, &[0, 0b10_0000]), UnpackError::Bitmap { entries: 5 });
    assert_eq!(refused(2, &[8, 0b11, 254, 255]), UnpackError::Entry { index: 1 });
    assert_eq!(refused(2, &[3, 0b11, 0b1111_1111]), UnpackError::Padding);
    assert_eq!(refused(2, &[3, 0b11, 0b0001_1011]), UnpackError::Wide { width: 3, least: 2 });
    assert_eq!(refused(2, &[1, 0b11, 0]), UnpackError::Wide { width: 1, least: 0 });
    assert_eq!(refused(2, &[1, 0]), UnpackError::Wide { width: 1, least: 0 });
}

/// Every byte string of up to two bytes after a width is refused, or is the packing of what it unpacks to.
#[test]
fn one_encoding_only() {
    let mut read = 0;
    for n in [0, 1, 3, 8] {
        for width in 0..=9 {
            for length in 0..=2 {
                for number in 0..1u32 << (8 * length) {
                    let mut bytes = vec![width];
                    bytes.extend_from_slice(&number.to_le_bytes()[..length]);
                    if let Ok(vector) = unpack(n, &bytes) {
                        assert_eq!(pack(&vector), bytes);
                        read += 1;
                    }
                }
            }
        }
    }
    assert!(read > 1 + 256, "all of no and of one entry are among the {read}");
}
