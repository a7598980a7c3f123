//! Square roots, and inverses of many elements from one.

use crate::field::Field;

#[inline(always)]
fn square_times<F: Field>(mut a: F, times: usize) -> F {
    for _ in 0..times {
        a = a.sqr();
    }
    a
}

/// `a^((p + 1) / 4)`, 253S + 13M: a square root of `a` if there is one. The exponent is 223 ones, a zero, 22 ones, and
/// 00001100; `aN` below is `a^(2^N - 1)`.
#[inline(always)]
pub(crate) fn sqrt_candidate<F: Field>(a: F) -> F {
    let a2 = a.sqr().mul(a);
    let a3 = a2.sqr().mul(a);
    let a6 = square_times(a3, 3).mul(a3);
    let a9 = square_times(a6, 3).mul(a3);
    let a11 = square_times(a9, 2).mul(a2);
    let a22 = square_times(a11, 11).mul(a11);
    let a44 = square_times(a22, 22).mul(a22);
    let a88 = square_times(a44, 44).mul(a44);
    let a176 = square_times(a88, 88).mul(a88);
    let a220 = square_times(a176, 44).mul(a44);
    let a223 = square_times(a220, 3).mul(a3);
    square_times(square_times(square_times(a223, 23).mul(a22), 6).mul(a2), 2)
}

/// The product of all elements; `prefix[i]` becomes the product of those before `i`.
#[inline(always)]
pub(crate) fn multiply_chain<F: Field>(elements: &[F], prefix: &mut [F]) -> F {
    assert_eq!(elements.len(), prefix.len());
    let mut product = F::splat([1, 0, 0, 0]);
    for (element, prefix) in elements.iter().zip(prefix.iter_mut()) {
        *prefix = product;
        product = product.mul(*element);
    }
    product
}

/// Walks back over a [`multiply_chain`], from the last element to the first, and gives the inverse of each.
pub(crate) struct InverseChain<F>(F);

impl<F: Field> InverseChain<F> {
    /// `product` is what `multiply_chain` returned. If a lane is 0 there, all lanes are worth nothing.
    #[inline(always)]
    pub(crate) fn new(product: F) -> Self {
        Self(product.invert())
    }

    /// The inverse of `element`, given the product of those before it.
    #[inline(always)]
    pub(crate) fn next(&mut self, element: F, prefix: F) -> F {
        let inverse = self.0.mul(prefix);
        self.0 = self.0.mul(element);
        inverse
    }
}

/// Replaces every element by its inverse; 3M an element and one inversion. `prefix` is scratch of the same length.
/// No element may be 0 in any lane: then all lanes would be worth nothing.
#[inline(always)]
pub(crate) fn invert_all<F: Field>(elements: &mut [F], prefix: &mut [F]) {
    let mut chain = InverseChain::new(multiply_chain(elements, prefix));
    for (element, prefix) in elements.iter_mut().zip(prefix.iter()).rev() {
        *element = chain.next(*element, *prefix);
    }
}
