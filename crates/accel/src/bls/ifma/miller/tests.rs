use super::super::testing::on_ifma;

on_ifma! { like_blst }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::fp12::Fp12;
    use super::super::super::gt::make_units;
    use super::super::super::testing::{p1, p2, p2_affine, rng};
    use super::super::super::{miller_product, product};
    use crate::bls::library::{self, exponentiates_to_one, multiply};
    use crate::bls::plain::Plain;
    use crate::bls::row::Row12;
    use crate::bls::{Maths, library::conjugate};
    use blst::{blst_fp12, blst_p1_affine, blst_p2_affine};
    use rand_chacha::rand_core::RngCore;

    fn same(a: &blst_fp12, b: &blst_fp12) -> bool {
        let mut inverse = *b;
        conjugate(&mut inverse);
        exponentiates_to_one(&multiply(a, &inverse))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn like_blst() {
        let rng = &mut rng(18);
        let pairs: Vec<(blst_p1_affine, blst_p2_affine)> =
            (0..19).map(|_| (p1(rng.next_u64()), p2_affine(&p2(rng.next_u64())))).collect();
        for count in [1, 2, 7, 8, 9, 19] {
            let (got, right) = (miller_product(&pairs[..count]), library::miller_product(&pairs[..count]));
            assert!(same(&got, &right), "{count}");
            assert!(!same(&got, &library::one()));
        }
        let values: Vec<Row12> = pairs.iter().map(|(p, q)| Row12::from_blst(&library::miller(p, q))).collect();
        let lane = |eight: &[Row12], i: usize| eight[i.min(eight.len() - 1)];
        let eights =
            values.chunks(8).map(|eight| Fp12::load(std::array::from_fn::<_, 8, _>(|i| lane(eight, i)).each_ref()));
        let mut units: Vec<Fp12> = eights.collect();
        make_units(&mut units);
        let units: Vec<Row12> = units.iter().flat_map(|eight| eight.store()).take(values.len()).collect();
        for most in [1u32, 2, 255, 5_100, 65_535] {
            let powers: Vec<u16> = values.iter().map(|_| (rng.next_u32() % (most + 1)) as u16).collect();
            let right = Plain.product(&values, &powers);
            assert!(same(&product(&values, &powers), &right), "{most}");
            assert!(same(&product(&units, &powers), &right), "{most}");
            let mixed = [&units[..9], &values[9..]].concat();
            assert!(same(&product(&mixed, &powers), &right), "{most}");
        }
        assert!(same(&product(&values, &[0; 19]), &library::one()));
    }
}
