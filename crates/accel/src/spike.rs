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
