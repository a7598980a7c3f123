// Numbers modulo p of BLS12-381: 12 words, Montgomery form with R = 2^384, below p.
#ifndef VIGIL_FP381_FIELD
#define VIGIL_FP381_FIELD

#include "words.cuh"

// Words of a number.
enum { NUMBER = 12 };

CONSTANT u32 FP_P[NUMBER] = {0xffffaaab, 0xb9feffff, 0xb153ffff, 0x1eabfffe, 0xf6b0f624, 0x6730d2a0,
                             0xf38512bf, 0x64774b84, 0x434bacd7, 0x4b1ba7b6, 0x397fe69a, 0x1a0111ea};
// (p - 1) / 2
CONSTANT u32 FP_HALF[NUMBER] = {0xffffd555, 0xdcff7fff, 0x58a9ffff, 0x0f55ffff, 0x7b587b12, 0xb3986950,
                                0x79c2895f, 0xb23ba5c2, 0x21a5d66b, 0x258dd3db, 0x1cbff34d, 0x0d0088f5};
// 1 in Montgomery form
CONSTANT u32 FP_ONE[NUMBER] = {0x0002fffd, 0x76090000, 0xc40c0002, 0xebf4000b, 0x53c758ba, 0x5f489857,
                               0x70525745, 0x77ce5853, 0xa256ec6d, 0x5c071a97, 0xfa80e493, 0x15f65ec3};
// -1 / p mod 2^32
enum : u32 { FP_INVERSE = 0xfffcfffd };

struct Fp {
    u32 w[NUMBER];
};

HD Fp fp_one() {
    Fp r;
    UNROLLED for (int i = 0; i < NUMBER; i++) r.w[i] = FP_ONE[i];
    return r;
}

// a, or a - p if that is not negative.
HD Fp fp_reduced(const Fp& a) {
    Fp less, r;
    u32 borrow = sub_words<NUMBER>(less.w, a.w, FP_P);
    select_words<NUMBER>(r.w, less.w, a.w, borrow != 0);
    return r;
}

HD Fp fp_add(const Fp& a, const Fp& b) {
    Fp r;
    add_words<NUMBER>(r.w, a.w, b.w);
    return fp_reduced(r);
}

HD Fp fp_sub(const Fp& a, const Fp& b) {
    Fp r, more;
    u32 borrow = sub_words<NUMBER>(r.w, a.w, b.w);
    add_words<NUMBER>(more.w, r.w, FP_P);
    select_words<NUMBER>(r.w, r.w, more.w, borrow != 0);
    return r;
}

// p - a: at most p.
HD Fp fp_opposite(const Fp& a) {
    Fp r;
    sub_words<NUMBER>(r.w, FP_P, a.w);
    return r;
}

// The factor that makes a word 0: of the sum of the even and the odd part there and a carry. Then the carry out of it.
HD u32 fp_factor(u32 even, u32 odd, u32 carry) { return (even + odd + carry) * FP_INVERSE; }

HD u32 fp_carry(u32 even, u32 odd, u32 carry) { return (even | odd | carry) != 0; }

// sum / R modulo p, of 24 words below R p: 156 products of words. The multiple of p is built on the low half alone, whose
// upper places are free, and the high half is added in the end.
HD Fp fp_reduce(const u32* sum) {
    u32 even[25], odd[24];
    UNROLLED for (int i = 0; i < NUMBER; i++) even[i] = sum[i];
    u32 m = even[0] * FP_INVERSE;
    row_carry<6>(even, FP_P, m);
    row_new<6>(odd, FP_P + 1, m);
    u32 carry = fp_carry(even[0], 0, 0);
    UNROLLED for (int i = 1; i < NUMBER; i += 2) {
        m = fp_factor(even[i], odd[i - 1], carry);
        row_carry<6>(odd + i - 1, FP_P, m);
        row_top<6>(even + i + 1, FP_P + 1, m);
        carry = fp_carry(even[i], odd[i - 1], carry);
        if (i == 11) break;
        m = fp_factor(even[i + 1], odd[i], carry);
        row_carry<6>(even + i + 1, FP_P, m);
        row_top<6>(odd + i + 1, FP_P + 1, m);
        carry = fp_carry(even[i + 1], odd[i], carry);
    }
    // Words 12 to 23, with the carry into word 12: odd has one place less.
    Fp r, high;
    Chain chain;
    add_first(chain, carry, 0xffffffff);
    UNROLLED for (int i = 0; i < NUMBER - 1; i++) r.w[i] = add_next(chain, even[12 + i], odd[11 + i]);
    r.w[11] = add_last(chain, even[23], odd[22]);
    UNROLLED for (int i = 0; i < NUMBER; i++) high.w[i] = sum[12 + i];
    add_words<NUMBER>(r.w, r.w, high.w);
    return fp_reduced(r);
}

// a * b / R: 300 products of words.
HD Fp fp_mul(const Fp& a, const Fp& b) {
    u32 product[24];
    mul_words<NUMBER>(product, a.w, b.w);
    return fp_reduce(product);
}

// a^2 / R: 234 products of words.
HD Fp fp_square(const Fp& a) {
    u32 square[24];
    sqr_words<NUMBER>(square, a.w);
    return fp_reduce(square);
}

// The number itself, out of its Montgomery form.
HD Fp fp_plain(const Fp& a) {
    u32 sum[24] = {};
    UNROLLED for (int i = 0; i < NUMBER; i++) sum[i] = a.w[i];
    return fp_reduce(sum);
}

#endif
