//! Inverses modulo an odd prime of 256 bits, one at a time: divsteps of Bernstein and Yang ("Fast constant-time gcd
//! computation and modular inversion", 2019), 62 at a time on single words, in variable time (all data is public).
//!
//! Numbers here are five limbs of 62 bits, the last one signed: value = sum of `limb[i] * 2^(62 i)`. Limbs 0 to 3 are in
//! `0..2^62`. Invariants, m the modulus: `f` and `g` are within -2m..2m, `d` and `e` strictly between -2m and m, and
//! `d * x = f`, `e * x = g` modulo m.

const LIMB_BITS: u32 = 62;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

type Limbs = [i64; 5];

/// What is needed to know of a modulus.
pub(crate) struct Modulus {
    limbs: Limbs,
    /// m^-1 modulo 2^62.
    inverse: u64,
}

impl Modulus {
    /// Of an odd number.
    pub(crate) const fn new(words: [u64; 4]) -> Self {
        // Newton's iteration doubles the correct bits; m itself is right modulo 8.
        let mut inverse = words[0];
        let mut round = 0;
        while round < 5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(words[0].wrapping_mul(inverse)));
            round += 1;
        }
        Self { limbs: limbs(words), inverse: inverse & LIMB_MASK }
    }

    /// The number y below m with `x * y = 1` modulo m; 0 for 0. x below m.
    pub(crate) fn invert(&self, x: [u64; 4]) -> [u64; 4] {
        let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
        let (mut f, mut g) = (self.limbs, limbs(x));
        let mut eta = -1;
        while g != [0; 5] {
            let step = divsteps(&mut eta, f[0] as u64, g[0] as u64);
            step.apply_modulo(&mut d, &mut e, self);
            step.apply(&mut f, &mut g);
            if cfg!(any(debug_assertions, feature = "bounds-check")) {
                assert!(self.in_range(d) && self.in_range(e), "strictly between -2m and m: {d:x?} {e:x?}");
            }
        }
        // f is +-1 (or +-m, if x = 0, when d = 0).
        words(self.reduce(d, f[4] < 0))
    }

    /// True strictly between -2m and m.
    fn in_range(&self, d: Limbs) -> bool {
        let above = add(add(d, self.limbs), self.limbs);
        above[4] >= 0 && above != [0; 5] && add(d, self.limbs.map(|limb| -limb))[4] < 0
    }

    /// `d` or `-d` as a number in 0..m; d strictly between -2m and m.
    fn reduce(&self, mut d: Limbs, negate: bool) -> Limbs {
        if d[4] < 0 {
            d = add(d, self.limbs);
        }
        if negate {
            d = d.map(|limb| -limb);
        }
        d = carry(d);
        if d[4] < 0 { add(d, self.limbs) } else { d }
    }
}

const fn limbs(w: [u64; 4]) -> Limbs {
    const M: u64 = LIMB_MASK;
    [
        (w[0] & M) as i64,
        ((w[0] >> 62 | w[1] << 2) & M) as i64,
        ((w[1] >> 60 | w[2] << 4) & M) as i64,
        ((w[2] >> 58 | w[3] << 6) & M) as i64,
        (w[3] >> 56) as i64,
    ]
}

/// Of a number in 0..2^256.
fn words(limbs: Limbs) -> [u64; 4] {
    let l = limbs.map(|limb| limb as u64);
    [l[0] | l[1] << 62, l[1] >> 2 | l[2] << 60, l[2] >> 4 | l[3] << 58, l[3] >> 6 | l[4] << 56]
}

fn add(a: Limbs, b: Limbs) -> Limbs {
    carry(std::array::from_fn(|i| a[i] + b[i]))
}

fn carry(mut a: Limbs) -> Limbs {
    for i in 0..4 {
        a[i + 1] += a[i] >> LIMB_BITS;
        a[i] &= LIMB_MASK as i64;
    }
    a
}

/// 62 divsteps as a matrix: `(f, g)` becomes `(u f + v g, q f + r g) / 2^62`. `|u| + |v|` and `|q| + |r|` are at most 2^62.
struct Step {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// Runs 62 divsteps on the low words of f (odd) and g; `eta` is minus the delta of the paper.
fn divsteps(eta: &mut i64, mut f: u64, mut g: u64) -> Step {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = LIMB_BITS;
    loop {
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return Step { u: u as i64, v: v as i64, q: q as i64, r: r as i64 };
        }
        // A multiple of f clears as many low bits of g as steps are certain to come before the next swap.
        let w = if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            // -g/f modulo 2^6: f (f^2 - 2) is -1/f.
            f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & clear_mask(*eta, left, 63)
        } else {
            // -g/f modulo 2^4: f + 2 ((f + 1) & 4) is 1/f.
            let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            inverse.wrapping_neg().wrapping_mul(g) & clear_mask(*eta, left, 15)
        };
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w));
        r = r.wrapping_add(v.wrapping_mul(w));
    }
}

/// Ones for the bits that may be cleared: at most `eta + 1`, `left` and those of `most`.
#[inline(always)]
fn clear_mask(eta: i64, left: u32, most: u64) -> u64 {
    let bits = (eta + 1).min(i64::from(left));
    (u64::MAX >> (64 - bits)) & most
}

impl Step {
    /// To f and g; the division is exact.
    fn apply(&self, f: &mut Limbs, g: &mut Limbs) {
        let mut cf = wide(self.u, f[0]) + wide(self.v, g[0]);
        let mut cg = wide(self.q, f[0]) + wide(self.r, g[0]);
        for i in 1..5 {
            cf = (cf >> LIMB_BITS) + wide(self.u, f[i]) + wide(self.v, g[i]);
            cg = (cg >> LIMB_BITS) + wide(self.q, f[i]) + wide(self.r, g[i]);
            f[i - 1] = low(cf);
            g[i - 1] = low(cg);
        }
        f[4] = (cf >> LIMB_BITS) as i64;
        g[4] = (cg >> LIMB_BITS) as i64;
    }

    /// To d and e modulo m: multiples of m are added that make the division exact and keep the results in range.
    fn apply_modulo(&self, d: &mut Limbs, e: &mut Limbs, modulus: &Modulus) {
        let m = &modulus.limbs;
        // Adding m to a negative d or e first keeps both above -2m afterwards.
        let (d_sign, e_sign) = (d[4] >> 63, e[4] >> 63);
        let mut cd = wide(self.u, d[0]) + wide(self.v, e[0]);
        let mut ce = wide(self.q, d[0]) + wide(self.r, e[0]);
        let md = exact((self.u & d_sign) + (self.v & e_sign), cd, modulus.inverse);
        let me = exact((self.q & d_sign) + (self.r & e_sign), ce, modulus.inverse);
        cd += wide(m[0], md);
        ce += wide(m[0], me);
        for i in 1..5 {
            cd = (cd >> LIMB_BITS) + wide(self.u, d[i]) + wide(self.v, e[i]) + wide(m[i], md);
            ce = (ce >> LIMB_BITS) + wide(self.q, d[i]) + wide(self.r, e[i]) + wide(m[i], me);
            d[i - 1] = low(cd);
            e[i - 1] = low(ce);
        }
        d[4] = (cd >> LIMB_BITS) as i64;
        e[4] = (ce >> LIMB_BITS) as i64;
    }
}

/// The multiple of m, at most `start` and above `start - 2^62`, that makes `sum + multiple * m` divisible by 2^62.
#[inline(always)]
fn exact(start: i64, sum: i128, inverse: u64) -> i64 {
    let excess = inverse.wrapping_mul(sum as u64).wrapping_add(start as u64) & LIMB_MASK;
    start - excess as i64
}

#[inline(always)]
fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

#[inline(always)]
fn low(sum: i128) -> i64 {
    (sum as u64 & LIMB_MASK) as i64
}
