use super::super::testing::on_ifma;

on_ifma! { like_blst }

/// The bodies, with the instructions.
mod checks {
    use super::super::super::testing::{p2, p2_affine, p2_outside, rng};
    use super::super::signatures;
    use blst::*;
    use rand_chacha::rand_core::RngCore;

    fn right(bytes: &[u8; 96]) -> Option<blst_p2_affine> {
        let mut point = blst_p2_affine::default();
        // SAFETY: 96 bytes and a point of blst.
        unsafe {
            let read = blst_p2_uncompress(&mut point, bytes.as_ptr()) == BLST_ERROR::BLST_SUCCESS;
            (read && !blst_p2_affine_is_inf(&point) && blst_p2_affine_in_g2(&point)).then_some(point)
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn like_blst() {
        let rng = &mut rng(11);
        let mut all: Vec<[u8; 96]> = Vec::new();
        let compress = |point: &blst_p2_affine| {
            let mut bytes = [0; 96];
            // SAFETY: room for 96 bytes.
            unsafe { blst_p2_affine_compress(bytes.as_mut_ptr(), point) };
            bytes
        };
        for i in 0..60 {
            let good = compress(&p2_affine(&p2(rng.next_u64())));
            all.push(good);
            let mut bad = good;
            bad[0] ^= [0x80, 0x40, 0x20, 0x10, 0xc0, 0xe0][i % 6];
            all.push(bad);
            let mut bad = good;
            rng.fill_bytes(&mut bad[1..]);
            all.push(bad);
            let mut bad = good;
            bad[i % 2 * 48..][..48].fill(0xff);
            bad[0] &= 0x9f;
            all.push(bad);
            all.push(compress(&p2_outside(rng, [0, 13, 23, 2713][i % 4])));
        }
        for fill in [0, 0xff, 0x80, 0xc0, 0xa0] {
            all.extend([[fill; 96], std::array::from_fn(|at| if at == 0 { fill } else { 0 })]);
        }
        for count in [1, 7, 8, 9, all.len()] {
            let got = signatures(&all[..count]);
            assert_eq!(got.len(), count);
            for (bytes, got) in all.iter().zip(&got) {
                assert_eq!(*got, right(bytes), "{bytes:x?}");
            }
        }
        assert!(signatures(&all).iter().filter(|point| point.is_some()).count() >= 60);
    }
}
