// Numbers modulo p = 2^256 - K, K = 2^32 + 977.
//
// Every function takes any 8 words and gives some number below 2^256 of the right residue; only `canonical` is below p.
// No Montgomery form: what is above 2^256 is folded down by K, of which 2^32 is a move by one word. 73 products of words a
// multiplication, 45 a square.
#ifndef VIGIL_SECP_FIELD
#define VIGIL_SECP_FIELD

#include "words.cuh"

struct Fe {
    u32 w[8];
};

HD Fe fe_small(u32 number) {
    Fe r = {{number, 0, 0, 0, 0, 0, 0, 0}};
    return r;
}

// r += times * K, times below 2^16; the carry.
HD u32 fe_add_k(Fe& r, u32 times) {
    Chain chain;
    r.w[0] = add_first(chain, r.w[0], times * 977);
    r.w[1] = add_next(chain, r.w[1], times);
    UNROLLED for (int i = 2; i < 8; i++) r.w[i] = add_next(chain, r.w[i], 0);
    return add_last(chain, 0, 0);
}

// The last fold: after a carry, r is so small that adding K ends in its second word.
HD void fe_add_k_low(Fe& r, u32 carry) {
    Chain chain;
    r.w[0] = add_first(chain, r.w[0], carry * 977);
    r.w[1] = add_last(chain, r.w[1], carry);
}

// a + b
HD Fe fe_add(const Fe& a, const Fe& b) {
    Fe r;
    u32 carry = add_words<8>(r.w, a.w, b.w);
    // Below 2^256 - 1 + K after a carry; a second one leaves less than K.
    fe_add_k_low(r, fe_add_k(r, carry));
    return r;
}

// a - b
HD Fe fe_sub(const Fe& a, const Fe& b) {
    Fe r;
    u32 borrow = sub_words<8>(r.w, a.w, b.w);
    Chain chain;
    r.w[0] = sub_first(chain, r.w[0], borrow * 977);
    r.w[1] = sub_next(chain, r.w[1], borrow);
    UNROLLED for (int i = 2; i < 8; i++) r.w[i] = sub_next(chain, r.w[i], 0);
    borrow = sub_last(chain, 0, 0) & 1;
    // A second borrow leaves more than 2^256 - K: the rest ends in the second word.
    r.w[0] = sub_first(chain, r.w[0], borrow * 977);
    r.w[1] = sub_last(chain, r.w[1], borrow);
    return r;
}

// -a
HD Fe fe_neg(const Fe& a) { return fe_sub(fe_small(0), a); }

// 2^BITS a, BITS from 1 to 3.
template <int BITS>
HD Fe fe_shl(const Fe& a) {
    Fe r;
    UNROLLED for (int i = 7; i > 0; i--) r.w[i] = a.w[i] << BITS | a.w[i - 1] >> (32 - BITS);
    r.w[0] = a.w[0] << BITS;
    fe_add_k_low(r, fe_add_k(r, a.w[7] >> (32 - BITS)));
    return r;
}

// A product of 16 words, modulo p.
HD Fe fe_fold(u32* t) {
    // The upper half times 977 at even and at odd places; the odd ones also take the upper half a word higher.
    u32 even[9], odd[9];
    UNROLLED for (int i = 0; i < 8; i++) {
        even[i] = t[i];
        odd[i] = t[8 + i];
    }
    row_carry<4>(even, t + 8, 977);
    row_carry<4>(odd, t + 9, 977);
    Fe r;
    Chain chain;
    r.w[0] = even[0];
    r.w[1] = add_first(chain, even[1], odd[0]);
    UNROLLED for (int i = 2; i < 8; i++) r.w[i] = add_next(chain, even[i], odd[i - 1]);
    u32 low = add_next(chain, even[8], odd[7]);
    u32 high = add_last(chain, odd[8], 0);
    // Above 2^256 there is less than 2^32 + 978: high is 0 or 1, and with 1, low is below 978. (low + high 2^32) K:
    u64 product = wide(low, 977);
    u32 middle = add_first(chain, (u32)(product >> 32), low + high * 977);
    u32 top = add_last(chain, high, 0);
    r.w[0] = add_first(chain, r.w[0], (u32)product);
    r.w[1] = add_next(chain, r.w[1], middle);
    r.w[2] = add_next(chain, r.w[2], top);
    UNROLLED for (int i = 3; i < 8; i++) r.w[i] = add_next(chain, r.w[i], 0);
    u32 carry = add_last(chain, 0, 0);
    // After a carry, what is left is below 2^66.
    r.w[0] = add_first(chain, r.w[0], carry * 977);
    r.w[1] = add_next(chain, r.w[1], carry);
    r.w[2] = add_last(chain, r.w[2], 0);
    return r;
}

// a * b
HD Fe fe_mul(const Fe& a, const Fe& b) {
    u32 t[16];
    mul_words<8>(t, a.w, b.w);
    return fe_fold(t);
}

// a^2
HD Fe fe_sqr(const Fe& a) {
    u32 t[16];
    sqr_words<8>(t, a.w);
    return fe_fold(t);
}

// The number below p.
HD Fe fe_canonical(const Fe& a) {
    Fe less = a;
    bool above = fe_add_k(less, 1);
    Fe r;
    select_words<8>(r.w, a.w, less.w, above);
    return r;
}

HD bool fe_is_below_p(const Fe& a) {
    Fe less = a;
    return !fe_add_k(less, 1);
}

HD bool fe_is_zero(const Fe& a) { return is_zero_words<8>(fe_canonical(a).w); }

HD bool fe_equal(const Fe& a, const Fe& b) { return fe_is_zero(fe_sub(a, b)); }

// a * b, where code is to be small.
CALL Fe fe_mul_far(Fe a, Fe b) { return fe_mul(a, b); }

// a^(2^times) * b
CALL Fe fe_sqr_mul(Fe a, u32 times, Fe b) {
    LOOP for (u32 i = 0; i < times; i++) a = fe_sqr(a);
    return fe_mul(a, b);
}

// What root and inverse have in common: a to the powers 2^2 - 1, 2^22 - 1 and 2^246 - 2^22 - 1, whose bits are 223 ones, a
// zero, 22 ones.
struct Powers {
    Fe ones_2, ones_22, upper;
};

CALL Powers fe_powers(Fe a) {
    Powers r;
    r.ones_2 = fe_sqr_mul(a, 1, a);
    Fe ones_3 = fe_sqr_mul(r.ones_2, 1, a);
    Fe ones_6 = fe_sqr_mul(ones_3, 3, ones_3);
    Fe ones_9 = fe_sqr_mul(ones_6, 3, ones_3);
    Fe ones_11 = fe_sqr_mul(ones_9, 2, r.ones_2);
    r.ones_22 = fe_sqr_mul(ones_11, 11, ones_11);
    Fe ones_44 = fe_sqr_mul(r.ones_22, 22, r.ones_22);
    Fe ones_88 = fe_sqr_mul(ones_44, 44, ones_44);
    Fe ones_176 = fe_sqr_mul(ones_88, 88, ones_88);
    Fe ones_220 = fe_sqr_mul(ones_176, 44, ones_44);
    Fe ones_223 = fe_sqr_mul(ones_220, 3, ones_3);
    r.upper = fe_sqr_mul(ones_223, 23, r.ones_22);
    return r;
}

// A root of a if it has one: a^((p + 1) / 4).
HD Fe fe_root(const Fe& a) {
    Powers powers = fe_powers(a);
    return fe_sqr(fe_sqr(fe_sqr_mul(powers.upper, 6, powers.ones_2)));
}

// 1 / a, 0 for 0: a^(p - 2).
HD Fe fe_invert(const Fe& a) {
    Powers powers = fe_powers(a);
    Fe r = fe_sqr_mul(powers.upper, 5, a);
    r = fe_sqr_mul(r, 3, powers.ones_2);
    return fe_sqr_mul(r, 2, a);
}

#endif
