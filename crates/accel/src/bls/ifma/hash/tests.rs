use super::super::testing::on_ifma;

on_ifma! { rfc_9380 like_blst exceptional_numbers }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::fp::Fp;
    use super::super::super::fp2::Fp2;
    use super::super::super::testing::{limbs_of, rng};
    use super::super::{clear_cofactor, hash_to_g2, map_to_curve, to_affine};
    use crate::bls::library;
    use crate::bls::words::words;
    use blst::{blst_fp2, blst_map_to_g2, blst_p2, blst_p2_affine, blst_p2_to_affine};
    use num_bigint::BigUint;
    use rand_chacha::rand_core::RngCore;
    use vigil_testkit::vectors;

    const SUITE: &str = "hash-to-curve/BLS12381G2_XMD_SHA-256_SSWU_RO_.json";

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn all(messages: &[Vec<u8>], tag: &[u8]) -> Vec<blst_p2_affine> {
        let hashed = hash_to_g2(messages, tag);
        assert!(hashed.iter().all(|hashed| hashed.unknown == 0));
        let points = hashed.iter().flat_map(|hashed| hashed.point.to_blst());
        points.take(messages.len()).collect()
    }

    fn number(text: &str) -> BigUint {
        BigUint::from_bytes_be(&vectors::unhex(text))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn rfc_9380() {
        let Some(suite) = vectors::json(SUITE) else { return };
        let tag = vectors::string(&suite, "dst").as_bytes();
        for vector in vectors::array(&suite, "vectors") {
            let message = vectors::string(vector, "msg").as_bytes().to_vec();
            let [point] = all(&[message], tag)[..] else { panic!("one point") };
            let right =
                |axis: &str| -> Vec<BigUint> { vectors::string(&vector["P"], axis).split(',').map(number).collect() };
            let halves = |number: blst_fp2| {
                number.fp.map(|half| {
                    let mut bytes = [0; 48];
                    // SAFETY: a number of blst and 48 bytes of room.
                    unsafe { blst::blst_bendian_from_fp(bytes.as_mut_ptr(), &half) };
                    BigUint::from_bytes_be(&bytes)
                })
            };
            assert_eq!((halves(point.x).to_vec(), halves(point.y).to_vec()), (right("x"), right("y")));
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn like_blst() {
        let rng = &mut rng(19);
        let tag = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_AUG_";
        let messages: Vec<Vec<u8>> = (0..150usize)
            .map(|len| {
                let mut message = vec![0; len * len % 211];
                rng.fill_bytes(&mut message);
                message
            })
            .collect();
        for count in [1, 2, 8, 9, 150] {
            let points = all(&messages[..count], tag);
            let right = messages.iter().map(|message| library::hash_to_g2(message, tag));
            assert!(points.iter().zip(right).all(|(got, right)| *got == right));
        }
    }

    /// Numbers for which a step of the map is exceptional, and small ones.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn exceptional_numbers() {
        let p = super::super::super::testing::p();
        let mut halves: Vec<BigUint> = (0..6u8).map(BigUint::from).collect();
        halves.extend((1..5u8).map(|k| &p - k));
        // t = -1: u^2 = 1 / (2 + u). Its root, if there is one, is found by whoever searches; 0 gives t = 0.
        let numbers: Vec<(BigUint, BigUint)> =
            halves.iter().flat_map(|a| halves.iter().map(move |b| (a.clone(), b.clone()))).collect();
        let words_of = |number: &BigUint| words(&limbs_of(number));
        for eight in numbers.chunks_exact(8) {
            let half = |of: &dyn Fn(usize) -> BigUint| Fp::from_plain(&std::array::from_fn(|lane| words_of(&of(lane))));
            let u = Fp2 { c0: half(&|lane| eight[lane].0.clone()), c1: half(&|lane| eight[lane].1.clone()) };
            let [a, _] = map_to_curve(&[u, u])[..] else { panic!("two points") };
            let got = to_affine(&[clear_cofactor(&a)]);
            for (lane, (got, u)) in got[0].point.to_blst().iter().zip(u.to_blst()).enumerate() {
                let (mut point, mut right) = (blst_p2::default(), blst_p2_affine::default());
                // SAFETY: numbers and points of blst; no second number is a null pointer.
                unsafe {
                    blst_map_to_g2(&mut point, &u, std::ptr::null());
                    blst_p2_to_affine(&mut right, &point);
                }
                assert_eq!(*got, right, "lane {lane} of {eight:?}");
            }
        }
    }
}
