use super::super::testing::on_ifma;

on_ifma! { sums subgroup endomorphism }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::power::invert;
    use super::super::super::testing::{p2, p2_affine, p2_mul, rng};
    use super::super::{Affine, Jacobian, X_ABS};
    use blst::*;
    use rand_chacha::rand_core::RngCore;

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn affine(point: &Jacobian) -> [blst_p2_affine; 8] {
        let mut norms = [point.z.norm()];
        invert(&mut norms);
        point.to_affine(&point.z.conjugate::<6>().mul_fp(&norms[0])).to_blst()
    }

    fn expect(got: [blst_p2_affine; 8], right: impl Fn(usize) -> blst_p2) {
        for (lane, got) in got.iter().enumerate() {
            assert_eq!(*got, p2_affine(&right(lane)), "lane {lane}");
        }
    }

    fn x_times(point: &blst_p2) -> blst_p2 {
        p2_mul(point, X_ABS)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sums() {
        let rng = &mut rng(8);
        for _ in 0..4 {
            let a: [blst_p2; 8] = std::array::from_fn(|_| p2(rng.next_u64()));
            let b: [blst_p2; 8] = std::array::from_fn(|_| p2(rng.next_u64()));
            let (a8, b8) = (Affine::from_blst(&a.map(|a| p2_affine(&a))), Affine::from_blst(&b.map(|b| p2_affine(&b))));
            let add = |a: &blst_p2, b: &blst_p2| {
                let mut sum = blst_p2::default();
                // SAFETY: points of blst.
                unsafe { blst_p2_add_or_double(&mut sum, a, b) };
                sum
            };
            let double = a8.to_jacobian().double();
            expect(affine(&double), |i| add(&a[i], &a[i]));
            expect(affine(&double.double()), |i| p2_mul(&a[i], 4));
            expect(affine(&double.add_affine(&b8)), |i| add(&add(&a[i], &a[i]), &b[i]));
            expect(affine(&double.add(&b8.to_jacobian().double())), |i| add(&p2_mul(&a[i], 2), &p2_mul(&b[i], 2)));
            expect(affine(&double.add(&b8.to_jacobian().neg())), |i| {
                let mut b = b[i];
                // SAFETY: a point of blst.
                unsafe { blst_p2_cneg(&mut b, true) };
                add(&p2_mul(&a[i], 2), &b)
            });
            expect(affine(&a8.to_jacobian().mul_x_abs()), |i| x_times(&a[i]));
            expect(affine(&double.mul_x_abs()), |i| x_times(&p2_mul(&a[i], 2)));
            let by_affine = a8.to_jacobian().mul_x_abs_by(|product| product.add_affine(&a8));
            expect(affine(&by_affine), |i| x_times(&a[i]));
            // Equal and opposite points and their sums are exceptional.
            let twice = double.add(&double);
            assert_eq!((twice.z.is_zero(), twice.double().add_affine(&b8).z.is_zero()), (255, 255));
            assert_eq!(double.add(&double.neg()).z.is_zero(), 255);
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn endomorphism() {
        let rng = &mut rng(9);
        let a: [blst_p2; 8] = std::array::from_fn(|_| p2(rng.next_u64()));
        let a8 = Affine::from_blst(&a.map(|a| p2_affine(&a))).to_jacobian().double();
        // psi is the product with x = -X_ABS on the subgroup.
        expect(affine(&a8.psi().neg()), |i| p2_mul(&x_times(&a[i]), 2));
        expect(affine(&a8.psi2()), |i| x_times(&p2_mul(&x_times(&a[i]), 2)));
        let psi_psi = a8.psi().psi();
        assert_eq!(psi_psi.x.equals(&a8.psi2().x) & psi_psi.y.equals(&a8.psi2().y), 255);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn subgroup() {
        let rng = &mut rng(10);
        let (mut inside, mut outside, mut points) = (0, 0, Vec::new());
        // Points of the curve, of which almost none are in the subgroup, and points of small order.
        for order in [0, 13, 23, 2713, 11_953, 262_069] {
            for _ in 0..3 {
                points.push(super::super::super::testing::p2_outside(rng, order));
            }
        }
        points.extend((0..11).map(|_| p2_affine(&p2(rng.next_u64()))));
        while points.len() % 8 != 0 {
            points.push(points[0]);
        }
        for lanes in points.as_chunks::<8>().0 {
            let point = Affine::from_blst(lanes);
            let (good, unknown) = point.in_subgroup();
            for (i, lane) in lanes.iter().enumerate() {
                // SAFETY: a point of blst.
                let right = unsafe { blst_p2_affine_in_g2(lane) };
                assert!(good >> i & 1 == u8::from(right) || unknown >> i & 1 == 1, "lane {i} of {lanes:?}");
                assert!(!(right && unknown >> i & 1 == 1));
                *(if right { &mut inside } else { &mut outside }) += 1;
            }
        }
        assert!(inside >= 11 && outside >= 21);
    }
}
