use super::super::testing::on_ifma;

on_ifma! { inverses roots_in_fp roots_in_fp2 }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::fp::Fp;
    use super::super::super::fp2::Fp2;
    use super::super::super::testing::*;
    use super::super::{inverse_roots, invert, square_roots};

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn inverses() {
        let rng = &mut rng(5);
        for count in [1, 2, 3, 17] {
            let numbers: Vec<Fp> = (0..count).map(|_| random(rng)).collect();
            let mut inverses = numbers.clone();
            invert(&mut inverses);
            for (x, inverse) in numbers.iter().zip(&inverses) {
                assert_eq!(x.mul(inverse).equals(&Fp::one()), 255);
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn roots_in_fp() {
        let rng = &mut rng(6);
        for count in [1, 2, 5] {
            let numbers: Vec<Fp> = (0..count).map(|_| random(rng)).collect();
            let mut roots = numbers.clone();
            inverse_roots(&mut roots);
            for (x, root) in numbers.iter().zip(&roots) {
                let (x, root) = (values(x), values(root));
                for i in 0..8 {
                    assert_eq!(root[i], x[i].modpow(&((p() - 3u8) / 4u8), &p()));
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn roots_in_fp2() {
        let rng = &mut rng(7);
        let mut numbers: Vec<Fp2> = (0..12).map(|_| random2(rng)).collect();
        for _ in 0..4 {
            let (c0, c1) = (random(rng), random(rng));
            numbers.push(Fp2 { c0, c1: Fp::zero() });
            numbers.push(Fp2 { c0: Fp::zero(), c1 });
            numbers.push(Fp2 { c0: c0.select(0b1010, &Fp::zero()), c1: c1.select(0b1100, &Fp::zero()) });
        }
        let squares: Vec<Fp2> = numbers.iter().map(|x| x.sqr()).collect();
        for (square, roots) in squares.iter().zip(square_roots(&squares)) {
            assert_eq!((roots.found, roots.root.sqr().equals(square)), (255, 255));
        }
        // 2 + u is no square, so just one of x and (2 + u) x is, if x is not 0.
        let factor = Fp2 { c0: Fp::one().shl::<1>(), c1: Fp::one() };
        let products: Vec<Fp2> = numbers.iter().map(|x| x.mul(&factor)).collect();
        for (x, (one, other)) in numbers.iter().zip(square_roots(&numbers).iter().zip(square_roots(&products))) {
            assert_eq!(one.found ^ other.found, !x.is_zero());
            assert_eq!(one.found & one.root.sqr().equals(x), one.found);
        }
    }
}
