//! Signed windows of a fixed width, as every lane of a vector can walk them in step.

/// Writes a number as `sum of digit(i) * 2^(WIDTH i)`, `COUNT` digits between `1 - 2^(WIDTH-1)` and `2^(WIDTH-1)`, each
/// handed to `put(i, digit)`, the least significant first.
///
/// The number must be below `2^(WIDTH * COUNT - 1)`; `WIDTH * COUNT` at most 320, `WIDTH` at most 16.
///
/// No carries from digit to digit: with B the number whose plain digits are all `2^(WIDTH-1)`, the digits are those
/// of B less the plain digits of `B - number`.
#[inline(always)]
pub(crate) fn signed_digits<const WIDTH: usize, const COUNT: usize, const WORDS: usize>(
    number: [u64; WORDS],
    mut put: impl FnMut(usize, i32),
) {
    const { assert!(WIDTH * COUNT <= 320 && WIDTH >= 2 && WIDTH <= 16 && WORDS <= 5) };
    let bias = const { bias(WIDTH, COUNT) };
    let mut rest = bias;
    let mut borrow = false;
    for i in 0..5 {
        let word = if i < WORDS { number[i] } else { 0 };
        (rest[i], borrow) = bias[i].borrowing_sub(word, borrow);
    }
    if cfg!(any(debug_assertions, feature = "bounds-check")) {
        assert!(!borrow, "a number of at most {} bits", WIDTH * COUNT - 1);
    }
    for i in 0..COUNT {
        let (word, shift) = (i * WIDTH / 64, i * WIDTH % 64);
        let mut field = rest[word] >> shift;
        if shift + WIDTH > 64 {
            field |= rest[word + 1] << (64 - shift);
        }
        put(i, (1 << (WIDTH - 1)) - (field & ((1 << WIDTH) - 1)) as i32);
    }
}

/// `2^(width-1)` in each of `count` fields of `width` bits.
const fn bias(width: usize, count: usize) -> [u64; 5] {
    let mut words = [0; 5];
    let mut i = 0;
    while i < count {
        let bit = i * width + width - 1;
        words[bit / 64] |= 1 << (bit % 64);
        i += 1;
    }
    words
}
