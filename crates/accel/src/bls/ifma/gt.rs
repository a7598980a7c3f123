//! Products of Miller values, each to a small power, eight at a time. Everything is meant up to factors that the final
//! exponentiation takes out; so the conjugate is the inverse.

use super::buckets::{self, Group, Ref};
use super::fp12::Fp12;
use super::spare::Spare;
use crate::bls::library;
use crate::bls::row::Row12;
use blst::blst_fp12;

static SPARE: Spare<Row12> = Spare::new();

/// Values given, and products of them.
struct Values<'a> {
    given: &'a [Row12],
    products: Vec<Row12>,
}

impl Values<'_> {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_pairs(&mut self, pairs: &[(Ref, Ref)]) {
        for eight in pairs.chunks(8) {
            let pair = |lane: usize| eight[lane.min(eight.len() - 1)];
            let left = self.load(std::array::from_fn(|lane| pair(lane).0));
            let right = self.load(std::array::from_fn(|lane| pair(lane).1));
            let products = left.mul(&right).store();
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
    let mut group = Values { given: values, products };
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
