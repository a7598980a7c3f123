//! Programs: what a card does with numbers modulo the prime of BLS12-381, the same for every item.
//!
//! A program is written as a function over [`Fp`] values of a [`Builder`], runs once, and leaves a straight line of
//! instructions behind: each value is set once, so registers are dealt out in one pass. `kernels/README.md` has the form.
//! `builder` has these values, `node` what they leave behind, `dealer` the registers and the code.

mod builder;
mod dealer;
mod node;

pub(crate) use builder::{Builder, Flag, Fp};

use std::ops::Range;

/// Words of a number.
pub(crate) const NUMBER: usize = 12;
/// Words of an instruction.
pub(crate) const INSTRUCTION: usize = 8;
/// Operands from here on are constants.
pub(super) const CONSTANTS: u32 = 0x8000;

/// Multiplications of words of a product, of a square, and of a reduction; what any instruction takes besides, about.
const PRODUCT: usize = 144;
const SQUARE: usize = 78;
const REDUCTION: usize = 156;
const STEP: usize = 200;

/// Codes of instructions.
pub(crate) mod op {
    pub(crate) const SUM: u32 = 0;
    pub(crate) const ADD: u32 = 1;
    pub(crate) const SUB: u32 = 2;
    pub(crate) const SQUARES: u32 = 3;
    pub(crate) const SELECT: u32 = 4;
    pub(crate) const MOVE: u32 = 5;
    pub(crate) const NEIGHBOUR: u32 = 6;
    pub(crate) const INPUT: u32 = 7;
    pub(crate) const OUTPUT: u32 = 8;
    pub(crate) const ZERO: u32 = 9;
    pub(crate) const ODD: u32 = 10;
    pub(crate) const LARGE: u32 = 11;
    pub(crate) const LOGIC: u32 = 12;
    pub(crate) const BIT: u32 = 13;
    pub(crate) const OUTPUT_FLAG: u32 = 14;
}

/// A finished program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// [`INSTRUCTION`] words each.
    pub(crate) code: Vec<u32>,
    /// [`NUMBER`] words each.
    pub(crate) constants: Vec<u32>,
    /// Registers of an item.
    pub(crate) registers: usize,
}

/// What a program takes, for one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) instructions: usize,
    /// Products of 12 by 12 words.
    pub(crate) products: usize,
    /// Squares of 12 words.
    pub(crate) squares: usize,
    /// Montgomery reductions.
    pub(crate) reductions: usize,
}

impl Program {
    /// Counted.
    #[cfg(test)]
    pub(crate) fn cost(&self) -> Cost {
        self.cost_of(0..self.code.len() / INSTRUCTION)
    }

    /// Ranges of instructions of about so many multiplications of words, so that no launch is long.
    pub(crate) fn parts(&self, steps: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut from, mut sum) = (0, 0);
        let end = self.code.len() / INSTRUCTION;
        for at in 0..end {
            let cost = self.cost_of(at..at + 1);
            sum += PRODUCT * cost.products + SQUARE * cost.squares + REDUCTION * cost.reductions + STEP;
            if sum >= steps || at + 1 == end {
                parts.push(from..at + 1);
                (from, sum) = (at + 1, 0);
            }
        }
        parts
    }

    /// Of some of its instructions.
    fn cost_of(&self, instructions: Range<usize>) -> Cost {
        let code = &self.code[instructions.start * INSTRUCTION..instructions.end * INSTRUCTION];
        code.chunks_exact(INSTRUCTION).fold(Cost::default(), |mut cost, words| {
            cost.instructions += 1;
            let (products, squares, reductions) = match words[0] & 0xff {
                op::SUM => ((words[0] >> 8 & 0xff) as usize, 0, 1),
                op::SQUARES => (0, words[1] as usize, words[1] as usize),
                op::ODD | op::LARGE => (0, 0, 1),
                _ => (0, 0, 0),
            };
            cost.products += products;
            cost.squares += squares;
            cost.reductions += reductions;
            cost
        })
    }
}
