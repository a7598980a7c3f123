//! 256-bit numbers as four 64-bit words, the least significant first.

/// `a + b` and the carry.
#[inline(always)]
pub(crate) fn add(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let (r0, c) = a[0].carrying_add(b[0], false);
    let (r1, c) = a[1].carrying_add(b[1], c);
    let (r2, c) = a[2].carrying_add(b[2], c);
    let (r3, c) = a[3].carrying_add(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// `a - b` and the borrow, which says that a < b.
#[inline(always)]
pub(crate) fn sub(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let (r0, c) = a[0].borrowing_sub(b[0], false);
    let (r1, c) = a[1].borrowing_sub(b[1], c);
    let (r2, c) = a[2].borrowing_sub(b[2], c);
    let (r3, c) = a[3].borrowing_sub(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// `b` if `choose`, else `a`; compiled without a branch.
#[inline(always)]
pub(crate) fn select(a: [u64; 4], b: [u64; 4], choose: bool) -> [u64; 4] {
    let mask = (choose as u64).wrapping_neg();
    [a[0] ^ (a[0] ^ b[0]) & mask, a[1] ^ (a[1] ^ b[1]) & mask, a[2] ^ (a[2] ^ b[2]) & mask, a[3] ^ (a[3] ^ b[3]) & mask]
}

/// True if all words are 0.
#[inline(always)]
pub(crate) fn is_zero(a: [u64; 4]) -> bool {
    a[0] | a[1] | a[2] | a[3] == 0
}

/// The whole product, eight words.
#[inline(always)]
pub(crate) fn mul(a: [u64; 4], b: [u64; 4]) -> [u64; 8] {
    let (r0, c) = a[0].carrying_mul(b[0], 0);
    let (t1, c) = a[0].carrying_mul(b[1], c);
    let (t2, c) = a[0].carrying_mul(b[2], c);
    let (t3, t4) = a[0].carrying_mul(b[3], c);

    let (r1, c) = a[1].carrying_mul_add(b[0], t1, 0);
    let (t2, c) = a[1].carrying_mul_add(b[1], t2, c);
    let (t3, c) = a[1].carrying_mul_add(b[2], t3, c);
    let (t4, t5) = a[1].carrying_mul_add(b[3], t4, c);

    let (r2, c) = a[2].carrying_mul_add(b[0], t2, 0);
    let (t3, c) = a[2].carrying_mul_add(b[1], t3, c);
    let (t4, c) = a[2].carrying_mul_add(b[2], t4, c);
    let (t5, t6) = a[2].carrying_mul_add(b[3], t5, c);

    let (r3, c) = a[3].carrying_mul_add(b[0], t3, 0);
    let (r4, c) = a[3].carrying_mul_add(b[1], t4, c);
    let (r5, c) = a[3].carrying_mul_add(b[2], t5, c);
    let (r6, r7) = a[3].carrying_mul_add(b[3], t6, c);
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// The same number, of which the compiler knows nothing any more. It keeps chains of carries in flags (a known summand
/// tempts it to compare instead) and out of vectors (it would carry with vector compares), and costs no instruction.
#[inline(always)]
pub(crate) fn opaque(mut word: u64) -> u64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: a comment.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) word, options(pure, nomem, nostack, preserves_flags));
    }
    word
}

/// The whole square, eight words.
#[inline(always)]
pub(crate) fn sqr(a: [u64; 4]) -> [u64; 8] {
    // Products of different words, to be doubled.
    let (r1, c) = a[0].carrying_mul(a[1], 0);
    let (r2, c) = a[0].carrying_mul(a[2], c);
    let (r3, r4) = a[0].carrying_mul(a[3], c);
    let (r3, c) = a[1].carrying_mul_add(a[2], r3, 0);
    let (r4, r5) = a[1].carrying_mul_add(a[3], r4, c);
    let (r5, r6) = a[2].carrying_mul(a[3], r5);
    let (d1, d2, d3) = (r1 << 1, r2 << 1 | r1 >> 63, r3 << 1 | r2 >> 63);
    let (d4, d5, d6, d7) = (r4 << 1 | r3 >> 63, r5 << 1 | r4 >> 63, r6 << 1 | r5 >> 63, r6 >> 63);

    let (s0, s1) = a[0].carrying_mul(a[0], 0);
    let (s2, s3) = a[1].carrying_mul(a[1], 0);
    let (s4, s5) = a[2].carrying_mul(a[2], 0);
    let (s6, s7) = a[3].carrying_mul(a[3], 0);
    let (d1, c) = d1.carrying_add(s1, false);
    let (d2, c) = d2.carrying_add(s2, c);
    let (d3, c) = d3.carrying_add(s3, c);
    let (d4, c) = d4.carrying_add(s4, c);
    let (d5, c) = d5.carrying_add(s5, c);
    let (d6, c) = d6.carrying_add(s6, c);
    [s0, d1, d2, d3, d4, d5, d6, d7.carrying_add(s7, c).0]
}

/// From 32 bytes, big-endian.
#[inline(always)]
pub(crate) fn from_be(bytes: &[u8; 32]) -> [u64; 4] {
    let word = |i: usize| u64::from_be_bytes(*bytes[24 - 8 * i..].first_chunk().expect("32 bytes hold four words"));
    [word(0), word(1), word(2), word(3)]
}

/// As 32 bytes, big-endian.
#[cfg(test)]
pub(crate) fn to_be(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words.iter().rev()) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}
