#[repr(C)]
struct Ts(i64, i64);
unsafe extern "C" {
    fn clock_gettime(c: i32, t: *mut Ts) -> i32;
}
fn cpu() -> f64 {
    let mut t = Ts(0, 0);
    unsafe {
        clock_gettime(3, &mut t);
    }
    t.0 as f64 * 1e9 + t.1 as f64
}
pub(crate) fn best(mut f: impl FnMut()) -> f64 {
    (0..40)
        .map(|_| {
            let t = cpu();
            f();
            cpu() - t
        })
        .fold(f64::MAX, f64::min)
}
fn signed(n: usize) -> Vec<crate::Signed> {
    use vigil_crypto::SecretKey;
    (0..n)
        .map(|i| {
            let mut b = [7u8; 32];
            b[..8].copy_from_slice(&(i as u64 + 1).to_be_bytes());
            let key = SecretKey::from_bytes(&b).unwrap();
            let digest = vigil_crypto::keccak256(b);
            let s = key.sign(&digest);
            crate::Signed { digest, signature: *s.as_array().unwrap() }
        })
        .collect()
}
#[test]
fn spike_recover() {
    let b = *crate::detect()
        .iter()
        .find(|b| b.name().as_str() == std::env::var("B").as_deref().unwrap_or("avx512ifma"))
        .unwrap();
    let items = signed(4096);
    let want: Vec<_> = items.iter().map(crate::oracle::recover).collect();
    for n in [16, 64, 256, 512, 640, 1024, 2048, 4096] {
        assert!(b.recover(&items[..n]) == want[..n]);
        let t = best(|| {
            b.recover(&items[..n]);
        });
        println!("n {n}: {:.0} ns", t / n as f64);
    }
    let t = best(|| {
        for i in &items {
            crate::oracle::recover(i).unwrap();
        }
    }) / 4096.;
    println!("libsecp {t:.0} ns");
}
#[test]
fn spike_words() {
    let x = [0x59f2_815b_16f8_1798, 0x029b_fcdb_2dce_28d9, 0x55a0_6295_ce87_0b07, 0x79be_667e_f9dc_bbac];
    let mut y = x;
    let t = best(|| {
        for _ in 0..10 {
            y = crate::field::scalar::invert_words(y);
        }
    }) / 10.;
    let mut z = [x; 8];
    let t8 = best(|| {
        for _ in 0..10 {
            crate::field::scalar::invert_all_words(&mut z);
        }
    }) / 10.;
    println!("invert_words {t:.0} ns, eight {t8:.0} ns {:?} {:?}", y[0], z[0][0]);
}
#[test]
fn spike_hot() {
    let b = *crate::detect()
        .iter()
        .find(|b| b.name().as_str() == std::env::var("B").as_deref().unwrap_or("avx512ifma"))
        .unwrap();
    use vigil_crypto::SecretKey;
    let keys: Vec<_> = (0..16u8).map(|i| SecretKey::from_bytes(&[i + 3; 32]).unwrap()).collect();
    let pubs: Vec<_> = keys.iter().map(|k| k.public_key()).collect();
    let t = best(|| {
        b.build_combs(&pubs[..1]);
    });
    let t16 = best(|| {
        b.build_combs(&pubs);
    }) / 16.;
    println!("comb {t:.0} ns, of 16 {t16:.0} ns each");
    let combs: Vec<_> = b.build_combs(&pubs).into_iter().map(|c| c.unwrap()).collect();
    for payers in [1, 16] {
        let claims: Vec<_> = (0..4096)
            .map(|i| {
                let k = &keys[i % payers];
                let digest = vigil_crypto::keccak256(i.to_be_bytes());
                crate::Claim {
                    signed: crate::Signed { digest, signature: *k.sign(&digest).as_array().unwrap() },
                    key: pubs[(i + (i % 100 == 7) as usize) % payers],
                }
            })
            .collect();
        let refs: Vec<_> = (0..4096).map(|i| &combs[(i + (i % 100 == 7) as usize) % payers]).collect();
        let want: Vec<_> = claims.iter().map(crate::oracle::verify).collect();
        for n in [16, 64, 256, 1024, 2048, 4096] {
            assert!(b.verify_hot(&claims[..n], &refs[..n]) == want[..n]);
            let t = best(|| {
                b.verify_hot(&claims[..n], &refs[..n]);
            });
            println!("payers {payers} n {n}: {:.0} ns", t / n as f64);
        }
    }
}
