use super::super::testing::on_ifma;

on_ifma! { products sums comparisons forms lanes settled }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::testing::*;
    use super::super::Fp;
    use crate::bls::row::Row;
    use num_bigint::BigUint;

    /// Pairs of hard numbers of these bounds.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn pairs(bounds: &[(u64, u64)], check: impl Fn(&Fp, &Fp, &[BigUint; 8], &[BigUint; 8])) {
        let rng = &mut rng(1);
        for &(left, right) in bounds {
            let (left, right) = (vectors(&hard_limbs(rng, left), left), hard_limbs(rng, right).len());
            let others = vectors(&hard_limbs(rng, bounds[0].1.max(1)), bounds[0].1.max(1));
            assert!(right > 0);
            for (a, _) in &left {
                for (b, _) in &others {
                    check(a, b, &values(a), &values(b));
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn agree(got: &Fp, expected: impl Fn(usize) -> BigUint) {
        for (lane, got) in values(got).iter().enumerate() {
            assert_eq!(*got, expected(lane) % p(), "lane {lane}");
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn products() {
        for bound in [1, 3, 64, 512] {
            pairs(&[(bound, bound)], |a, b, x, y| {
                agree(&a.mul(b), |i| &x[i] * &y[i]);
                agree(&a.sqr(), |i| &x[i] * &x[i]);
                let (ab, aa) = (a.wide_mul(b), a.wide_sqr());
                agree(&ab.add(&aa).reduce(), |i| &x[i] * (&y[i] + &x[i]));
                let difference = ab.sub(&aa).sub(&aa);
                agree(&difference.reduce_signed(), |i| &x[i] * (&y[i] + p() * 2u8 - &x[i] * 2u8));
                let many = ab.add(&ab).add(&ab.add(&ab)).add(&ab.add(&ab).add(&ab.add(&ab)));
                agree(&many.add(&many).add(&many).reduce(), |i| &x[i] * &y[i] * 24u8);
                agree(&ab.sub(&many).sub(&many).reduce_signed(), |i| (p() * 15u8 - &x[i] * 15u8) * &y[i]);
            });
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sums() {
        pairs(&[(64, 64)], |a, b, x, y| {
            agree(&a.add(b), |i| &x[i] + &y[i]);
            agree(&a.sub::<64>(b), |i| &x[i] + p() - &y[i]);
            agree(&a.neg::<64>(), |i| p() - &x[i]);
            agree(&a.shl::<1>(), |i| &x[i] * 2u8);
            agree(&a.shl::<3>(), |i| &x[i] * 8u8);
            agree(&a.triple(), |i| &x[i] * 3u8);
            agree(&a.select(0b1010_0110, b), |i| [&x[i], &y[i]][0b1010_0110 >> i & 1].clone());
            agree(&a.neg_where::<64>(0b11), |i| if i < 2 { p() - &x[i] } else { x[i].clone() });
        });
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn comparisons() {
        let mask = |of: &dyn Fn(usize) -> bool| (0..8).fold(0u8, |mask, i| mask | u8::from(of(i)) << i);
        pairs(&[(64, 64)], |a, b, x, y| {
            assert_eq!(a.is_zero(), mask(&|i| x[i] == BigUint::default()));
            assert_eq!(a.equals(b), mask(&|i| x[i] == y[i]));
            assert_eq!(a.equals(a), 255);
            assert_eq!(a.add(b).canonical().equals(&b.add(a).canonical()), 255);
            assert_eq!(a.is_odd(), mask(&|i| x[i].bit(0)));
            assert_eq!(a.is_large(), mask(&|i| &x[i] * 2u8 > p()));
        });
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn forms() {
        pairs(&[(512, 1)], |a, _, x, _| {
            let canonical = a.canonical();
            agree(&canonical, |i| x[i].clone());
            assert!(canonical.rows().iter().all(|row| number(&row.0) < p()));
            for (i, words) in a.plain().to_words().iter().enumerate() {
                assert_eq!(words.iter().rev().fold(BigUint::default(), |sum, word| (sum << 64) + *word), x[i]);
            }
            let blst = a.to_blst();
            agree(&Fp::from_blst(&blst), |i| x[i].clone());
            for (i, number) in blst.iter().enumerate() {
                let mut bytes = [0; 48];
                // SAFETY: 48 bytes of room.
                unsafe { blst::blst_bendian_from_fp(bytes.as_mut_ptr(), number) };
                assert_eq!(BigUint::from_bytes_be(&bytes), x[i]);
            }
        });
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn lanes() {
        let rng = &mut rng(2);
        let a = random(rng);
        let rows: [Row; 8] = a.store();
        assert_eq!(Fp::load(rows.each_ref()).store(), rows);
        let x = values(&a);
        agree(&a.swap_lanes::<1>(), |i| x[i ^ 1].clone());
        agree(&a.swap_lanes::<2>(), |i| x[i ^ 2].clone());
        agree(&a.swap_lanes::<4>(), |i| x[i ^ 4].clone());
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn settled() {
        let rng = &mut rng(13);
        let products: Vec<Fp> = vectors(&hard_limbs(rng, 2), 2).into_iter().map(|(a, _)| a).collect();
        let numbers: Vec<Fp> = vectors(&hard_limbs(rng, 3), 3).into_iter().map(|(a, _)| a).collect();
        for a in &products {
            for (i, b) in numbers.iter().enumerate() {
                let c = &numbers[(i * 5 + 2) % numbers.len()];
                let (x, y, z) = (values(a), values(b), values(c));
                let difference = a.less_both(b, c);
                agree(&difference, |i| &x[i] + p() * 2u8 - &y[i] - &z[i]);
                assert!(difference.rows().iter().all(|row| number(&row.0) < p() * 3u8));
                let difference = b.sub::<3>(c);
                assert_eq!(difference.is_zero() & !difference.may_be_zero(), 0);
                assert_eq!(b.sub::<3>(b).may_be_zero(), 255);
            }
        }
    }
}
