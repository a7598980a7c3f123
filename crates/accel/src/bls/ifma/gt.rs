//! Products of Miller values, each to a small power, eight at a time. Everything is meant up to factors that the final
//! exponentiation takes out: numbers of Fp6 among them, so the conjugate is the inverse.

use super::buckets::{self, Group, Ref};
use super::fp::Fp;
use super::fp2::Fp2;
use super::fp6::Fp6;
use super::fp12::Fp12;
use super::power;
use super::spare::Spare;
use crate::bls::library;
use crate::bls::row::Row12;
use blst::blst_fp12;

/// Divides numbers `a + b w` by a, which the final exponentiation takes out: products of numbers `1 + b w` are cheap. Nothing
/// is done if one of these a is 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn make_units(values: &mut [Fp12]) {
    let inverses: Vec<(Fp6, Fp2)> = values.iter().map(|value| value.c0.adjoint()).collect();
    let mut norms: Vec<Fp> = inverses.iter().map(|(_, of_fp2)| of_fp2.norm()).collect();
    if norms.iter().any(|norm| norm.is_zero() != 0) {
        return;
    }
    power::invert(&mut norms);
    for (value, ((adjoint, of_fp2), norm)) in values.iter_mut().zip(inverses.iter().zip(&norms)) {
        let inverse = of_fp2.conjugate::<15>().mul_fp(norm);
        let Fp6 { c0, c1, c2 } = value.c1.mul(adjoint);
        let c1 = Fp6 { c0: c0.mul(&inverse), c1: c1.mul(&inverse), c2: c2.mul(&inverse) };
        *value = Fp12 { c0: Fp12::one().c0, c1 };
    }
}

static SPARE: Spare<Row12> = Spare::new();

/// Values given, and products of them.
struct Values<'a> {
    given: &'a [Row12],
    /// Those given are all `1 + b w`.
    units: bool,
    products: Vec<Row12>,
}

impl Values<'_> {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_pairs(&mut self, pairs: &[(Ref, Ref)]) {
        for eight in pairs.chunks(8) {
            let pair = |lane: usize| eight[lane.min(eight.len() - 1)];
            let left = self.load(std::array::from_fn(|lane| pair(lane).0));
            let right = self.load(std::array::from_fn(|lane| pair(lane).1));
            let are_units = self.units && eight.iter().all(|(a, b)| a.at().max(b.at()) < self.given.len());
            let product = if are_units { Fp12::mul_units(&left.c1, &right.c1) } else { left.mul(&right) };
            let products = product.store();
            self.products.extend_from_slice(&products[..eight.len()]);
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn load(&self, refs: [Ref; 8]) -> Fp12 {
        let values = Fp12::load(refs.map(|value| self.at(value)));
        let inverse = refs.iter().enumerate().fold(0u8, |mask, (i, value)| mask | u8::from(value.is_negative()) << i);
        if inverse == 0 { values } else { values.conjugate_where(inverse) }
    }

    fn at(&self, value: Ref) -> &Row12 {
        let at = value.at();
        self.given.get(at).unwrap_or_else(|| &self.products[at - self.given.len()])
    }

    fn get(&self, value: Ref) -> blst_fp12 {
        let mut number = self.at(value).to_blst();
        if value.is_negative() {
            library::conjugate(&mut number);
        }
        number
    }
}

impl Group for Values<'_> {
    fn len(&self) -> usize {
        self.given.len() + self.products.len()
    }

    fn add_pairs(&mut self, pairs: &[(Ref, Ref)]) -> Vec<usize> {
        // SAFETY: `product` alone makes a value of this type, and has the features.
        unsafe { self.multiply_pairs(pairs) }
        Vec::new()
    }
}

/// As [`crate::bls::Maths::product`].
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn product(values: &[Row12], powers: &[u16]) -> blst_fp12 {
    let mut products = SPARE.take();
    products.reserve(3 * values.len());
    let one = Fp12::one().store()[0];
    let units = values.iter().all(|value| value.0[..3] == one.0[..3]);
    let mut group = Values { given: values, units, products };
    let bits = buckets::weighted_sum(&mut group, powers);
    let mut product = library::one();
    for bit in bits.into_iter().rev() {
        product = library::square(&product);
        if let Some(value) = bit {
            product = library::multiply(&product, &group.get(value));
        }
    }
    SPARE.give_back(group.products);
    product
}
