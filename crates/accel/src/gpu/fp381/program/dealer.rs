//! From nodes to code: every value gets a register or a flag for as long as it is needed.

use super::node::{Id, Node};
use super::{CONSTANTS, INSTRUCTION, Program, op};

/// Flags of an item.
const FLAGS: usize = 32;

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
pub(super) struct Dealer<'a> {
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
    pub(super) fn new(nodes: &'a [Node], slots: usize) -> Self {
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

    pub(super) fn run(mut self, constants: Vec<u32>) -> Program {
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
