//! A contract that does what its input says, so that a test can make any tree of calls; and a small assembler.

use std::collections::HashMap;
use vigil_primitives::{Address, U256};

/// Bytecode under construction, with labels.
#[derive(Default)]
pub(super) struct Asm {
    code: Vec<u8>,
    labels: HashMap<&'static str, usize>,
    jumps: Vec<(usize, &'static str)>,
}

impl Asm {
    /// Opcodes as they are.
    pub(super) fn ops(mut self, ops: &[u8]) -> Self {
        self.code.extend_from_slice(ops);
        self
    }

    /// The shortest PUSH, PUSH1 at least.
    pub(super) fn push(mut self, number: impl TryInto<U256>) -> Self {
        let bytes = number.try_into().ok().expect("a number").to_be_bytes_trimmed_vec();
        let bytes = if bytes.is_empty() { vec![0] } else { bytes };
        self.code.push(0x5f + bytes.len() as u8);
        self.code.extend(bytes);
        self
    }

    fn label(mut self, name: &'static str) -> Self {
        self.labels.insert(name, self.code.len());
        self.ops(&[JUMPDEST])
    }

    fn push_label(mut self, name: &'static str) -> Self {
        self.jumps.push((self.code.len() + 1, name));
        self.ops(&[0x61, 0, 0])
    }

    /// SSTORE.
    pub(super) fn store(self, slot: u64, value: u64) -> Self {
        self.push(U256::from(value)).push(U256::from(slot)).ops(&[0x55])
    }

    /// Returns the word on top of the stack.
    pub(super) fn give(self) -> Self {
        self.push(U256::ZERO).ops(&[0x52]).push(U256::from(32)).push(U256::ZERO).ops(&[0xf3])
    }

    pub(super) fn done(mut self) -> Vec<u8> {
        for (at, name) in self.jumps {
            let target = self.labels[name] as u16;
            self.code[at..at + 2].copy_from_slice(&target.to_be_bytes());
        }
        self.code
    }
}

const JUMPDEST: u8 = 0x5b;

/// Creation code that does `before` and then leaves `code`.
pub(super) fn creation_after(before: Asm, code: &[u8]) -> Vec<u8> {
    let head = before.code.len() as u64;
    let tail = |asm: Asm, offset: u64| {
        // PUSH2, so that its length does not depend on the numbers.
        let length = (code.len() as u16).to_be_bytes();
        let offset = (offset as u16).to_be_bytes();
        asm.ops(&[0x61, length[0], length[1], 0x80, 0x61, offset[0], offset[1]])
            .push(U256::ZERO)
            .ops(&[0x39])
            .push(U256::ZERO)
            .ops(&[0xf3])
            .done()
    };
    let length = tail(Asm::default(), 0).len() as u64;
    [tail(before, head + length), code.to_vec()].concat()
}

/// Creation code that leaves `code`.
pub(super) fn creation(code: &[u8]) -> Vec<u8> {
    creation_after(Asm::default(), code)
}

/// What a [`machine`] is told to do.
#[derive(Clone, Debug)]
pub(super) enum Do {
    /// REVERT without data.
    Revert,
    /// CALL, whatever comes of it.
    Call(Address, U256, Vec<u8>),
    /// CALL; reverts if it fails.
    Must(Address, U256, Vec<u8>),
    /// CALL; reverts if it succeeds.
    Fail(Address, U256, Vec<u8>),
    /// STATICCALL, whatever comes of it.
    Static(Address, Vec<u8>),
    /// DELEGATECALL, whatever comes of it.
    Delegate(Address, Vec<u8>),
    /// CALLCODE, whatever comes of it.
    CallCode(Address, Vec<u8>),
    /// SELFDESTRUCT.
    Destroy(Address),
    /// CREATE.
    Create(U256, Vec<u8>),
    /// CREATE2 with the salt 0.
    Create2(U256, Vec<u8>),
    /// SSTORE.
    Store(u64, U256),
    /// LOG1.
    Log(u64, Vec<u8>),
}

/// The input of a [`machine`]: what it does, in order. It gives what the last call returned.
pub(super) fn script(steps: &[Do]) -> Vec<u8> {
    steps.iter().flat_map(step).collect()
}

fn step(step: &Do) -> Vec<u8> {
    let slot = |number: u64| Address::left_padding_from(&number.to_be_bytes());
    let (zero, none, nothing) = (U256::ZERO, Address::ZERO, Vec::new());
    let (op, to, value, data) = match step {
        Do::Revert => (1, &none, &zero, &nothing),
        Do::Call(to, value, data) => (2, to, value, data),
        Do::Must(to, value, data) => (3, to, value, data),
        Do::Static(to, data) => (4, to, &zero, data),
        Do::Delegate(to, data) => (5, to, &zero, data),
        Do::Fail(to, value, data) => (6, to, value, data),
        Do::Destroy(to) => (7, to, &zero, &nothing),
        Do::Create(value, data) => (8, &none, value, data),
        Do::Create2(value, data) => (9, &none, value, data),
        Do::Store(at, value) => (10, &slot(*at), value, &nothing),
        Do::Log(topic, data) => (11, &slot(*topic), &zero, data),
        Do::CallCode(to, data) => (12, to, &zero, data),
    };
    let length = u16::try_from(data.len()).expect("short").to_be_bytes();
    [&[op], to.as_slice(), &value.to_be_bytes::<32>(), &length, data].concat()
}

/// The contract. Its stack between steps: position in the input.
pub(super) fn machine() -> Vec<u8> {
    let to =
        |asm: Asm, position: u8| asm.ops(&[0x7f + position]).push(U256::from(1)).ops(&[0x01, 0x35, 0x60, 96, 0x1c]);
    let value = |asm: Asm, position: u8| asm.ops(&[0x7f + position]).push(U256::from(21)).ops(&[0x01, 0x35]);
    let goto = |asm: Asm, label| asm.push_label(label).ops(&[0x56]);
    // op on top: jump if it is `number`.
    let on = |asm: Asm, number: u8, label| asm.ops(&[0x80, 0x60, number, 0x14]).push_label(label).ops(&[0x57]);
    // position op length on the stack; with length, op is second.
    let on_second = |asm: Asm, number: u8, label| asm.ops(&[0x81, 0x60, number, 0x14]).push_label(label).ops(&[0x57]);
    let in_and_out = [0x60, 0, 0x60, 0, 0x82, 0x60, 0];

    let asm = Asm::default().push(U256::ZERO).label("next");
    let asm = asm.ops(&[0x80, 0x35, 0x60, 0, 0x1a]);
    let asm = asm.ops(&[0x80, 0x15]).push_label("end").ops(&[0x57]);
    let asm = on(on(asm, 1, "revert"), 7, "destroy");
    let asm = asm.ops(&[0x81, 0x60, 53, 0x01, 0x35, 0x60, 240, 0x1c]);
    let asm = asm.ops(&[0x80, 0x83, 0x60, 55, 0x01, 0x60, 0, 0x37]);
    let asm =
        [(4, "static"), (5, "delegate"), (8, "create"), (9, "create2"), (10, "store"), (11, "log"), (12, "callcode")]
            .into_iter()
            .fold(asm, |asm, (number, label)| on_second(asm, number, label));
    let asm = goto(to(value(asm.ops(&in_and_out), 7), 8).ops(&[0x5a, 0xf1]), "after");
    let asm = goto(to(value(asm.label("callcode").ops(&in_and_out), 7), 8).ops(&[0x5a, 0xf2]), "after");
    let asm = goto(to(asm.label("static").ops(&in_and_out), 7).ops(&[0x5a, 0xfa]), "after");
    let asm = goto(to(asm.label("delegate").ops(&in_and_out), 7).ops(&[0x5a, 0xf4]), "after");
    let asm = goto(value(asm.label("create").ops(&[0x80, 0x60, 0]), 5).ops(&[0xf0]), "after");
    let asm = goto(value(asm.label("create2").ops(&[0x60, 0, 0x81, 0x60, 0]), 6).ops(&[0xf5]), "after");
    let asm = goto(to(value(asm.label("store"), 3), 4).ops(&[0x55, 0x60, 1]), "after");
    let asm = goto(to(asm.label("log"), 3).ops(&[0x81, 0x60, 0, 0xa1, 0x60, 1]), "after");
    // position op length ok
    let asm = asm.label("after").ops(&[0x82, 0x60, 3, 0x14, 0x81, 0x15, 0x16]).push_label("revert").ops(&[0x57]);
    let asm = asm.ops(&[0x82, 0x60, 6, 0x14, 0x81, 0x16]).push_label("revert").ops(&[0x57]);
    let asm = goto(asm.ops(&[0x50, 0x90, 0x50, 0x01, 0x60, 55, 0x01]), "next");
    let asm = asm.label("end").ops(&[0x3d, 0x60, 0, 0x60, 0, 0x3e, 0x3d, 0x60, 0, 0xf3]);
    let asm = asm.label("revert").ops(&[0x60, 0, 0x60, 0, 0xfd]);
    to(asm.label("destroy").ops(&[0x50]), 1).ops(&[0xff]).done()
}
