//! Random programs that mostly run: what an instruction takes is pushed before it.

use super::super::random::Random;
use super::HEIGHT;
use revm::primitives::hardfork::SpecId;

/// Makes programs for a fork.
pub(super) struct Programs {
    pub(super) random: Random,
    pub(super) spec: SpecId,
}

impl Programs {
    fn next(&mut self) -> u64 {
        self.random.next()
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.random.below(end)
    }

    /// One of these opcodes; one time in forty also if its fork comes later.
    fn opcode(&mut self, opcodes: &[(u8, SpecId)]) -> u8 {
        loop {
            let (opcode, since) = opcodes[self.below(opcodes.len() as u64) as usize];
            if since <= self.spec || self.below(40) == 0 {
                return opcode;
            }
        }
    }
}

/// A program.
pub(super) fn program(random: &mut Programs) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..3 + random.below(25) {
        snippet(random, &mut code, 0);
    }
    match random.below(6) {
        0 => code.extend([0x60, 32, 0x60, 0, 0xfd]),
        1 => code.extend([0x60, random.below(64) as u8, 0x60, 0, 0xf3]),
        // As creation code: leaves what it says, or what is left of it.
        2 => code.extend([0x60, random.below(60) as u8, 0x60, 0, 0x60, 0, 0x39, 0x60, 40, 0x60, 0, 0xf3]),
        _ => {}
    }
    code
}

fn push(code: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    code.push(0x60 + (7 - first) as u8);
    code.extend_from_slice(&bytes[first..]);
}

/// Something small, a word of memory or of the input, or a place.
fn value(random: &mut Programs, code: &mut Vec<u8>) {
    match random.below(8) {
        0 => code.extend([0x60, random.below(96) as u8, 0x51]),
        1 => code.extend([0x60, random.below(64) as u8, 0x35]),
        2 => push(code, random.next()),
        3 => code.extend([0x60, 0, 0x19]),
        4 => code
            .push([0x30, 0x33, 0x34, 0x36, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x5a][random.below(12) as usize]),
        _ => push(code, random.below(40)),
    }
}

fn some_place(random: &mut Programs, code: &mut Vec<u8>) {
    match random.below(10) {
        0 => push(code, 1 + random.below(18)),
        1 => push(code, random.below(300)),
        2 => code.push(0x30),
        n => push(code, 0x60 + n),
    }
}

fn snippet(random: &mut Programs, code: &mut Vec<u8>, depth: u32) {
    let small = |random: &mut Programs, code: &mut Vec<u8>| push(code, random.below(100));
    match random.below(26) {
        // Arithmetic; the result to memory, or kept.
        0..=3 => {
            let two = [
                1, 2, 3, 4, 5, 6, 7, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1d,
            ];
            value(random, code);
            value(random, code);
            code.push(two[random.below(two.len() as u64) as usize]);
            if random.below(2) == 0 {
                code.extend([0x60, random.below(96) as u8, 0x52]);
            }
        }
        4 => {
            (0..3).for_each(|_| value(random, code));
            code.push(8 + random.below(2) as u8);
        }
        5 | 6 => {
            value(random, code);
            push(code, random.below(6));
            code.push(0x55);
        }
        7 => {
            push(code, random.below(6));
            code.extend([0x54, 0x60, random.below(64) as u8, 0x52]);
        }
        8 => {
            value(random, code);
            push(code, random.below(3));
            code.push(random.opcode(&[(0x5d, SpecId::CANCUN), (0x55, SpecId::FRONTIER)]));
        }
        9 => {
            push(code, random.below(3));
            code.push(random.opcode(&[(0x5c, SpecId::CANCUN), (0x54, SpecId::FRONTIER)]));
        }
        10 => {
            small(random, code);
            small(random, code);
            code.push(0x20);
        }
        11 => {
            some_place(random, code);
            code.push([0x31, 0x3b, 0x3f][random.below(3) as usize]);
        }
        12 => {
            let topics = random.below(5) as u8;
            (0..topics).for_each(|_| value(random, code));
            small(random, code);
            small(random, code);
            code.push(0xa0 + topics);
        }
        13 => {
            (0..3).for_each(|_| small(random, code));
            let any = SpecId::FRONTIER;
            let copy = random.opcode(&[(0x37, any), (0x39, any), (0x5e, SpecId::CANCUN)]);
            // RETURNDATACOPY beyond the end is a fault.
            code.push(if random.below(12) == 0 { 0x3e } else { copy });
        }
        14 => {
            let any = SpecId::FRONTIER;
            let (chain, fee, blob) = (SpecId::ISTANBUL, SpecId::LONDON, SpecId::CANCUN);
            let opcodes = [
                (0x46, chain),
                (0x47, chain),
                (0x48, fee),
                (0x4a, blob),
                (0x58, any),
                (0x59, any),
                (0x5b, any),
                (0x32, any),
                (0x38, any),
            ];
            code.push(random.opcode(&opcodes));
        }
        15 => {
            push(code, HEIGHT - random.below(300));
            code.push(0x40);
        }
        // Calls of four kinds.
        16..=20 => {
            (0..4).for_each(|_| push(code, random.below(64)));
            let kind = random.below(6);
            if kind < 4 {
                push(code, random.below(4) * random.below(3));
            }
            some_place(random, code);
            match random.below(4) {
                0 => push(code, random.below(60_000)),
                _ => code.push(0x5a),
            }
            code.push([0xf1, 0xf1, 0xf1, 0xf2, 0xf4, 0xfa][kind as usize]);
        }
        // Creation from memory that holds a small program.
        21 => {
            let mut inner = Vec::new();
            if depth < 2 {
                (0..1 + random.below(3)).for_each(|_| snippet(random, &mut inner, depth + 2));
            }
            inner.truncate(26);
            inner.extend([0x60, random.below(20) as u8, 0x60, 0, 0xf3]);
            let length = inner.len() as u64;
            inner.resize(32, 0);
            code.push(0x7f);
            code.extend(inner);
            code.extend([0x60, 0, 0x52]);
            let again = random.below(2) == 0;
            if again {
                push(code, random.below(2));
            }
            push(code, length);
            push(code, 0);
            push(code, random.below(3));
            code.push(if again { 0xf5 } else { 0xf0 });
        }
        22 if random.below(3) == 0 => {
            some_place(random, code);
            code.push(0xff);
        }
        // A part that is skipped or not.
        23 if depth == 0 => {
            let mut inner = Vec::new();
            snippet(random, &mut inner, 1);
            value(random, code);
            let target = code.len() + 4 + inner.len();
            code.extend([0x61, (target >> 8) as u8, target as u8, 0x57]);
            code.extend(inner);
            code.push(0x5b);
        }
        24 if random.below(6) == 0 => code.push(random.next() as u8),
        _ => value(random, code),
    }
}
