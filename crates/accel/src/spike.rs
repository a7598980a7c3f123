use crate::field::{Field, ifma::Fe8, many::Many};
use crate::secp::curve::*;
use std::time::Instant;
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn dbls<F: Field>(p: &mut Jacobian<F>, n: usize) { let mut q=*p; for _ in 0..n { q = q.minus_double(); } *p=q; }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn adds<F: Field>(p: &mut Jacobian<F>, x: &F, w: &F, n: usize) { let mut q=*p; for _ in 0..n { q = q.add(*x,*w); } *p=q; }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn muls<F: Field>(p: &mut [F], n: usize) { for _ in 0..n { for x in p.iter_mut() { *x = x.mul(*x); } } }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn sqrs<F: Field>(p: &mut [F], n: usize) { for _ in 0..n { for x in p.iter_mut() { *x = x.sqr(); } } }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn subs<F: Field>(p: &mut [F], y:&F, n: usize) { for _ in 0..n { for x in p.iter_mut() { *x = x.sub(*y); } } }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn affs<F: Field>(p: &mut [Affine<F>], d: &F, e:&F, i:&F, n: usize) { for _ in 0..n { for x in p.iter_mut() { *x = x.add(*d,*e,*i); } } }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn invs<F: Field>(p: &mut [F], q: &mut [F]) { crate::secp::power::invert_all(p,q); }
fn best(mut f: impl FnMut()) -> f64 { (0..30).map(|_| { let t=Instant::now(); f(); t.elapsed().as_secs_f64()*1e9 }).fold(f64::MAX, f64::min) }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn run<F: Field>(name: &str) {
    let g = Affine::<F>{x: F::splat(GX), y: F::splat(GY)};
    let mut p = Jacobian::from_affine(g);
    let (x,w)=(g.x,g.y.twice());
    let l = F::LANES as f64;
    unsafe {
    let d = best(|| dbls(&mut p, 1000))/1000./l;
    let a = best(|| adds(&mut p, &x,&w, 1000))/1000./l;
    let mut v = vec![g.x; 32]; let mut u = v.clone();
    let m = best(|| muls(&mut v, 100))/3200./l;
    let s = best(|| sqrs(&mut v, 100))/3200./l;
    let b = best(|| subs(&mut v, &x, 100))/3200./l;
    let mut pa = vec![g;32];
    let f = best(|| affs(&mut pa, &x,&w,&x, 100))/3200./l;
    let i = best(|| invs(&mut v, &mut u))/32./l;
    println!("{name}: dbl {d:.2} madd {a:.2} mul {m:.2} sqr {s:.2} sub {b:.2} affadd(2M1S) {f:.2} inv_all(32) {i:.2} ns/lane");
    }
}
#[test]
fn spike() {
    unsafe { run::<Fe8>("1x8"); run::<Many<Fe8,2>>("2x8"); run::<Many<Fe8,3>>("3x8"); run::<Many<Fe8,4>>("4x8"); }
}
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
    let t=Instant::now();
    let want: Vec<_> = items.iter().map(crate::oracle::recover).collect();
    println!("libsecp {:.0} ns", t.elapsed().as_secs_f64()*1e9/4096.);
    let t=Instant::now(); b.recover(&items[..1]); println!("first {:?}", t.elapsed());
    for n in [16, 64, 256, 512, 4096] {
        assert!(b.recover(&items[..n]) == want[..n]);
        let t = best(|| { b.recover(&items[..n]); });
        println!("n {n}: {:.0} ns", t/n as f64);
    }
    let t = best(|| { for i in &items { crate::oracle::recover(i).unwrap(); } })/4096.;
    println!("libsecp {t:.0} ns");
}
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn pieces<F: Field>() {
    use crate::secp::{generator::*, power::*};
    let w = |f: F| { let mut o=vec![]; f.store(|_,x| o.push(x)); o[0] };
    let hex = |x:[u64;4]| format!("{:016x}{:016x}{:016x}{:016x}", x[3],x[2],x[1],x[0]);
    let x = F::splat(GX); let y = F::splat(GY);
    println!("x {}", hex(w(x)));
    println!("x2 {}", hex(w(x.mul(x))));
    println!("x2s {}", hex(w(x.sqr())));
    println!("inv {}", hex(w(invert(x).mul(x))));
    println!("curve {}", hex(w(y.sqr().sub(x.sqr().mul_add(x, F::splat([7,0,0,0]))))));
    let s = sqrt_candidate(y.sqr()); println!("sqrt {} {}", hex(w(s)), hex(w(s.neg())));
    let p = Jacobian::from_affine(Affine{x,y});
    let d = p.minus_double(); let a = d.to_affine(invert(d.z)); println!("-2G {} {}", hex(w(a.x)), hex(w(a.y)));
    let d = a; let t = p.add(d.x, d.y.twice()); let t = t.to_affine(invert(t.z)); println!("G-2G {} {}", hex(w(t.x)), hex(w(t.y)));
    let t = comb::<F>(GX,GY,5,3);
    for i in [0,1,2,15,16,17,32] { println!("comb {i} {} {}", hex(t[i].0[..4].try_into().unwrap()), hex(t[i].0[4..].try_into().unwrap())); }
}
#[test]
fn spike_pieces() { unsafe { pieces::<Many<Fe8,2>>() } }
