//! Functions of the kernels by themselves; `kernels/cuda/twin.cpp` makes them callable.

use num_bigint::BigUint;

/// A number of 8 words, the least significant first.
pub(super) type Words = [u32; 8];

/// Operations of `twin_field`, by their number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Add,
    Sub,
    Neg,
    Mul,
    Sqr,
    Twice,
    FourTimes,
    EightTimes,
    Invert,
    Root,
    Canonical,
}

/// Operations of `twin_order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Add,
    Neg,
    Mul,
    Halved,
    Invert,
    Reduce,
}

/// Operations of `twin_fp`: products and inverses are of Montgomery forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fp {
    Mul,
    Square,
    Invert,
}

mod c {
    unsafe extern "C" {
        pub(super) fn twin_field(op: u32, a: *const u32, b: *const u32, r: *mut u32);
        pub(super) fn twin_fp(op: u32, a: *const u32, b: *const u32, r: *mut u32);
        pub(super) fn twin_field_is_zero(a: *const u32) -> u32;
        pub(super) fn twin_field_is_below_p(a: *const u32) -> u32;
        pub(super) fn twin_order(op: u32, a: *const u32, b: *const u32, r: *mut u32);
        pub(super) fn twin_order_flags(a: *const u32) -> u32;
        pub(super) fn twin_split(k: *const u32, r: *mut u32);
        pub(super) fn twin_double(point: *mut u32);
        pub(super) fn twin_add(point: *mut u32, other: *const u32);
        pub(super) fn twin_table(point: *const u32, r: *mut u32);
        pub(super) fn twin_keccak(message: *const u32, bytes: u32, digest: *mut u32);
        pub(super) fn twin_tag(seed: u32, item: u32, words: *const u32, count: u32) -> u32;
        pub(super) fn twin_products() -> u64;
    }
}

pub(super) fn field(op: Field, a: Words, b: Words) -> Words {
    let mut r = [0; 8];
    // SAFETY: reads and writes 8 words each.
    unsafe { c::twin_field(op as u32, a.as_ptr(), b.as_ptr(), r.as_mut_ptr()) };
    r
}

/// Modulo the prime of BLS12-381.
pub(super) fn fp(op: Fp, a: &[u32; 12], b: &[u32; 12]) -> [u32; 12] {
    let mut r = [0; 12];
    // SAFETY: reads and writes 12 words each.
    unsafe { c::twin_fp(op as u32, a.as_ptr(), b.as_ptr(), r.as_mut_ptr()) };
    r
}

pub(super) fn field_is_zero(a: Words) -> bool {
    // SAFETY: reads 8 words.
    unsafe { c::twin_field_is_zero(a.as_ptr()) != 0 }
}

pub(super) fn field_is_below_p(a: Words) -> bool {
    // SAFETY: reads 8 words.
    unsafe { c::twin_field_is_below_p(a.as_ptr()) != 0 }
}

pub(super) fn order(op: Order, a: Words, b: Words) -> Words {
    let mut r = [0; 8];
    // SAFETY: reads and writes 8 words each.
    unsafe { c::twin_order(op as u32, a.as_ptr(), b.as_ptr(), r.as_mut_ptr()) };
    r
}

/// Below n; above (n - 1) / 2; halving turns the sign.
pub(super) fn order_flags(a: Words) -> [bool; 3] {
    // SAFETY: reads 8 words.
    let flags = unsafe { c::twin_order_flags(a.as_ptr()) };
    [0, 1, 2].map(|bit| flags >> bit & 1 == 1)
}

/// Magnitude and sign of both halves.
pub(super) fn split(k: Words) -> [([u32; 4], bool); 2] {
    let mut r = [0; 10];
    // SAFETY: reads 8 words, writes 10.
    unsafe { c::twin_split(k.as_ptr(), r.as_mut_ptr()) };
    [0, 5].map(|at| ([r[at], r[at + 1], r[at + 2], r[at + 3]], r[at + 4] != 0))
}

/// Twice the point X, Y, Z.
pub(super) fn double(mut point: [Words; 3]) -> [Words; 3] {
    // SAFETY: reads and writes 24 words.
    unsafe { c::twin_double(point.as_flattened_mut().as_mut_ptr()) };
    point
}

/// The sum with the affine point x, y.
pub(super) fn add(mut point: [Words; 3], other: [Words; 2]) -> [Words; 3] {
    // SAFETY: reads and writes 24 words, reads 16.
    unsafe { c::twin_add(point.as_flattened_mut().as_mut_ptr(), other.as_flattened().as_ptr()) };
    point
}

/// The common Z, then x, y, beta x of the multiples 1 to 8.
pub(super) fn table(point: [Words; 2]) -> (Words, [[Words; 3]; 8]) {
    let mut r = [[0; 8]; 25];
    // SAFETY: reads 16 words, writes 200.
    unsafe { c::twin_table(point.as_flattened().as_ptr(), r.as_flattened_mut().as_mut_ptr()) };
    (r[0], std::array::from_fn(|i| [r[3 * i + 1], r[3 * i + 2], r[3 * i + 3]]))
}

/// The message must hold so many bytes.
pub(super) fn keccak(message: &[u32], bytes: usize) -> Words {
    assert!(bytes <= 4 * message.len());
    let mut digest = [0; 8];
    // SAFETY: reads words with bytes of the message, writes 8 words.
    unsafe { c::twin_keccak(message.as_ptr(), bytes as u32, digest.as_mut_ptr()) };
    digest
}

pub(super) fn tag(seed: u32, item: u32, words: &[u32]) -> u32 {
    // SAFETY: reads the words.
    unsafe { c::twin_tag(seed, item, words.as_ptr(), words.len() as u32) }
}

/// 32-bit products of this thread so far.
pub(super) fn products() -> u64 {
    // SAFETY: reads a number of this thread.
    unsafe { c::twin_products() }
}

/// The number of these words.
pub(super) fn number(words: &[u32]) -> BigUint {
    BigUint::from_slice(words)
}

/// The words of a number below 2^256.
pub(super) fn words(number: &BigUint) -> Words {
    let mut digits = number.to_u32_digits();
    assert!(digits.len() <= 8, "{number} has at most 256 bits");
    digits.resize(8, 0);
    std::array::from_fn(|i| digits[i])
}
