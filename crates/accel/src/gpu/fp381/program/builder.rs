//! Programs are written as functions of numbers and truth values that do not exist yet.

use super::dealer::Dealer;
use super::node::{Id, Node};
use super::{NUMBER, Program};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Mul, Neg, Sub};

/// Most products of a sum.
const TERMS: usize = 6;

/// Where a program comes into being.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    nodes: RefCell<Vec<Node>>,
    constants: RefCell<Vec<[u32; NUMBER]>>,
    known: RefCell<HashMap<[u32; NUMBER], Id>>,
}

/// A number modulo p, in Montgomery form with R = 2^384, below p.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp<'b> {
    of: &'b Builder,
    id: Id,
}

/// A truth value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag<'b> {
    of: &'b Builder,
    id: Id,
}

impl Builder {
    fn push(&self, node: Node) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        nodes.len() - 1
    }

    fn number(&self, node: Node) -> Fp<'_> {
        Fp { of: self, id: self.push(node) }
    }

    fn flag(&self, node: Node) -> Flag<'_> {
        Flag { of: self, id: self.push(node) }
    }

    /// A number in Montgomery form.
    pub(crate) fn constant(&self, words: [u32; NUMBER]) -> Fp<'_> {
        if let Some(id) = self.known.borrow().get(&words) {
            return Fp { of: self, id: *id };
        }
        let mut constants = self.constants.borrow_mut();
        let at = u32::try_from(constants.len()).expect("few constants");
        constants.push(words);
        let constant = self.number(Node::Constant(at));
        self.known.borrow_mut().insert(words, constant.id);
        constant
    }

    /// What [`Fp::keep`] of an earlier program on the same registers left in a slot.
    pub(crate) fn slot(&self, slot: u32) -> Fp<'_> {
        self.number(Node::Slot(slot))
    }

    /// What the item so many places on has in a slot; that item must not run this program.
    pub(crate) fn neighbour(&self, slot: u32) -> Fp<'_> {
        self.number(Node::Neighbour(slot))
    }

    /// 12 words of the item's input, from this word on, as they are: below p unless they meet nothing but products.
    pub(crate) fn input(&self, word: u32) -> Fp<'_> {
        self.number(Node::Input(word))
    }

    /// A bit of the item's input.
    pub(crate) fn bit(&self, bit: u32) -> Flag<'_> {
        self.flag(Node::Bit(bit))
    }

    /// Sum of products `plus` less products `minus`, six at most: reduced once.
    pub(crate) fn sum<'b>(&'b self, plus: &[(Fp<'b>, Fp<'b>)], minus: &[(Fp<'b>, Fp<'b>)]) -> Fp<'b> {
        let term = |less: bool| move |(a, b): &(Fp<'b>, Fp<'b>)| (less, a.id, b.id);
        let terms: Vec<_> = plus.iter().map(term(false)).chain(minus.iter().map(term(true))).collect();
        assert!((1..=TERMS).contains(&terms.len()), "{} products in a sum", terms.len());
        self.number(Node::Sum(terms))
    }

    /// The program, for registers of which the first `slots` are slots.
    pub(crate) fn finish(self, slots: usize) -> Program {
        let nodes = self.nodes.into_inner();
        let constants = self.constants.into_inner().into_iter().flatten().collect();
        Dealer::new(&nodes, slots).run(constants)
    }
}

impl<'b> Fp<'b> {
    /// The builder.
    pub(crate) fn of(self) -> &'b Builder {
        self.of
    }

    /// The square, so many times.
    pub(crate) fn squares(self, times: u32) -> Self {
        self.of.number(Node::Squares(self.id, times))
    }

    pub(crate) fn square(self) -> Self {
        self.squares(1)
    }

    pub(crate) fn double(self) -> Self {
        self + self
    }

    /// This, or `other` where the flag is not set.
    pub(crate) fn where_else(self, flag: Flag<'b>, other: Self) -> Self {
        self.of.number(Node::Select(flag.id, self.id, other.id))
    }

    pub(crate) fn is_zero(self) -> Flag<'b> {
        self.of.flag(Node::Zero(self.id))
    }

    /// Whether the number itself, not its Montgomery form, is odd.
    pub(crate) fn is_odd(self) -> Flag<'b> {
        self.of.flag(Node::Odd(self.id))
    }

    /// Whether the number itself is above (p - 1) / 2.
    pub(crate) fn is_large(self) -> Flag<'b> {
        self.of.flag(Node::Large(self.id))
    }

    /// Writes it to 12 words of the item's answer.
    pub(crate) fn output(self, word: u32) {
        self.of.push(Node::Output(word, self.id));
    }

    /// Leaves it in a slot at the end of the program.
    pub(crate) fn keep(self, slot: u32) {
        self.of.push(Node::Keep(slot, self.id));
    }
}

impl<'b> Flag<'b> {
    fn logic(self, table: u32, other: Self) -> Self {
        self.of.flag(Node::Logic(table, self.id, other.id))
    }

    pub(crate) fn and(self, other: Self) -> Self {
        self.logic(0b1000, other)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        self.logic(0b1110, other)
    }

    pub(crate) fn xor(self, other: Self) -> Self {
        self.logic(0b0110, other)
    }

    /// Writes it to a word of the item's answer: 1 or 0.
    pub(crate) fn output(self, word: u32) {
        self.of.push(Node::OutputFlag(word, self.id));
    }
}

impl Add for Fp<'_> {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        self.of.number(Node::Add(self.id, b.id))
    }
}

impl Sub for Fp<'_> {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        self.of.number(Node::Sub(self.id, b.id))
    }
}

impl Mul for Fp<'_> {
    type Output = Self;

    fn mul(self, b: Self) -> Self {
        if self.id == b.id { self.square() } else { self.of.sum(&[(self, b)], &[]) }
    }
}

impl Neg for Fp<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.of.constant([0; NUMBER]) - self
    }
}
