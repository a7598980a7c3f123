//! Every program against blst, by the machine that judges them.

use super::machine::{self, Item};
use super::program::{CONSTANTS, INSTRUCTION, Program, op};
use super::programs::*;
use super::*;
use crate::bls::library;
use crate::gpu::checkpoint::{each, tree};
use crate::gpu::post::{Post, SET_UP};
use blst::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TAG: &[u8] = b"A-TAG-OF-TESTS";

fn dice() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(381)
}

fn run(routine: &Routine, inputs: &[Vec<u32>]) -> Vec<Vec<u32>> {
    inputs.iter().for_each(|input| assert_eq!(input.len(), routine.input));
    let drawn = Drawn::new(inputs.len());
    let rows = drawn.behind(&inputs.concat(), routine);
    let rows: Vec<Vec<u32>> = rows.chunks_exact(routine.input_row()).map(<[u32]>::to_vec).collect();
    let mut items = vec![Item::new(routine.program.registers, routine.answer_row()); inputs.len()];
    machine::run(&routine.program, &mut items, inputs.len(), 0, &rows);
    let answers: Vec<u32> = items.into_iter().flat_map(|item| item.answer).collect();
    let answers = drawn.of_each(&answers, routine).expect("of these rows");
    answers.chunks_exact(routine.answer).map(<[u32]>::to_vec).collect()
}

fn words_of_fp2(number: &blst_fp2) -> Vec<u32> {
    number.fp.iter().flat_map(words_of).collect()
}

fn random_g1(dice: &mut ChaCha8Rng) -> blst_p1_affine {
    let (mut point, mut affine) = (blst_p1::default(), blst_p1_affine::default());
    let scalar: [u8; 32] = dice.random();
    // SAFETY: 32 bytes, points of blst.
    unsafe {
        blst_p1_mult(&mut point, blst_p1_generator(), scalar.as_ptr(), 255);
        blst_p1_to_affine(&mut affine, &point);
    }
    affine
}

fn messages(dice: &mut ChaCha8Rng, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|at| (0..at * 7).map(|_| dice.random()).collect()).collect()
}

/// Equal after the final exponentiation.
fn assert_same_pairing(a: &blst_fp12, b: &blst_fp12) {
    let exponentiated = |value: &blst_fp12| {
        let mut result = blst_fp12::default();
        // SAFETY: numbers of blst.
        unsafe { blst_final_exp(&mut result, value) };
        result
    };
    assert_eq!(exponentiated(a), exponentiated(b));
}

#[test]
fn hashes_to_g2() {
    let messages = messages(&mut dice(), 12);
    let inputs: Vec<_> = messages.iter().map(|message| expanded(message, TAG).to_vec()).collect();
    for (message, answer) in messages.iter().zip(run(&HASH, &inputs)) {
        let right = library::hash_to_g2(message, TAG);
        assert_eq!((fp2_of(&answer), fp2_of(&answer[24..]), answer[48]), (right.x, right.y, 0));
    }
    // u = 0 is the one number that the map treats apart.
    let mut answers = run(&HASH, &[vec![0; HASH.input]]);
    assert_eq!(answers.pop().expect("one")[48], 1, "twice the same point: not to tell");
}

#[test]
fn miller_loops() {
    let dice = &mut dice();
    let (keys, messages): (Vec<_>, _) = ((0..6).map(|_| random_g1(dice)).collect(), messages(dice, 6));
    let points: Vec<_> = messages.iter().map(|message| library::hash_to_g2(message, TAG)).collect();
    let words = |key: &blst_p1_affine| [words_of(&key.x), words_of(&key.y)].concat();
    let given: Vec<Vec<u32>> = keys
        .iter()
        .zip(&points)
        .map(|(key, q)| [words(key), words_of_fp2(&q.x), words_of_fp2(&q.y)].concat())
        .collect();
    let hashed: Vec<Vec<u32>> =
        keys.iter().zip(&messages).map(|(key, m)| [words(key), expanded(m, TAG).to_vec()].concat()).collect();
    let answers = run(&MILLER, &given).into_iter().zip(run(&MILLER_OF_HASH, &hashed));
    for ((key, point), (one, other)) in keys.iter().zip(&points).zip(answers) {
        let right = library::miller(key, point);
        assert_same_pairing(&fp12_of(&one), &right);
        assert_same_pairing(&fp12_of(&other), &right);
        assert_eq!(other[144], 0);
    }
}

/// Sums by the programs, `counts` items at a time: the first half adds the second until one is left.
fn run_tree(tree: &Tree, inputs: &[Vec<u32>]) -> Vec<u32> {
    let Tree { leaf, join, out } = tree;
    let registers = tree.registers();
    let drawn = Drawn::new(inputs.len());
    let rows = drawn.behind(&inputs.concat(), leaf);
    let rows: Vec<Vec<u32>> = rows.chunks_exact(leaf.input_row()).map(<[u32]>::to_vec).collect();
    let mut items = vec![Item::new(registers, out.answer_row()); inputs.len()];
    machine::run(&leaf.program, &mut items, inputs.len(), 0, &rows);
    let mut count = inputs.len();
    while count > 1 {
        let half = count / 2;
        machine::run(&join.program, &mut items, half, count - half, &[]);
        count -= half;
    }
    machine::run(&out.program, &mut items, 1, 0, &[]);
    drawn.of_all(&items[0].answer, out).expect("of these rows")
}

#[test]
fn products_of_values() {
    let dice = &mut dice();
    for count in [1, 2, 5, 16] {
        let pair = |dice: &mut ChaCha8Rng| {
            let message: [u8; 8] = dice.random();
            library::miller(&random_g1(dice), &library::hash_to_g2(&message, TAG))
        };
        let values: Vec<blst_fp12> = (0..count).map(|_| pair(dice)).collect();
        let powers: Vec<u16> = (0..count).map(|at| if at == 1 { 0 } else { dice.random() }).collect();
        let inputs: Vec<Vec<u32>> = values
            .iter()
            .zip(&powers)
            .map(|(value, power)| [words_of_fp12(value), vec![u32::from(*power)]].concat())
            .collect();
        let answer = run_tree(&VALUES, &inputs);
        let right = values.iter().zip(&powers).fold(library::one(), |product, (value, power)| {
            let power = (0..16).rev().fold(library::one(), |result, bit| {
                let square = library::square(&result);
                if power >> bit & 1 == 1 { library::multiply(&square, value) } else { square }
            });
            library::multiply(&product, &power)
        });
        assert_eq!(fp12_of(&answer), right, "{count} values");
    }
}

/// The cost of each program, as the README of the kernels has it.
#[test]
fn sizes() {
    let all = [
        ("HASH", &*HASH),
        ("MILLER", &*MILLER),
        ("MILLER_OF_HASH", &*MILLER_OF_HASH),
        ("SIGNATURE", &*SIGNATURE),
        ("VALUES", &VALUES.leaf),
        ("VALUES, join", &VALUES.join),
    ];
    for (name, routine) in all {
        let cost = routine.program.cost();
        let (read, written) = traffic(&routine.program);
        eprintln!("{name}: {cost:?}, {} registers, {read} read and {written} written", routine.program.registers);
        assert!(routine.program.registers < 160 && cost.reductions > 0);
    }
}

/// How many registers an item reads and writes.
fn traffic(program: &Program) -> (usize, usize) {
    program.code.chunks_exact(INSTRUCTION).fold((0, 0), |(read, written), words| {
        let operands = match words[0] & 0xff {
            op::SUM => 2 * (words[0] >> 8 & 0xff) as usize,
            op::ADD | op::SUB => 2,
            op::SQUARES | op::SELECT | op::MOVE | op::NEIGHBOUR => 1,
            op::OUTPUT | op::ZERO | op::ODD | op::LARGE => 1,
            _ => 0,
        };
        let halves = words[2..].iter().flat_map(|pair| [pair & 0xffff, pair >> 16]);
        let registers = halves.take(operands).filter(|operand| *operand < CONSTANTS).count();
        (read + registers, written + usize::from(words[0] & 0xff <= op::INPUT))
    })
}

#[test]
fn signatures() {
    let dice = &mut dice();
    let mut compressed: Vec<[u8; 96]> =
        messages(dice, 8).iter().map(|message| library::compress(&library::hash_to_g2(message, TAG))).collect();
    // The other y; x that no point has, or a point outside of the subgroup.
    let mut other = compressed[0];
    other[0] ^= 0x20;
    compressed.push(other);
    for _ in 0..8 {
        let mut random = compressed[0];
        dice.fill(&mut random[1..]);
        // Below p.
        (random[0], random[48]) = (0x81, 1);
        compressed.push(random);
    }
    let asked: Vec<Evidence> = compressed.iter().filter_map(Evidence::asked).collect();
    assert_eq!(asked.len(), compressed.len());
    let answers = run(&SIGNATURE, &asked.iter().map(|asked| asked.row().to_vec()).collect::<Vec<_>>());
    for (at, ((bytes, asked), answer)) in compressed.iter().zip(&asked).zip(&answers).enumerate() {
        let right = vigil_crypto::bls::Signature::from_bytes(bytes).ok().map(blst_p2_affine::from);
        assert_eq!(right.is_some(), at < 9);
        assert_eq!(asked.point(answer), right, "signature {at}");
        // Nothing that a card says wrong passes.
        for word in 0..answer.len() {
            let mut wrong = answer.clone();
            wrong[word] ^= 1 << (word % 28);
            assert_eq!(asked.point(&wrong), None, "signature {at}, word {word}");
        }
        let another = &answers[(at + 1) % answers.len()];
        assert_eq!(asked.point(another), None);
    }
    for first in [0x00, 0xc0, 0x40, 0xff] {
        let mut bytes = compressed[0];
        bytes[0] = first;
        assert_eq!(Evidence::asked(&bytes), None, "{first:#x}");
    }
}

/// Every instruction on random numbers and on those that carry far, by cards and by the judge.
#[test]
fn cards_run_programs_as_the_judge_does() {
    let routine: &'static Routine = Box::leak(Box::new(instructions()));
    let dice = &mut dice();
    let inputs: Vec<Vec<u32>> = numbers(dice).chunks_exact(2).map(|pair| [pair[0], pair[1]].concat()).collect();
    let inputs: Vec<Vec<u32>> = inputs.into_iter().map(|row| [row, vec![dice.random()]].concat()).collect();
    let right = run(routine, &inputs);
    for card in crate::gpu::testing::cards() {
        let post = Post::open(card, SET_UP, usize::MAX).expect("opened");
        let got = each(&post, routine, inputs.concat()).expect("answers");
        for ((got, right), input) in got.chunks_exact(routine.answer).zip(&right).zip(&inputs) {
            let wrong = (0..got.len()).find(|at| got[*at] != right[*at]);
            assert_eq!(wrong, None, "{:?}: a word of the answer for {input:x?}", post.card.info());
        }
    }
}

/// A program with all of them.
fn instructions() -> Routine {
    routine(2 * 12 + 1, 13 * 12 + 8, 0, |of| {
        let (a, b) = (of.input(0), of.input(12));
        let (odd, large, zero) = (a.is_odd(), a.is_large(), (a - b).is_zero());
        let (p, q) = (of.bit(32 * 24), of.bit(32 * 24 + 31));
        let numbers = [
            a * b,
            a * a,
            a + b,
            a - b,
            -a,
            a.squares(5),
            of.sum(&[(a, b), (b, b)], &[(a, a)]),
            of.sum(&[], &[(a, b), (b, b), (a, a), (a, b), (b, b), (a, a)]),
            of.sum(&[(a, b), (b, b), (a, a), (a, b), (b, b), (a, a)], &[]),
            a.where_else(p, b),
            b.where_else(odd, a.double()),
            constants::small(of, 7) * a,
            of.sum(&[(a, constants::shift(of, 0))], &[(b, constants::small(of, 1))]),
        ];
        (0..).step_by(12).zip(numbers).for_each(|(word, number)| number.output(word));
        let flags = [odd, large, zero, p.and(q), p.or(q), p.xor(q), odd.xor(large), large.or(zero)];
        (156..).zip(flags).for_each(|(word, flag)| flag.output(word));
    })
}

/// Below p.
fn numbers(dice: &mut ChaCha8Rng) -> Vec<[u32; NUMBER]> {
    let p = words_of(&blst_fp { l: crate::bls::words::P_WORDS });
    let less = |n: u32| std::array::from_fn(|i| if i == 0 { p[0] - n } else { p[i] });
    let mut edges: Vec<[u32; NUMBER]> = vec![[0; NUMBER], less(1), less(2), less(0xaaab), library::HALF_OF_P];
    for i in 0..NUMBER {
        let mut number = [0; NUMBER];
        number[i] = 1;
        edges.push(number);
        number[..=i].fill(u32::MAX);
        number[11] &= 0x0fff_ffff;
        edges.push(number);
    }
    let mut all: Vec<_> = edges.iter().flat_map(|a| edges.iter().flat_map(move |b| [*a, *b])).collect();
    for _ in 0..2_000 {
        let mut number: [u32; NUMBER] = dice.random();
        number[11] &= 0x0fff_ffff;
        all.push(number);
    }
    all
}

/// The programs of `checkpoint`, some times over: what a card does at once must not depend on what it did before.
#[test]
fn cards_run_the_programs_of_checkpoints() {
    let dice = &mut dice();
    let messages = messages(dice, 9);
    let rows: Vec<Vec<u32>> = messages
        .iter()
        .map(|message| {
            let key = random_g1(dice);
            [&words_of(&key.x)[..], &words_of(&key.y), &expanded(message, TAG)].concat()
        })
        .collect();
    let values = run(&MILLER_OF_HASH, &rows);
    let powers: Vec<Vec<u32>> =
        values.iter().map(|value| [&value[..144], &[u32::from(dice.random::<u16>())]].concat()).collect();
    for card in crate::gpu::testing::cards() {
        let post = Post::open(card, SET_UP, usize::MAX).expect("opened");
        for count in [1, 2, 3, 5, 8, 9, 8, 3] {
            let got = each(&post, &MILLER_OF_HASH, rows[..count].concat()).expect("answers");
            assert!(got == values[..count].concat(), "{:?}: {count} Miller values", post.card.info());
            let got = tree(&post, &VALUES, powers[..count].concat()).expect("answers");
            let right = run_tree(&VALUES, &powers[..count]);
            assert!(got == [right], "{:?}: a product of {count}", post.card.info());
        }
    }
}
