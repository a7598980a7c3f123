use crate::secp::digits::signed_digits;
use crate::secp::order::N;
use crate::testing::{big, numbers};
use num_bigint::{BigInt, BigUint};

/// How many digits of `width` bits write every number below `2^bits`: one bit more than those of the number.
const fn count(bits: usize, width: usize) -> usize {
    (bits + 1).div_ceil(width)
}

/// The digits make the number and keep their bounds.
fn check<const WIDTH: usize, const COUNT: usize, const WORDS: usize>(number: [u64; WORDS]) {
    let mut sum = BigInt::ZERO;
    let mut next = 0;
    signed_digits::<WIDTH, COUNT, WORDS>(number, |i, digit| {
        assert_eq!(i, next);
        next += 1;
        let most = 1 << (WIDTH - 1);
        assert!((1 - most..=most).contains(&digit), "{digit} has {WIDTH} bits");
        sum += BigInt::from(digit) << (i * WIDTH);
    });
    assert_eq!(next, COUNT);
    assert_eq!(sum, BigInt::from(big(&number)), "{number:x?} in digits of {WIDTH} bits");
}

#[test]
fn halves() {
    for [a, b, c, d] in numbers(N, 21, 300) {
        for half in [[a, b], [c, d]] {
            check::<4, { count(128, 4) }, 2>(half);
            check::<5, 26, 2>(half);
            check::<6, { count(128, 6) }, 2>(half);
            check::<8, { count(128, 8) }, 2>(half);
            check::<12, { count(128, 12) }, 2>(half);
            check::<13, 10, 2>(half);
            check::<16, 9, 2>(half);
        }
    }
}

#[test]
fn whole_scalars() {
    for number in numbers(N, 22, 300) {
        check::<5, { count(256, 5) }, 4>(number);
        check::<8, 33, 4>(number);
        check::<12, { count(256, 12) }, 4>(number);
        check::<13, 20, 4>(number);
        check::<16, 17, 4>(number);
    }
}

/// Numbers of 255 bits fill their digits exactly: 32 of 8 bits, 16 of 16.
#[test]
fn scalars_below_2_255() {
    for [a, b, c, d] in numbers(N, 23, 300) {
        let number = [a, b, c, d >> 1];
        check::<8, { count(255, 8) }, 4>(number);
        check::<16, { count(255, 16) }, 4>(number);
    }
}

/// The longest numbers for their digits, from all digits at their greatest to all at their least.
#[test]
fn every_digit_at_its_bounds() {
    for digit in [16, 15, 1, 0] {
        let number = (0..25).fold(BigUint::ZERO, |sum, i| sum + (BigUint::from(digit as u8) << (5 * i)));
        let words = crate::testing::words(&number);
        check::<5, 26, 2>([words[0], words[1]]);
    }
}
