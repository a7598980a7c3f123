use super::super::testing::on_ifma;

on_ifma! { like_plain cancelling }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::key_sum;
    use super::super::super::testing::{p1 as point, rng};
    use crate::bls::Maths;
    use crate::bls::library::to_affine;
    use crate::bls::plain::Plain;
    use crate::bls::row::Point;
    use rand_chacha::rand_core::RngCore;

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn like_plain() {
        let rng = &mut rng(14);
        for n in [0usize, 1, 2, 7, 8, 9, 100, 1_500] {
            let keys: Vec<_> = (0..n).map(|_| point(1 + (rng.next_u64() >> 40))).collect();
            let points: Vec<Point> = keys.iter().map(Point::from_blst).collect();
            for most in [1u32, 3, 255, 5_100, 65_535] {
                let times: Vec<u16> = (0..n).map(|_| (rng.next_u32() % (most + 1)) as u16).collect();
                let (got, right) = (key_sum(&points, &times), Plain.key_sum(&points, &times));
                assert_eq!(to_affine(&got), to_affine(&right), "{n} {most}");
            }
        }
    }

    /// Equal and opposite points in all lanes and levels.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn cancelling() {
        let rng = &mut rng(15);
        let few: Vec<_> = [1, 2, 3, 5].iter().map(|k| point(*k)).collect();
        let points: Vec<Point> =
            few.iter().flat_map(|p| [*p, crate::bls::library::negative(p)]).map(|p| Point::from_blst(&p)).collect();
        for n in [2usize, 3, 16, 33, 200] {
            for round in 0..12 {
                let pick: Vec<Point> = (0..n).map(|_| points[rng.next_u32() as usize % (1 + round % 8)]).collect();
                let most = [1u32, 2, 300][round % 3];
                let times: Vec<u16> = (0..n).map(|_| (rng.next_u32() % most + 1) as u16).collect();
                let (got, right) = (key_sum(&pick, &times), Plain.key_sum(&pick, &times));
                assert_eq!(to_affine(&got), to_affine(&right), "{n} {round}");
                let pairs: Vec<Point> = (0..n).flat_map(|_| [points[0], points[1]]).collect();
                assert_eq!(to_affine(&key_sum(&pairs, &vec![most as u16; 2 * n])), None);
            }
        }
    }
}
