//! Products by hand for x86-64 with BMI2: compilers need half as many instructions again.
//!
//! MULX leaves the flags alone, so that the low words of a row of products are added in one chain of carries and the
//! high words in the next. A row's carries end in its last high word, which is at most 2^64 - 2.
//!
//! Callers must have BMI2: this is what makes the `unsafe` blocks sound, besides that memory is only read, four words
//! from each pointer.

use super::C;
use crate::words::opaque;
use std::arch::asm;

/// `x[i..] += a * b[i]`, for a row whose words below `$x4` hold something already.
macro_rules! row {
    ($b:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal, $x4:literal) => {
        concat!(
            "mov rdx, [",
            $b,
            "]\n",
            "mulx {h0}, {l}, [{a}]\n",
            "add {",
            $x0,
            "}, {l}\n",
            "mulx {h1}, {l}, [{a} + 8]\n",
            "adc {",
            $x1,
            "}, {l}\n",
            "mulx {h2}, {l}, [{a} + 16]\n",
            "adc {",
            $x2,
            "}, {l}\n",
            "mulx {",
            $x4,
            "}, {l}, [{a} + 24]\n",
            "adc {",
            $x3,
            "}, {l}\n",
            "adc {",
            $x4,
            "}, 0\n",
            "add {",
            $x1,
            "}, {h0}\n",
            "adc {",
            $x2,
            "}, {h1}\n",
            "adc {",
            $x3,
            "}, {h2}\n",
            "adc {",
            $x4,
            "}, 0",
        )
    };
}

/// All eight words of `a * b`; the pointer to b is in `{x7}` at first.
macro_rules! rows {
    () => {
        concat!(
            "mov rdx, [{x7}]\n",
            "mulx {x1}, {x0}, [{a}]\n",
            "mulx {x2}, {l}, [{a} + 8]\n",
            "add {x1}, {l}\n",
            "mulx {x3}, {l}, [{a} + 16]\n",
            "adc {x2}, {l}\n",
            "mulx {x4}, {l}, [{a} + 24]\n",
            "adc {x3}, {l}\n",
            "adc {x4}, 0\n",
            row!("{x7} + 8", "x1", "x2", "x3", "x4", "x5"),
            "\n",
            row!("{x7} + 16", "x2", "x3", "x4", "x5", "x6"),
            "\n",
            row!("{x7} + 24", "x3", "x4", "x5", "x6", "x7"),
        )
    };
}

/// All eight words of `a^2`: products of different words, doubled, and squares.
macro_rules! squares {
    () => {
        concat!(
            "mov rdx, [{a}]\n",
            "mulx {x2}, {x1}, [{a} + 8]\n",
            "mulx {x3}, {l}, [{a} + 16]\n",
            "add {x2}, {l}\n",
            "mulx {x4}, {l}, [{a} + 24]\n",
            "adc {x3}, {l}\n",
            "adc {x4}, 0\n",
            "mov rdx, [{a} + 8]\n",
            "mulx {h0}, {l}, [{a} + 16]\n",
            "mulx {x5}, {h1}, [{a} + 24]\n",
            "add {x3}, {l}\n",
            "adc {x4}, {h1}\n",
            "adc {x5}, 0\n",
            "mov rdx, [{a} + 16]\n",
            "mulx {x6}, {l}, [{a} + 24]\n",
            "add {x4}, {h0}\n",
            "adc {x5}, {l}\n",
            "adc {x6}, 0\n",
            "xor {x7:e}, {x7:e}\n",
            "add {x1}, {x1}\n",
            "adc {x2}, {x2}\n",
            "adc {x3}, {x3}\n",
            "adc {x4}, {x4}\n",
            "adc {x5}, {x5}\n",
            "adc {x6}, {x6}\n",
            "adc {x7}, {x7}\n",
            "mov rdx, [{a}]\n",
            "mulx {h0}, {x0}, rdx\n",
            "mov rdx, [{a} + 8]\n",
            "mulx {h1}, {l}, rdx\n",
            "add {x1}, {h0}\n",
            "adc {x2}, {l}\n",
            "mov rdx, [{a} + 16]\n",
            "mulx {h0}, {l}, rdx\n",
            "adc {x3}, {h1}\n",
            "adc {x4}, {l}\n",
            "mov rdx, [{a} + 24]\n",
            "mulx {h1}, {l}, rdx\n",
            "adc {x5}, {h0}\n",
            "adc {x6}, {l}\n",
            "adc {x7}, {h1}",
        )
    };
}

/// The upper four words times C added to the lower four; what leaves those is in `{x7}`, at most C. C stays in rdx.
macro_rules! fold {
    () => {
        concat!(
            "mov rdx, {c}\n",
            "mulx {x4}, {l}, {x4}\n",
            "add {x0}, {l}\n",
            "mulx {x5}, {l}, {x5}\n",
            "adc {x1}, {l}\n",
            "mulx {x6}, {l}, {x6}\n",
            "adc {x2}, {l}\n",
            "mulx {x7}, {l}, {x7}\n",
            "adc {x3}, {l}\n",
            "adc {x7}, 0\n",
            "add {x1}, {x4}\n",
            "adc {x2}, {x5}\n",
            "adc {x3}, {x6}\n",
            "adc {x7}, 0",
        )
    };
}

/// `{x7}` times C, too, so that four words are left. A carry out of the first two is rare enough for a jump: then the rest
/// are all ones, or the carry ends among them.
macro_rules! fold_again {
    () => {
        concat!(
            "mulx {h1}, {l}, {x7}\n",
            "add {x0}, {l}\n",
            "adc {x1}, {h1}\n",
            "jnc 2f\n",
            "adc {x2}, 0\n",
            "adc {x3}, 0\n",
            "sbb {l}, {l}\n",
            "and {l}, rdx\n",
            "add {x0}, {l}\n",
            "adc {x1}, 0\n",
            "2:",
        )
    };
}

macro_rules! of_two {
    ($a:ident, $b:ident, $($text:expr),*) => {{
        // Copied word by word: loads of words cannot be served early from the store of a vector.
        let (a, b) = ($a.map(opaque), $b.map(opaque));
        let (x0, x1, x2, x3, x7): (u64, u64, u64, u64, u64);
        // SAFETY: see the module.
        unsafe {
            asm!($($text),*, c = const C, a = in(reg) a.as_ptr(), x7 = inout(reg) b.as_ptr() => x7,
                x0 = out(reg) x0, x1 = out(reg) x1, x2 = out(reg) x2, x3 = out(reg) x3,
                x4 = out(reg) _, x5 = out(reg) _, x6 = out(reg) _,
                h0 = out(reg) _, h1 = out(reg) _, h2 = out(reg) _, l = out(reg) _, out("rdx") _,
                options(pure, readonly, nostack));
        }
        ([x0, x1, x2, x3], x7)
    }};
}

macro_rules! of_one {
    ($a:ident, $($text:expr),*) => {{
        let a = $a.map(opaque);
        let (x0, x1, x2, x3, x7): (u64, u64, u64, u64, u64);
        // SAFETY: see the module.
        unsafe {
            asm!($($text),*, c = const C, a = in(reg) a.as_ptr(), x7 = out(reg) x7,
                x0 = out(reg) x0, x1 = out(reg) x1, x2 = out(reg) x2, x3 = out(reg) x3,
                x4 = out(reg) _, x5 = out(reg) _, x6 = out(reg) _,
                h0 = out(reg) _, h1 = out(reg) _, l = out(reg) _, out("rdx") _,
                options(pure, readonly, nostack));
        }
        ([x0, x1, x2, x3], x7)
    }};
}

/// `a * b` modulo p in four words.
#[inline(always)]
pub(super) fn mul(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    of_two!(a, b, rows!(), fold!(), fold_again!()).0
}

/// `a^2` modulo p in four words.
#[inline(always)]
pub(super) fn sqr(a: [u64; 4]) -> [u64; 4] {
    of_one!(a, squares!(), fold!(), fold_again!()).0
}

/// `a * b` modulo p as four words and a multiple of 2^256.
#[inline(always)]
pub(super) fn product(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], u64) {
    of_two!(a, b, rows!(), fold!())
}

/// `a^2` modulo p as four words and a multiple of 2^256.
#[inline(always)]
pub(super) fn square(a: [u64; 4]) -> ([u64; 4], u64) {
    of_one!(a, squares!(), fold!())
}
