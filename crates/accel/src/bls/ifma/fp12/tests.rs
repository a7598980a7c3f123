use super::super::testing::on_ifma;

on_ifma! { like_blst lines units }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::fp2::Fp2;
    use super::super::super::fp6::Fp6;
    use super::super::super::gt::make_units;
    use super::super::super::testing::*;
    use super::super::{Fp12, Line};
    use crate::bls::library::{multiply, square};
    use crate::bls::row::Row12;
    use blst::{blst_fp6, blst_fp12, blst_fp12_is_equal};
    use rand_chacha::ChaCha20Rng;

    fn equal(got: &[blst_fp12; 8], right: impl Fn(usize) -> blst_fp12) {
        for (lane, got) in got.iter().enumerate() {
            // SAFETY: numbers of blst.
            assert!(unsafe { blst_fp12_is_equal(got, &right(lane)) }, "lane {lane}");
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn random6(rng: &mut ChaCha20Rng) -> Fp6 {
        Fp6 { c0: random2(rng), c1: random2(rng), c2: random2(rng) }
    }

    /// Random numbers, and numbers of hard limbs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn numbers(rng: &mut ChaCha20Rng) -> Vec<Fp12> {
        let mut all: Vec<Fp12> = (0..6).map(|_| Fp12 { c0: random6(rng), c1: random6(rng) }).collect();
        let hard: Vec<_> = vectors(&hard_limbs(rng, 3), 3).into_iter().map(|(a, _)| a).collect();
        for i in 0..hard.len() {
            let part = |j: usize| Fp2 { c0: hard[(i + j) % hard.len()], c1: hard[(i * j + 1) % hard.len()] };
            let six = |j: usize| Fp6 { c0: part(j), c1: part(j + 1), c2: part(j + 2) };
            all.push(Fp12 { c0: six(0), c1: six(4) });
        }
        all
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn like_blst() {
        let rng = &mut rng(16);
        let all = numbers(rng);
        for (i, a) in all.iter().enumerate() {
            let b = &all[(i * 3 + 1) % all.len()];
            let (x, y) = (a.to_blst(), b.to_blst());
            equal(&a.mul(b).to_blst(), |i| multiply(&x[i], &y[i]));
            let unit = |x: &Fp12| Fp12 { c0: Fp12::one().c0, c1: x.c1 };
            let (s, t) = (unit(a).to_blst(), unit(b).to_blst());
            equal(&Fp12::mul_units(&a.c1, &b.c1).to_blst(), |i| multiply(&s[i], &t[i]));
            equal(&a.sqr().to_blst(), |i| square(&x[i]));
            equal(&a.sqr().mul(b).sqr().to_blst(), |i| square(&multiply(&square(&x[i]), &y[i])));
            equal(&a.conjugate_where(0b10).to_blst(), |i| {
                let mut number = x[i];
                if i == 1 {
                    crate::bls::library::conjugate(&mut number);
                }
                number
            });
            assert!(x.iter().zip(a.store()).all(|(x, row)| Row12::from_blst(x).to_blst() == *x && row.to_blst() == *x));
            equal(&Fp12::load(a.store().each_ref()).to_blst(), |i| x[i]);
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn units() {
        let rng = &mut rng(21);
        for all in numbers(rng).chunks(3) {
            let mut units = all.to_vec();
            make_units(&mut units);
            let rows = |all: &[Fp12]| all.iter().map(|a| a.store()).collect::<Vec<_>>();
            if all.iter().any(|a| a.to_blst().iter().any(|lane| lane.fp6[0] == blst_fp6::default())) {
                assert_eq!(rows(&units), rows(all), "one cannot be divided");
                continue;
            }
            for (a, unit) in all.iter().zip(&units) {
                let (x, unit) = (a.to_blst(), unit.to_blst());
                let first = |i: usize| blst_fp12 { fp6: [x[i].fp6[0], blst_fp6::default()] };
                assert!(unit.iter().all(|lane| lane.fp6[0] == crate::bls::library::one().fp6[0]));
                equal(&std::array::from_fn(|i| multiply(&unit[i], &first(i))), |i| x[i]);
            }
        }
        let mut zero = [numbers(rng)[0]];
        zero[0].c0 = zero[0].c0.mul(&Fp6 { c0: Fp2::zero(), c1: Fp2::zero(), c2: Fp2::zero() });
        let before = zero[0].store();
        make_units(&mut zero);
        assert_eq!(zero[0].store(), before);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn lines() {
        let rng = &mut rng(17);
        let all = numbers(rng);
        for (i, a) in all.iter().enumerate() {
            let other = &all[(i + 1) % all.len()].c0;
            let line = Line { c0: other.c0, c1: other.c1, c4: other.c2.triple() };
            let (x, c0, c1, c4) = (a.to_blst(), line.c0.to_blst(), line.c1.to_blst(), line.c4.to_blst());
            equal(&a.mul_line(&line).to_blst(), |i| {
                let zero = blst::blst_fp2::default();
                let low = blst_fp6 { fp2: [c0[i], c1[i], zero] };
                multiply(&x[i], &blst_fp12 { fp6: [low, blst_fp6 { fp2: [zero, c4[i], zero] }] })
            });
        }
    }
}
