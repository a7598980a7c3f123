//! The judge of programs: one item after the other, with blst's arithmetic.

use super::program::{INSTRUCTION, NUMBER, Program, op};
use crate::bls::library;
use blst::{blst_fp, blst_fp_add, blst_fp_mul, blst_fp_sub, blst_uint32_from_fp};

type Number = [u32; NUMBER];

/// What of an item stays between programs.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) registers: Vec<Number>,
    pub(crate) answer: Vec<u32>,
}

impl Item {
    pub(crate) fn new(registers: usize, answer: usize) -> Self {
        Self { registers: vec![[0xdead_beef; NUMBER]; registers], answer: vec![0xdead_beef; answer] }
    }
}

fn fp(words: &Number) -> blst_fp {
    blst_fp { l: std::array::from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32) }
}

fn words(number: &blst_fp) -> Number {
    std::array::from_fn(|i| (number.l[i / 2] >> (32 * (i % 2))) as u32)
}

fn call(f: unsafe extern "C" fn(*mut blst_fp, *const blst_fp, *const blst_fp), a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut out = blst_fp::default();
    // SAFETY: numbers of blst.
    unsafe { f(&mut out, a, b) };
    out
}

/// The number itself, out of its Montgomery form.
fn plain(number: &blst_fp) -> Number {
    let mut plain = [0; NUMBER];
    // SAFETY: room for 12 words.
    unsafe { blst_uint32_from_fp(plain.as_mut_ptr(), number) };
    plain
}

fn is_large(number: &Number) -> bool {
    number.iter().rev().gt(library::HALF_OF_P.iter().rev())
}

/// Runs a program on the first `count` items; `inputs` is a row of words an item.
pub(crate) fn run(program: &Program, items: &mut [Item], count: usize, offset: usize, inputs: &[Vec<u32>]) {
    let neighbours: Vec<Vec<Number>> = items.iter().map(|item| item.registers.clone()).collect();
    for (at, item) in items[..count].iter_mut().enumerate() {
        let neighbour = neighbours.get(at + offset).map_or(&[][..], Vec::as_slice);
        let input = inputs.get(at).map_or(&[][..], Vec::as_slice);
        run_one(program, item, neighbour, input);
    }
}

fn run_one(program: &Program, item: &mut Item, neighbour: &[Number], input: &[u32]) {
    let mut flags = 0u32;
    for code in program.code.chunks_exact(INSTRUCTION) {
        let (op, count, to) = (code[0] & 0xff, (code[0] >> 8 & 0xff) as usize, (code[0] >> 16) as usize);
        let (immediate, [a, b]) = (code[1] as usize, [code[2] & 0xffff, code[2] >> 16]);
        let number = |operand: u32| match operand.checked_sub(0x8000) {
            Some(at) => program.constants[at as usize * NUMBER..][..NUMBER].try_into().expect("12 words"),
            None => item.registers[operand as usize],
        };
        let flag = |operand: u32| flags >> operand & 1;
        let set = |flags: &mut u32, value: bool| *flags = *flags & !(1 << to) | u32::from(value) << to;
        let result = match op {
            op::SUM => {
                let terms = code[2..][..count].iter().enumerate();
                let sum = terms.fold(blst_fp::default(), |sum, (i, pair)| {
                    let product = call(blst_fp_mul, &fp(&number(pair & 0xffff)), &fp(&number(pair >> 16)));
                    call(if immediate >> i & 1 == 1 { blst_fp_sub } else { blst_fp_add }, &sum, &product)
                });
                words(&sum)
            }
            op::ADD => words(&call(blst_fp_add, &fp(&number(a)), &fp(&number(b)))),
            op::SUB => words(&call(blst_fp_sub, &fp(&number(a)), &fp(&number(b)))),
            op::SQUARES => words(&(0..immediate).fold(fp(&number(a)), |square, _| call(blst_fp_mul, &square, &square))),
            op::SELECT => number(if flag(immediate as u32) == 1 { a } else { b }),
            op::MOVE => number(a),
            op::NEIGHBOUR => neighbour[a as usize],
            op::INPUT => input[immediate..][..NUMBER].try_into().expect("12 words"),
            op::OUTPUT => {
                let value = number(a);
                item.answer[immediate..][..NUMBER].copy_from_slice(&value);
                continue;
            }
            op::OUTPUT_FLAG => {
                item.answer[immediate] = flag(a);
                continue;
            }
            other => {
                let value = match other {
                    op::ZERO => number(a) == [0; NUMBER],
                    op::ODD => plain(&fp(&number(a)))[0] & 1 == 1,
                    op::LARGE => is_large(&plain(&fp(&number(a)))),
                    op::LOGIC => immediate >> (flag(a) + 2 * flag(b)) & 1 == 1,
                    op::BIT => input[immediate / 32] >> (immediate % 32) & 1 == 1,
                    _ => panic!("no instruction {other}"),
                };
                set(&mut flags, value);
                continue;
            }
        };
        item.registers[to] = result;
    }
}
