//! Field and order arithmetic against num-bigint.

use super::cards::on_all;
use crate::gpu::wgpu::trial::{Operation, Question, ask};
use crate::secp::order::N;
use crate::testing::{big, edges, numbers, power, words};
use num_bigint::BigUint;

const P: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];

fn expected(&(operation, a, b): &Question) -> BigUint {
    let (p, n, one) = (big(&P), big(&N), BigUint::from(1u8));
    let (a, b) = (big(&a), big(&b));
    match operation {
        Operation::FieldMul => a * b % p,
        Operation::FieldSqr => &a * &a % p,
        Operation::FieldAdd => (a + b) % p,
        Operation::FieldSub => (a + &p + &p - b) % p,
        Operation::FieldTwice => (&a + &a) % p,
        Operation::FieldHalf => a * ((&p + one) >> 1) % p,
        Operation::FieldInvert => a.modpow(&(&p - 2u8), &p),
        Operation::FieldSqrt => a.modpow(&((&p + one) >> 2), &p),
        Operation::OrderMul => a * b % n,
        Operation::OrderSqr => &a * &a % n,
        Operation::OrderAdd => (a + b) % n,
        Operation::OrderNegative => (&n - a) % &n,
        Operation::OrderInvert => a.modpow(&(&n - 2u8), &n),
        Operation::OrderReduce => a % n,
    }
}

fn check(questions: &[Question]) {
    let expected: Vec<_> = questions.iter().map(|question| words(&expected(question))).collect();
    on_all(|card, arithmetic| {
        let answers = ask(card, arithmetic, questions).expect("answers");
        for (i, question) in questions.iter().enumerate() {
            assert_eq!(answers[i], expected[i], "{question:x?} with {arithmetic:?}");
        }
    });
}

/// Every number with others that are far from it in the list.
fn pairs(operations: &[Operation], numbers: &[[u64; 4]]) -> Vec<Question> {
    let mut questions = vec![];
    for (i, a) in numbers.iter().enumerate() {
        for step in [0, 1, 7, 31, 97] {
            let b = numbers[(i + step) % numbers.len()];
            questions.extend(operations.iter().map(|operation| (*operation, *a, b)));
        }
    }
    questions
}

fn below_n(numbers: Vec<[u64; 4]>) -> Vec<[u64; 4]> {
    numbers.into_iter().map(|number| words(&(big(&number) % big(&N)))).collect()
}

/// Sums, products and differences that reach p or 2^256 by a little, or miss them by a little: the last carries.
fn brinks() -> Vec<Question> {
    let (end, p) = (power(256), big(&P));
    let mut questions = vec![];
    for near in 0..20u32 {
        for far in [0u32, 1, 2, 976, 977, 978, 1954, 5000] {
            let a = &end - 1u8 - near;
            let fold = BigUint::from(1u64 << 32) + far;
            for b in [&p - near, &end - 1u8 - far, fold.clone(), BigUint::from(near), &fold + &fold] {
                let (a, b) = (words(&a), words(&b));
                questions
                    .extend([Operation::FieldAdd, Operation::FieldSub, Operation::FieldMul].map(|what| (what, a, b)));
                questions.extend(
                    [Operation::FieldSub, Operation::FieldTwice, Operation::FieldHalf].map(|what| (what, b, a)),
                );
            }
        }
    }
    questions
}

/// Pairs whose product is just below or above a multiple of 2^256: what is folded down carries through every word.
fn carrying_products() -> Vec<Question> {
    let end = power(256);
    let mut questions = vec![];
    for a in edges(P).iter().filter(|a| a[3] != 0) {
        for multiple in [1u64, 2, 977, u64::MAX] {
            let b = &end * multiple / big(a);
            for b in [b.clone(), &b + 1u8, &end - 1u8 - &b % 1000u32] {
                if b < end {
                    questions.push((Operation::FieldMul, *a, words(&b)));
                }
            }
        }
    }
    questions
}

#[test]
fn field_arithmetic_is_right() {
    use Operation::{FieldAdd, FieldHalf, FieldMul, FieldSqr, FieldSub, FieldTwice};
    let numbers = numbers(P, 41, 400);
    check(&pairs(&[FieldMul, FieldSqr, FieldAdd, FieldSub, FieldTwice, FieldHalf], &numbers));
    check(&brinks());
    check(&carrying_products());
}

#[test]
fn order_arithmetic_is_right() {
    use Operation::{OrderAdd, OrderMul, OrderNegative, OrderReduce, OrderSqr};
    let numbers = numbers(N, 42, 400);
    check(&pairs(&[OrderReduce], &numbers));
    check(&pairs(&[OrderMul, OrderSqr, OrderAdd, OrderNegative], &below_n(numbers)));
}

#[test]
fn powers_are_right() {
    let numbers = numbers(P, 43, 100);
    let one = |operation| move |number: &[u64; 4]| (operation, *number, [0; 4]);
    let mut questions: Vec<Question> = numbers.iter().map(one(Operation::FieldInvert)).collect();
    questions.extend(numbers.iter().map(one(Operation::FieldSqrt)));
    questions.extend(below_n(numbers).iter().map(one(Operation::OrderInvert)));
    check(&questions);
}
