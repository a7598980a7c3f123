use super::super::testing::on_ifma;

on_ifma! { products halves }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::testing::*;
    use super::super::Fp2;
    use num_bigint::BigUint;

    type Pair = (BigUint, BigUint);

    fn product(a: &Pair, b: &Pair) -> Pair {
        let p = p();
        let low = (&a.0 * &b.0 + (&p * &p - &a.1 * &b.1)) % &p;
        (low, (&a.0 * &b.1 + &a.1 * &b.0) % &p)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn agree(got: &Fp2, expected: impl Fn(usize) -> Pair) {
        for (lane, got) in values2(got).iter().enumerate() {
            let (c0, c1) = expected(lane);
            assert_eq!(*got, (c0 % p(), c1 % p()), "lane {lane}");
        }
    }

    /// Hard halves in all pairs, and products of them.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn products() {
        let rng = &mut rng(3);
        for bound in [3, 32] {
            let halves: Vec<_> = vectors(&hard_limbs(rng, bound), bound).into_iter().map(|(a, _)| a).collect();
            for (i, c0) in halves.iter().enumerate() {
                for c1 in &halves {
                    let a = Fp2 { c0: *c0, c1: *c1 };
                    let b = Fp2 { c0: *c1, c1: halves[(i + 3) % halves.len()] };
                    let (x, y) = (values2(&a), values2(&b));
                    agree(&a.mul(&b), |i| product(&x[i], &y[i]));
                    agree(&a.sqr(), |i| product(&x[i], &x[i]));
                    agree(&a.mul_less_mul(&b, &b, &b), |i| {
                        let (ab, bb) = (product(&x[i], &y[i]), product(&y[i], &y[i]));
                        (ab.0 + p() - bb.0, ab.1 + p() - bb.1)
                    });
                    let xi = (BigUint::from(1u8), BigUint::from(1u8));
                    agree(&a.mul_xi::<32>(), |i| product(&x[i], &xi));
                    agree(&a.wide_mul(&b).reduce(), |i| product(&x[i], &y[i]));
                    if bound == 3 {
                        agree(&a.mul_less_8_squares(&b, &b), |i| {
                            let (ab, bb) = (product(&x[i], &y[i]), product(&y[i], &y[i]));
                            (ab.0 + p() * 8u8 - bb.0 * 8u8, ab.1 + p() * 8u8 - bb.1 * 8u8)
                        });
                    }
                    agree(&Fp2 { c0: a.norm(), c1: Fp2::zero().c1 }, |i| {
                        (&x[i].0 * &x[i].0 + &x[i].1 * &x[i].1, BigUint::default())
                    });
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn halves() {
        let rng = &mut rng(4);
        for _ in 0..20 {
            let (a, b) = (random2(rng), random2(rng));
            let (x, y) = (values2(&a), values2(&b));
            agree(&a.add(&b), |i| (&x[i].0 + &y[i].0, &x[i].1 + &y[i].1));
            agree(&a.sub::<4>(&b), |i| (&x[i].0 + p() - &y[i].0, &x[i].1 + p() - &y[i].1));
            agree(&a.conjugate::<4>(), |i| (x[i].0.clone(), p() - &x[i].1));
            agree(&Fp2::load(a.store().each_ref()), |i| x[i].clone());
            agree(&Fp2::from_blst(&a.to_blst()), |i| x[i].clone());
            agree(&a.mul_fp(&b.c0), |i| (&x[i].0 * &y[i].0, &x[i].1 * &y[i].0));
            assert_eq!((a.equals(&a), a.equals(&b)), (255, 0));
            let only_first = Fp2 { c0: a.c0, c1: Fp2::zero().c1 };
            let only_second = Fp2 { c0: Fp2::zero().c0, c1: a.c1 };
            for (i, x) in x.iter().enumerate() {
                let bit = |mask: u8| mask >> i & 1 == 1;
                assert_eq!(bit(a.sgn0()), x.0.bit(0));
                assert_eq!(bit(only_second.sgn0()), x.1.bit(0));
                assert_eq!(bit(a.is_large()), &x.1 * 2u8 > p());
                assert_eq!(bit(only_first.is_large()), &x.0 * 2u8 > p());
            }
        }
    }
}
