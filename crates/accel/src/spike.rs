use crate::field::{Field, ifma::Fe8, pair::Pair};
use crate::secp::curve::*;
type P2=Pair<Fe8,Fe8>; type P4=Pair<P2,P2>;
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
#[repr(C)] struct Ts(i64,i64);
unsafe extern "C" { fn clock_gettime(c: i32, t: *mut Ts) -> i32; }
fn cpu() -> f64 { let mut t=Ts(0,0); unsafe { clock_gettime(3, &mut t); } t.0 as f64*1e9+t.1 as f64 }
fn best(mut f: impl FnMut()) -> f64 { (0..40).map(|_| { let t=cpu(); f(); cpu()-t }).fold(f64::MAX, f64::min) }
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
macro_rules! op { ($name:ident, $x:ident, $y:ident, $z:ident, $e:expr) => {
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn $name<F: Field>(p: &mut [F], q: &[F], r: &[F], n: usize) { for _ in 0..n { for (i, v) in p.iter_mut().enumerate() { let $x=*v; let $y=q[i]; let $z=r[i]; *v = $e; } } }
}}
op!(o_mul,x,y,z,{let _=z; x.mul(y)});
op!(o_mula,x,y,z,x.mul_add(y,z));
op!(o_muls,x,y,z,x.mul_sub(y,z));
op!(o_sqr,x,y,z,{let _=(y,z); x.sqr()});
op!(o_sqrt3,x,y,z,{let _=(y,z);x.sqr_triple()});
op!(o_sqrs2,x,y,z,{let _=z;x.sqr_sub_twice(y)});
op!(o_sqrs,x,y,z,x.sqr_sub(y,z));
op!(o_sam,x,y,z,x.sqr_add_mul(y,z));
op!(o_tmam,x,y,z,x.twice_mul_add_mul(y,z,x));
op!(o_sub,x,y,z,{let _=z; x.sub(y)});
op!(o_tsub,x,y,z,{let _=z; x.twice_sub(y)});
op!(o_neg,x,y,z,{let _=(y,z); x.neg()});
op!(o_chain2,x,y,z,{x.mul(y).mul(z)});
op!(o_chain4,x,y,z,{x.mul(y).mul(z).mul(x).mul(y)});
op!(o_slope,x,y,z,{let s=x.mul(y); let t=s.sqr_sub(z,x); s.mul_sub(x.sub(t),y)});
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
    for n in [16, 64, 256, 512, 1024, 2048, 4096] {
        assert!(b.recover(&items[..n]) == want[..n]);
        let t = best(|| { b.recover(&items[..n]); });
        println!("n {n}: {:.0} ns", t/n as f64);
    }
    let t = best(|| { for i in &items { crate::oracle::recover(i).unwrap(); } })/4096.;
    println!("libsecp {t:.0} ns");
}
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn t_double<F: Field>(s: &mut crate::secp::sums::Sums<F>) { s.double() }
struct Fix<'a>(&'a [crate::field::Packed]);
impl<F: Field> crate::secp::sums::Source<F> for Fix<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> crate::secp::sums::Addend<F> {
        let (x, y) = F::load_points(|lane| &self.0[(group * F::LANES + lane) * 16 + lane%16]);
        crate::secp::sums::Addend { x, y: y.neg_where(0x5555), skip: 0 }
    }
}
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn t_add<F: Field>(s: &mut crate::secp::sums::Sums<F>, t: &[crate::field::Packed]) { s.add(&Fix(t)) }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn t_inv<F: Field>(s: F) -> F { crate::secp::power::invert(s) }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn t_chain<F: Field>(s: &[F], p: &mut [F]) -> F { crate::secp::power::multiply_chain(s,p) }
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
#[inline(never)]
fn t_mult<F: Field>(s: &[Affine<F>], t: &mut [crate::field::Packed]) { crate::secp::table::multiples(s, 16, t) }
fn phases<F: Field>(groups: usize) {
    let mut s = crate::secp::sums::Sums::<F>::new(groups, [GX, GY]);
    let n = (groups * F::LANES) as f64;
    let mut table = vec![crate::field::Packed([0;8]); groups*F::LANES*16];
    unsafe {
        let pts = vec![Affine{x:F::splat(GX),y:F::splat(GY)}; groups];
        let m = best(|| t_mult(&pts, &mut table))/n;
        let d = best(|| t_double(&mut s))/n;
        for (i,p) in table.iter_mut().enumerate() { p.0[0] ^= i as u64; }
        let a = best(|| t_add(&mut s, &table))/n;
        let i = best(|| { std::hint::black_box(t_inv(F::splat(GX))); });
        let els = vec![F::splat(GX); groups]; let mut pre = els.clone();
        let c = best(|| { std::hint::black_box(t_chain(&els, &mut pre)); })/n;
        println!("groups {groups} of {}: multiples {m:.1} double {d:.2}-{:.2} add {a:.2} chain {c:.2} ns/lane, inversion {i:.0} ns", F::LANES, i/n);
    }
}
#[test]
fn spike_phases() { for g in [36, 144] { phases::<P2>(g);  } }
