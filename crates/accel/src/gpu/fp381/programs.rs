//! The programs of `checkpoint`.

use super::constants::{shift, small};
use super::g2::Affine;
use super::hash::{EXPANDED, hash_to_g2};
use super::miller::{At, miller_loop};
use super::power::square_root;
use super::program::{Builder, NUMBER, Program};
use super::tower::{Fp2, Fp12};
use std::sync::LazyLock;

/// Words of a number, of a number of Fp2 and of a number of Fp12, as words of inputs and answers count.
const ONE: u32 = NUMBER as u32;
const TWO: u32 = 2 * ONE;
const TWELVE: u32 = 12 * ONE;

/// Bits of how often a value counts.
const TIMES_BITS: u32 = 16;

/// A program with its rows. A row of inputs ends with a number that was drawn for this item and this time; the program reads it
/// first of all and writes it last, behind the answer: an answer of another launch is none, however right it was then.
#[derive(Debug)]
pub(crate) struct Routine {
    pub(crate) program: Program,
    /// Words of an item's input, without the number drawn.
    pub(crate) input: usize,
    /// Words of an item's answer, without it.
    pub(crate) answer: usize,
}

impl Routine {
    /// Words of a row of inputs.
    pub(crate) fn input_row(&self) -> usize {
        row(self.input)
    }

    /// Words of a row of answers.
    pub(crate) fn answer_row(&self) -> usize {
        row(self.answer)
    }
}

fn row(words: usize) -> usize {
    if words == 0 { 0 } else { words + NUMBER }
}

/// Of many items one: a program for each, then the first half takes in the second until one is left. The numbers drawn are added.
#[derive(Debug)]
pub(crate) struct Tree {
    /// From an item's input to its slots.
    pub(crate) leaf: Routine,
    /// The slots of two items to those of one.
    pub(crate) join: Routine,
    /// From the slots to an answer.
    pub(crate) out: Routine,
}

impl Tree {
    /// Registers of an item.
    pub(crate) fn registers(&self) -> usize {
        let [leaf, join, out] = [&self.leaf, &self.join, &self.out].map(|routine| routine.program.registers);
        leaf.max(join).max(out)
    }
}

pub(super) fn routine(input: u32, answer: u32, slots: usize, write: impl Fn(&Builder)) -> Routine {
    let builder = Builder::default();
    let drawn = (input > 0 && answer > 0).then(|| builder.input(input));
    write(&builder);
    drawn.into_iter().for_each(|drawn| drawn.output(answer));
    Routine { program: builder.finish(slots), input: input as usize, answer: answer as usize }
}

/// An expanded message to the affine point (x, y), and a word that is 1 if there is none to tell.
pub(crate) static HASH: LazyLock<Routine> = LazyLock::new(|| {
    routine(EXPANDED as u32, 2 * TWO + 1, 0, |of| {
        let point = hash_to_g2(of, 0);
        point.z.is_zero().output(2 * TWO);
        let Affine { x, y } = point.to_affine();
        x.output(0);
        y.output(TWO);
    })
});

/// A point of G1 (x, y), then an expanded message, to the Miller value, and a word that is 1 if there is none to tell.
pub(crate) static MILLER_OF_HASH: LazyLock<Routine> = LazyLock::new(|| {
    routine(TWO + EXPANDED as u32, TWELVE + 1, 0, |of| {
        let point = hash_to_g2(of, TWO);
        point.z.is_zero().output(TWELVE);
        miller_loop(At::new(of.input(0), of.input(ONE)), point.to_affine()).output(0);
    })
});

/// A point of G1 and one of G2, both (x, y), to the Miller value.
pub(crate) static MILLER: LazyLock<Routine> = LazyLock::new(|| {
    routine(3 * TWO, TWELVE, 0, |of| {
        let q = Affine { x: Fp2::input(of, TWO), y: Fp2::input(of, 2 * TWO) };
        miller_loop(At::new(of.input(0), of.input(ONE)), q).output(0);
    })
});

/// x of a compressed signature (numbers, not Montgomery forms, below p), and a word that is 1 for the larger y, to y, to the product of the point
/// with the absolute value of the curve's parameter (x, y, z), with which the CPU sees that the point is in the subgroup, and to x as a Montgomery form.
pub(crate) static SIGNATURE: LazyLock<Routine> = LazyLock::new(|| {
    routine(TWO + 1, 5 * TWO, 0, |of| {
        let plain = Fp2::input(of, 0);
        let to_montgomery = shift(of, 0);
        let x = plain.mul_fp(to_montgomery);
        let four = small(of, 4);
        let (root, _the_cpu_sees_whether_it_is_one) = square_root(x.square() * x + Fp2 { c0: four, c1: four });
        let is_large = root.c1.is_large().or(root.c1.is_zero().and(root.c0.is_large()));
        let y = (-root).where_else(is_large.xor(of.bit(32 * TWO)), root);
        let product = Affine { x, y }.mul_x_abs();
        for (at, part) in (0..).zip([y, product.x, product.y, product.z, x]) {
            part.output(TWO * at);
        }
    })
});

/// Numbers of Fp12, each with its exponent, to their product.
pub(crate) static VALUES: LazyLock<Tree> = LazyLock::new(|| Tree {
    leaf: routine(TWELVE + 1, 0, 13, |of| {
        of.input(TWELVE + 1).keep(12);
        let value = Fp12::input(of, 0);
        let one = Fp12::one(of);
        let power = (0..TIMES_BITS).rev().fold(None, |power: Option<Fp12<'_>>, bit| {
            let factor = value.where_else(of.bit(32 * TWELVE + bit), one);
            Some(power.map_or(factor, |power| power.square() * factor))
        });
        power.expect("bits").keep(0);
    }),
    join: routine(0, 0, 13, |of| {
        (Fp12::slots(of, 0) * Fp12::neighbour(of, 0)).keep(0);
        (of.slot(12) + of.neighbour(12)).keep(12);
    }),
    out: routine(0, TWELVE, 13, |of| {
        Fp12::slots(of, 0).output(0);
        of.slot(12).output(TWELVE);
    }),
});
