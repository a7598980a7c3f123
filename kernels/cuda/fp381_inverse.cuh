// Inverses modulo p of BLS12-381: divsteps of Bernstein and Yang ("Fast constant-time gcd computation and modular inversion",
// 2019) in the form that starts at delta = 1/2, 30 at a time on single words. All threads go the same way but for the last rounds.
// It takes a tenth of the instructions of the power p - 2.
//
// Numbers here are 13 limbs of 30 bits, the last one signed: value = sum of limb[i] 2^(30 i). Invariants: f and g are within
// -2p..2p, d and e strictly between -2p and p, and d x = f R^2, e x = g R^2 modulo p.
#ifndef VIGIL_FP381_INVERSE
#define VIGIL_FP381_INVERSE

#include "fp381_field.cuh"

enum { LIMBS = 13, LIMB_BITS = 30 };
enum : u32 { LIMB_MASK = (1u << LIMB_BITS) - 1 };
// Batches that are enough for any number: (45907 * 381 + 26313) / 19929 = 878.97 divsteps, 30 batches; g is 0 then.
enum { BATCHES = 30 };

CONSTANT i32 P_LIMBS[LIMBS] = {0x3fffaaab, 0x27fbffff, 0x153ffffb, 0x2affffac, 0x30f6241e, 0x034a83da, 0x112bf673,
                               0x12e13ce1, 0x2cd76477, 0x1ed90d2e, 0x29a4b1ba, 0x3a8e5ff9, 0x001a0111};
// R^2 mod p, R = 2^384: the inverse of a number in Montgomery form is in Montgomery form then.
CONSTANT i32 R2_LIMBS[LIMBS] = {0x1c341746, 0x137c7cd0, 0x1d104f1f, 0x1db9a982, 0x15b6d50a, 0x151db132, 0x183c08de,
                                0x222a64e7, 0x152d67eb, 0x3a16d466, 0x3aa9a793, 0x3964b2b8, 0x0011988f};
// 1 / p mod 2^30
enum : u32 { P_INVERSE_30 = 0x30003 };

struct Limbs {
    i32 l[LIMBS];
};

// What 30 divsteps do to (f, g): (u f + v g, q f + r g) / 2^30. |u| + |v| and |q| + |r| are 2^30 at most.
struct Divsteps {
    i32 u, v, q, r;
};

HD i64 wide_signed(i32 a, i32 b) {
#ifndef __CUDA_ARCH__
    products++;
#endif
    return (i64)a * b;
}

HD Limbs limbs_of(const Fp& a) {
    Limbs r;
    UNROLLED for (int i = 0; i < LIMBS; i++) {
        int word = LIMB_BITS * i / 32, shift = LIMB_BITS * i % 32;
        u32 bits = a.w[word] >> shift;
        if (shift > 2 && word + 1 < NUMBER) bits |= a.w[word + 1] << (32 - shift);
        r.l[i] = (i32)(bits & LIMB_MASK);
    }
    return r;
}

// Of limbs that are not negative.
HD Fp fp_of_limbs(const Limbs& a) {
    Fp r;
    UNROLLED for (int i = 0; i < NUMBER; i++) {
        int limb = 32 * i / LIMB_BITS, shift = 32 * i % LIMB_BITS;
        r.w[i] = (u32)a.l[limb] >> shift | (u32)a.l[limb + 1] << (LIMB_BITS - shift);
    }
    return r;
}

// 30 divsteps on the lowest limbs; zeta = -(delta + 1/2).
HD Divsteps divsteps(i32& zeta, u32 f, u32 g) {
    u32 u = 1, v = 0, q = 0, r = 1;
    LOOP for (int i = 0; i < LIMB_BITS / 5; i++) {
        UNROLLED for (int k = 0; k < 5; k++) {
            u32 swap = (u32)(zeta >> 31), odd = 0 - (g & 1);
            g += ((f ^ swap) - swap) & odd;
            q += ((u ^ swap) - swap) & odd;
            r += ((v ^ swap) - swap) & odd;
            swap &= odd;
            zeta = (zeta ^ (i32)swap) - 1;
            f += g & swap;
            u += q & swap;
            v += r & swap;
            g >>= 1;
            u <<= 1;
            v <<= 1;
        }
    }
    return {(i32)u, (i32)v, (i32)q, (i32)r};
}

HD void apply(const Divsteps& t, Limbs& f, Limbs& g) {
    i64 a = wide_signed(t.u, f.l[0]) + wide_signed(t.v, g.l[0]);
    i64 b = wide_signed(t.q, f.l[0]) + wide_signed(t.r, g.l[0]);
    UNROLLED for (int i = 1; i < LIMBS; i++) {
        a = (a >> LIMB_BITS) + wide_signed(t.u, f.l[i]) + wide_signed(t.v, g.l[i]);
        b = (b >> LIMB_BITS) + wide_signed(t.q, f.l[i]) + wide_signed(t.r, g.l[i]);
        f.l[i - 1] = (i32)((u32)a & LIMB_MASK);
        g.l[i - 1] = (i32)((u32)b & LIMB_MASK);
    }
    f.l[LIMBS - 1] = (i32)(a >> LIMB_BITS);
    g.l[LIMBS - 1] = (i32)(b >> LIMB_BITS);
}

// The multiple of p that is added, so that 2^30 divides the sum and the sum is within bounds again.
HD i32 multiple(i32 signs, i64 low) { return signs - (i32)((P_INVERSE_30 * (u32)low + (u32)signs) & LIMB_MASK); }

// The same to (d, e), modulo p.
HD void apply_modulo(const Divsteps& t, Limbs& d, Limbs& e) {
    i32 minus_d = d.l[LIMBS - 1] >> 31, minus_e = e.l[LIMBS - 1] >> 31;
    i64 a = wide_signed(t.u, d.l[0]) + wide_signed(t.v, e.l[0]);
    i64 b = wide_signed(t.q, d.l[0]) + wide_signed(t.r, e.l[0]);
    i32 m = multiple((t.u & minus_d) + (t.v & minus_e), a), n = multiple((t.q & minus_d) + (t.r & minus_e), b);
    a += wide_signed(P_LIMBS[0], m);
    b += wide_signed(P_LIMBS[0], n);
    UNROLLED for (int i = 1; i < LIMBS; i++) {
        a = (a >> LIMB_BITS) + wide_signed(t.u, d.l[i]) + wide_signed(t.v, e.l[i]) + wide_signed(P_LIMBS[i], m);
        b = (b >> LIMB_BITS) + wide_signed(t.q, d.l[i]) + wide_signed(t.r, e.l[i]) + wide_signed(P_LIMBS[i], n);
        d.l[i - 1] = (i32)((u32)a & LIMB_MASK);
        e.l[i - 1] = (i32)((u32)b & LIMB_MASK);
    }
    d.l[LIMBS - 1] = (i32)(a >> LIMB_BITS);
    e.l[LIMBS - 1] = (i32)(b >> LIMB_BITS);
}

// Adds p if the number is negative, turns its sign if `negate` is -1, and carries.
HD void normalize(Limbs& a, i32 negate) {
    i32 minus = a.l[LIMBS - 1] >> 31;
    UNROLLED for (int i = 0; i < LIMBS; i++) a.l[i] = ((a.l[i] + (P_LIMBS[i] & minus)) ^ negate) - negate;
    UNROLLED for (int i = 0; i < LIMBS - 1; i++) {
        a.l[i + 1] += a.l[i] >> LIMB_BITS;
        a.l[i] &= LIMB_MASK;
    }
}

HD bool is_zero_limbs(const Limbs& a) {
    i32 any = 0;
    UNROLLED for (int i = 0; i < LIMBS; i++) any |= a.l[i];
    return any == 0;
}

// R^2 / a: the inverse of a number in Montgomery form. 0 for 0.
HD Fp fp_invert(const Fp& a) {
    Limbs f, g = limbs_of(a), d = {}, e;
    UNROLLED for (int i = 0; i < LIMBS; i++) {
        f.l[i] = P_LIMBS[i];
        e.l[i] = R2_LIMBS[i];
    }
    i32 zeta = -1;
    LOOP for (int i = 0; i < BATCHES && !is_zero_limbs(g); i++) {
        Divsteps t = divsteps(zeta, (u32)f.l[0], (u32)g.l[0]);
        apply_modulo(t, d, e);
        apply(t, f, g);
    }
    // f is 1 or -1.
    normalize(d, f.l[LIMBS - 1] >> 31);
    normalize(d, 0);
    return fp_of_limbs(d);
}

#endif
