//! Numbers modulo p as plain limbs: constants, computed when compiling, and the packing of 64-bit words.

/// 2^52 - 1
pub(crate) const LOW52: u64 = (1 << 52) - 1;

/// Eight limbs of 52 bits.
pub(crate) type Limbs = [u64; 8];

/// The words of p.
pub(crate) const P_WORDS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// The limbs of p.
pub(crate) const P: Limbs = limbs(&P_WORDS);

/// -1/p modulo 2^52
pub(crate) const P_INVERSE: u64 = {
    let mut inverse = 1u64;
    let mut i = 0;
    while i < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(P_WORDS[0].wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg() & LOW52
};

/// Words to limbs.
pub(crate) const fn limbs(w: &[u64; 6]) -> Limbs {
    [
        w[0] & LOW52,
        (w[0] >> 52 | w[1] << 12) & LOW52,
        (w[1] >> 40 | w[2] << 24) & LOW52,
        (w[2] >> 28 | w[3] << 36) & LOW52,
        (w[3] >> 16 | w[4] << 48) & LOW52,
        (w[4] >> 4) & LOW52,
        (w[4] >> 56 | w[5] << 8) & LOW52,
        w[5] >> 44,
    ]
}

/// Limbs of a number below 2^384 to words.
pub(crate) const fn words(l: &Limbs) -> [u64; 6] {
    [
        l[0] | l[1] << 52,
        l[1] >> 12 | l[2] << 40,
        l[2] >> 24 | l[3] << 28,
        l[3] >> 36 | l[4] << 16,
        l[4] >> 48 | l[5] << 4 | l[6] << 56,
        l[6] >> 8 | l[7] << 44,
    ]
}

/// `times * p`
pub(crate) const fn multiple_of_p(times: u64) -> Limbs {
    let mut out = [0; 8];
    let (mut i, mut carry) = (0, 0);
    while i < 8 {
        let sum = P[i] as u128 * times as u128 + carry;
        out[i] = sum as u64 & LOW52;
        carry = sum >> 52;
        i += 1;
    }
    out
}

/// The number times 2^`doublings`, modulo p.
pub(crate) const fn doubled(start: Limbs, doublings: u32) -> Limbs {
    let mut a = start;
    let mut done = 0;
    while done < doublings {
        a = reduced_once(twice(&a));
        done += 1;
    }
    a
}

const fn twice(a: &Limbs) -> Limbs {
    let mut out = [0; 8];
    let (mut i, mut carry) = (0, 0);
    while i < 8 {
        let sum = 2 * a[i] + carry;
        out[i] = sum & LOW52;
        carry = sum >> 52;
        i += 1;
    }
    out
}

/// `a`, or `a - p` if that is not negative.
const fn reduced_once(a: Limbs) -> Limbs {
    let mut out = [0; 8];
    let (mut i, mut carry) = (0, 0i64);
    while i < 8 {
        let difference = a[i] as i64 - P[i] as i64 + carry;
        out[i] = difference as u64 & LOW52;
        carry = difference >> 52;
        i += 1;
    }
    if carry < 0 { a } else { out }
}

/// 1
pub(crate) const ONE: Limbs = [1, 0, 0, 0, 0, 0, 0, 0];
/// 2^416 modulo p: the Montgomery form of 1.
pub(crate) const R: Limbs = doubled(ONE, 416);
/// 2^832 modulo p: a product with it makes a number's Montgomery form.
pub(crate) const R2: Limbs = doubled(ONE, 832);
/// 2^448 modulo p: a product with it makes our Montgomery form of blst's, whose R is 2^384.
pub(crate) const FROM_BLST: Limbs = doubled(ONE, 448);
/// 2^384 modulo p: a product with it makes blst's Montgomery form of ours.
pub(crate) const TO_BLST: Limbs = doubled(ONE, 384);

/// Montgomery form of a small number.
pub(crate) const fn small(number: u64) -> Limbs {
    let mut one = ONE;
    one[0] = number;
    doubled(one, 416)
}

/// Montgomery form of the number of these hexadecimal digits (no prefix), which must be below p.
pub(crate) const fn from_hex(digits: &str) -> Limbs {
    let digits = digits.as_bytes();
    let mut w = [0u64; 6];
    let mut i = 0;
    while i < digits.len() {
        let digit = digits[digits.len() - 1 - i];
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("a hexadecimal digit"),
        };
        w[i / 16] |= (value as u64) << (4 * (i % 16));
        i += 1;
    }
    doubled(limbs(&w), 416)
}
