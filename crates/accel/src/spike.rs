use crate::secp::machine::Machine;
use crate::secp::sums::Sums;
use crate::field::{Field,Packed};
#[repr(C)] struct Ts(i64,i64);
unsafe extern "C" { fn clock_gettime(c: i32, t: *mut Ts) -> i32; }
fn cpu() -> f64 { let mut t=Ts(0,0); unsafe { clock_gettime(3, &mut t); } t.0 as f64*1e9+t.1 as f64 }
pub(crate) fn best(mut f: impl FnMut()) -> f64 { (0..40).map(|_| { let t=cpu(); f(); cpu()-t }).fold(f64::MAX, f64::min) }
fn signed(n: usize) -> Vec<crate::Signed> {
    use vigil_crypto::SecretKey;
    (0..n).map(|i| {
        let mut b=[7u8;32]; b[..8].copy_from_slice(&(i as u64+1).to_be_bytes());
        let key = SecretKey::from_bytes(&b).unwrap();
        let digest = vigil_crypto::keccak256(b);
        let s = key.sign(&digest);
        crate::Signed { digest, signature: *s.as_array().unwrap() }
    }).collect()
}
#[test]
fn spike_recover() {
    use crate::Backend;
    let b = crate::backends::avx512ifma::Avx512Ifma::detect().unwrap();
    let items = signed(4096);
    let want: Vec<_> = items.iter().map(crate::oracle::recover).collect();
    for n in [16, 64, 256, 512, 640, 1024, 2048, 4096] {
        assert!(b.recover(&items[..n]) == want[..n]);
        let t = best(|| { b.recover(&items[..n]); });
        println!("n {n}: {:.0} ns", t/n as f64);
    }
    let t = best(|| { for i in &items { crate::oracle::recover(i).unwrap(); } })/4096.;
    println!("libsecp {t:.0} ns");
    crate::secp::recover::phases(b, &items[..2048]);
}
#[test]
fn spike_words() {
    let x = [0x59f2_815b_16f8_1798, 0x029b_fcdb_2dce_28d9, 0x55a0_6295_ce87_0b07, 0x79be_667e_f9dc_bbac];
    let mut y = x;
    let t = best(|| { for _ in 0..10 { y = crate::field::scalar::invert_words(y); } })/10.;
    let mut z=[x;8];
    let t8 = best(|| { for _ in 0..10 { crate::field::scalar::invert_all_words(&mut z); } })/10.;
    println!("invert_words {t:.0} ns, eight {t8:.0} ns {:?} {:?}", y[0], z[0][0]);
}
