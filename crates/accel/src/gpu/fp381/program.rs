//! Programs: what a card does with numbers modulo the prime of BLS12-381, the same for every item.
//!
//! A program is written as a function over [`Fp`] values of a [`Builder`], runs once, and leaves a straight line of
//! instructions behind: each value is set once, so registers are dealt out in one pass. `kernels/README.md` has the form.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Mul, Neg, Range, Sub};

/// Words of a number.
pub(crate) const NUMBER: usize = 12;
/// Words of an instruction.
pub(crate) const INSTRUCTION: usize = 8;
/// Most products of a sum.
const TERMS: usize = 6;
/// Operands from here on are constants.
pub(super) const CONSTANTS: u32 = 0x8000;
/// Flags of an item.
const FLAGS: usize = 32;

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

type Id = usize;

/// One value, or one effect.
#[derive(Clone, Debug)]
enum Node {
    Constant(u32),
    Slot(u32),
    Neighbour(u32),
    Input(u32),
    Sum(Vec<(bool, Id, Id)>),
    Add(Id, Id),
    Sub(Id, Id),
    Squares(Id, u32),
    Select(Id, Id, Id),
    Zero(Id),
    Odd(Id),
    Large(Id),
    Logic(u32, Id, Id),
    Bit(u32),
    Output(u32, Id),
    OutputFlag(u32, Id),
    Keep(u32, Id),
}

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

impl Node {
    /// Numbers that it needs, and flags.
    fn needs(&self) -> (Vec<Id>, Vec<Id>) {
        match self {
            Self::Constant(_) | Self::Slot(_) | Self::Neighbour(_) | Self::Input(_) | Self::Bit(_) => {
                Default::default()
            }
            Self::Sum(terms) => (terms.iter().flat_map(|(_, a, b)| [*a, *b]).collect(), vec![]),
            Self::Add(a, b) | Self::Sub(a, b) => (vec![*a, *b], vec![]),
            Self::Squares(a, _) | Self::Zero(a) | Self::Odd(a) | Self::Large(a) => (vec![*a], vec![]),
            Self::Output(_, a) | Self::Keep(_, a) => (vec![*a], vec![]),
            Self::Select(flag, a, b) => (vec![*a, *b], vec![*flag]),
            Self::Logic(_, a, b) => (vec![], vec![*a, *b]),
            Self::OutputFlag(_, a) => (vec![], vec![*a]),
        }
    }

    /// Whether it takes a register, and whether a flag.
    fn gives(&self) -> (bool, bool) {
        match self {
            Self::Neighbour(_) | Self::Input(_) | Self::Sum(_) | Self::Add(..) | Self::Sub(..) => (true, false),
            Self::Squares(..) | Self::Select(..) => (true, false),
            Self::Zero(_) | Self::Odd(_) | Self::Large(_) | Self::Logic(..) | Self::Bit(_) => (false, true),
            _ => (false, false),
        }
    }
}

/// Places of which the lowest free one is given out.
#[derive(Debug, Default)]
struct Pool {
    taken: Vec<bool>,
}

impl Pool {
    fn take(&mut self) -> usize {
        let at = self.taken.iter().position(|taken| !taken).unwrap_or_else(|| {
            self.taken.push(false);
            self.taken.len() - 1
        });
        self.taken[at] = true;
        at
    }

    fn give_back(&mut self, at: usize) {
        self.taken[at] = false;
    }
}

/// Deals out registers and flags, and writes the code.
struct Dealer<'a> {
    nodes: &'a [Node],
    slots: usize,
    /// Of each value, the last node that needs it; 0: none.
    last_use: Vec<Id>,
    places: Vec<u32>,
    registers: Pool,
    flags: Pool,
    code: Vec<u32>,
}

impl<'a> Dealer<'a> {
    fn new(nodes: &'a [Node], slots: usize) -> Self {
        let mut last_use = vec![0; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let end = if matches!(node, Node::Keep(..)) { nodes.len() } else { at };
            let (numbers, flags) = node.needs();
            numbers.into_iter().chain(flags).for_each(|id| last_use[id] = last_use[id].max(end));
        }
        let [places, code] = Default::default();
        let [registers, flags] = Default::default();
        Self { nodes, slots, last_use, places, registers, flags, code }
    }

    fn run(mut self, constants: Vec<u32>) -> Program {
        for (at, node) in self.nodes.iter().enumerate() {
            self.places.push(0);
            let (a_register, a_flag) = node.gives();
            // What nobody needs is not worked out.
            if (a_register || a_flag) && self.last_use[at] == 0 {
                continue;
            }
            let (numbers, flags) = node.needs();
            let ended = |ids: Vec<Id>, last_use: &[Id]| {
                let mut ended: Vec<Id> = ids.into_iter().filter(|id| last_use[*id] == at).collect();
                ended.sort_unstable();
                ended.dedup();
                ended
            };
            let (numbers, flags) = (ended(numbers, &self.last_use), ended(flags, &self.last_use));
            // A result may take the place of an operand: kernels read all operands first.
            for id in numbers.into_iter().filter(|id| self.nodes[*id].gives().0) {
                self.registers.give_back(self.places[id] as usize - self.slots);
            }
            flags.into_iter().for_each(|id| self.flags.give_back(self.places[id] as usize));
            if a_register {
                self.places[at] = word(self.slots + self.registers.take());
            }
            if a_flag {
                self.places[at] = word(self.flags.take());
                assert!(self.flags.taken.len() <= FLAGS, "too many flags at once");
            }
            self.emit(at);
        }
        self.keep();
        let registers = self.slots + self.registers.taken.len();
        assert!(registers < CONSTANTS as usize);
        Program { code: self.code, constants, registers }
    }

    /// What is to stay is moved to its slots when all else is done: first what comes from slots, out of the way.
    fn keep(&mut self) {
        let kept = |node: &Node| if let Node::Keep(slot, id) = node { Some((*slot, *id)) } else { None };
        let mut moves: Vec<(u32, u32)> =
            self.nodes.iter().filter_map(kept).map(|(slot, id)| (slot, self.place(id))).collect();
        for (slot, from) in &mut moves {
            if (*from as usize) < self.slots && from != slot {
                let aside = word(self.slots + self.registers.take());
                self.write(op::MOVE, aside, 0, 0, &[(*from, 0)]);
                *from = aside;
            }
        }
        moves.retain(|(slot, from)| slot != from);
        moves.into_iter().for_each(|(slot, from)| self.write(op::MOVE, slot, 0, 0, &[(from, 0)]));
    }

    fn place(&self, id: Id) -> u32 {
        match &self.nodes[id] {
            Node::Constant(at) => CONSTANTS + at,
            Node::Slot(slot) => *slot,
            _ => self.places[id],
        }
    }

    fn emit(&mut self, at: Id) {
        let (to, nodes) = (self.places[at], self.nodes);
        let p = |id: &Id| self.place(*id);
        let (code, count, immediate, operands) = match &nodes[at] {
            Node::Constant(_) | Node::Slot(_) | Node::Keep(..) => return,
            Node::Sum(terms) => {
                let signs = terms.iter().enumerate().fold(0, |signs, (i, (less, ..))| signs | u32::from(*less) << i);
                let pairs = terms.iter().map(|(_, a, b)| (p(a), p(b))).collect();
                (op::SUM, word(terms.len()), signs, pairs)
            }
            Node::Add(a, b) => (op::ADD, 0, 0, vec![(p(a), p(b))]),
            Node::Sub(a, b) => (op::SUB, 0, 0, vec![(p(a), p(b))]),
            Node::Squares(a, times) => (op::SQUARES, 0, *times, vec![(p(a), 0)]),
            Node::Select(flag, a, b) => (op::SELECT, 0, p(flag), vec![(p(a), p(b))]),
            Node::Neighbour(slot) => (op::NEIGHBOUR, 0, 0, vec![(*slot, 0)]),
            Node::Input(first) => (op::INPUT, 0, *first, vec![]),
            Node::Output(first, a) => (op::OUTPUT, 0, *first, vec![(p(a), 0)]),
            Node::Zero(a) => (op::ZERO, 0, 0, vec![(p(a), 0)]),
            Node::Odd(a) => (op::ODD, 0, 0, vec![(p(a), 0)]),
            Node::Large(a) => (op::LARGE, 0, 0, vec![(p(a), 0)]),
            Node::Logic(table, a, b) => (op::LOGIC, 0, *table, vec![(p(a), p(b))]),
            Node::OutputFlag(answer, flag) => (op::OUTPUT_FLAG, 0, *answer, vec![(p(flag), 0)]),
            Node::Bit(bit) => (op::BIT, 0, *bit, vec![]),
        };
        self.write(code, to, count, immediate, &operands);
    }

    fn write(&mut self, code: u32, to: u32, count: u32, immediate: u32, operands: &[(u32, u32)]) {
        let mut words = [0; INSTRUCTION];
        words[0] = code | count << 8 | to << 16;
        words[1] = immediate;
        words[2..].iter_mut().zip(operands).for_each(|(word, (a, b))| *word = a | b << 16);
        self.code.extend(words);
    }
}

fn word(n: usize) -> u32 {
    u32::try_from(n).expect("programs are small")
}
