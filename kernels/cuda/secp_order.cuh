// Numbers modulo the group order n, always below n at the borders of functions.
#ifndef VIGIL_SECP_ORDER
#define VIGIL_SECP_ORDER

#include "words.cuh"

struct Num {
    u32 w[8];
};

CONSTANT u32 ORDER[8] = {0xd0364141, 0xbfd25e8c, 0xaf48a03b, 0xbaaedce6, 0xfffffffe, 0xffffffff, 0xffffffff, 0xffffffff};
// (n - 1) / 2
CONSTANT u32 ORDER_HALF[8] = {0x681b20a0, 0xdfe92f46, 0x57a4501d, 0x5d576e73, 0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff};
// n - 2
CONSTANT u32 ORDER_LESS_2[8] = {0xd036413f, 0xbfd25e8c, 0xaf48a03b, 0xbaaedce6,
                                0xfffffffe, 0xffffffff, 0xffffffff, 0xffffffff};
// 2^256 - n = 2^128 + these.
CONSTANT u32 ORDER_C[4] = {0x2fc9bebf, 0x402da173, 0x50b75fc4, 0x45512319};

HD Num num_one() {
    Num r = {{1, 0, 0, 0, 0, 0, 0, 0}};
    return r;
}

HD bool num_is_zero(const Num& a) { return is_zero_words<8>(a.w); }

// Whether 8 words are below n.
HD bool num_below_n(const u32* a) { return below<8>(a, ORDER); }

// Above (n - 1) / 2.
HD bool num_is_high(const Num& a) { return below<8>(ORDER_HALF, a.w); }

// a + carry 2^256, below 2 n: less n if that is not below n.
HD Num num_subtract_once(const u32* a, u32 carry) {
    Num r;
    u32 less[8];
    u32 borrow = sub_words<8>(less, a, ORDER);
    select_words<8>(r.w, a, less, carry | !borrow);
    return r;
}

// a + b
HD Num num_add(const Num& a, const Num& b) {
    u32 sum[8];
    u32 carry = add_words<8>(sum, a.w, b.w);
    return num_subtract_once(sum, carry);
}

// -a
HD Num num_neg(const Num& a) {
    Num r;
    sub_words<8>(r.w, ORDER, a.w);
    u32 mask = num_is_zero(a) ? 0 : 0xffffffff;
    UNROLLED for (int i = 0; i < 8; i++) r.w[i] &= mask;
    return r;
}

// a, or -a if that is smaller: then `negative`. At most (n - 1) / 2.
HD Num num_halved(const Num& a, bool& negative) {
    Num r;
    negative = num_is_high(a);
    u32 minus[8];
    sub_words<8>(minus, ORDER, a.w);
    select_words<8>(r.w, a.w, minus, negative);
    return r;
}

// r = low + top * (2^256 - n): LOW + 1 words of 8 and of TOP.
template <int LOW, int TOP>
HD void num_fold(u32* r, const u32* low, const u32* top) {
    u32 product[TOP + 4], padded[LOW + 1] = {}, shifted[LOW + 1] = {};
    mul_any<TOP, 4>(product, top, ORDER_C);
    UNROLLED for (int i = 0; i < 8; i++) padded[i] = low[i];
    UNROLLED for (int i = 0; i < TOP; i++) shifted[4 + i] = top[i];
    add_words<LOW + 1>(r, padded, shifted);
    UNROLLED for (int i = 0; i < LOW + 1; i++) padded[i] = i < TOP + 4 ? product[i] : 0;
    add_words<LOW + 1>(r, r, padded);
}

// a * b. Three times, what is above 2^256 is folded down by 2^256 = n + (2^256 - n): to below 2^384.5, to below
// 2^256 + 2^258, to below 2^256 + 2^132 < 2 n.
CALL Num num_mul(Num a, Num b) {
    u32 t[16], first[13], second[9], third[9];
    mul_words<8>(t, a.w, b.w);
    num_fold<12, 8>(first, t, t + 8);
    num_fold<8, 5>(second, first, first + 8);
    num_fold<8, 1>(third, second, second + 8);
    return num_subtract_once(third, third[8]);
}

// 1 / a, 0 for 0: a^(n - 2), four bits a step.
CALL Num num_invert(Num a) {
    Num powers[16];
    powers[0] = num_one();
    LOOP for (int i = 1; i < 16; i++) powers[i] = num_mul(powers[i - 1], a);
    Num r = num_one();
    LOOP for (int i = 63; i >= 0; i--) {
        LOOP for (int j = 0; j < 4; j++) r = num_mul(r, r);
        r = num_mul(r, powers[ORDER_LESS_2[i / 8] >> (4 * (i % 8)) & 15]);
    }
    return r;
}

// One half of a number: minus `magnitude` if `negative`; below 2^128.
struct Half {
    u32 magnitude[4];
    bool negative;
};

// The constants of crates/accel/src/secp/glv.rs, where the bounds are worked out.
CONSTANT u32 GLV_A1[4] = {0x9284eb15, 0xe86c90e4, 0xa7d46bcd, 0x3086d221};
CONSTANT u32 GLV_B1[4] = {0x0abfe4c3, 0x6f547fa9, 0x010e8828, 0xe4437ed6};
// Less 2^128.
CONSTANT u32 GLV_A2[4] = {0x9d44cfd8, 0x57c1108d, 0xa8e2f3f6, 0x14ca50f7};
CONSTANT u32 GLV_G1[6] = {0x71e8ca80, 0x3daa8a14, 0x9284eb15, 0xe86c90e4, 0xa7d46bcd, 0x3086d221};
CONSTANT u32 GLV_G2[6] = {0x9df506c6, 0x221208ac, 0x0abfe4c4, 0x6f547fa9, 0x010e8828, 0xe4437ed6};

// k * g / 2^320, rounded, without the two lowest words of k.
HD void glv_nearest(u32* r, const Num& k, const u32* g) {
    u32 product[12];
    mul_any<6, 6>(product, k.w + 2, g);
    Chain chain;
    r[0] = add_first(chain, product[8], product[7] >> 31);
    r[1] = add_next(chain, product[9], 0);
    r[2] = add_next(chain, product[10], 0);
    r[3] = add_last(chain, product[11], 0);
}

// The magnitude of five words, whose top is the sign.
HD Half glv_half(const u32* k) {
    Half r;
    r.negative = k[4] >> 31;
    u32 mask = 0 - (u32)r.negative;
    Chain chain;
    r.magnitude[0] = add_first(chain, k[0] ^ mask, mask & 1);
    UNROLLED for (int i = 1; i < 3; i++) r.magnitude[i] = add_next(chain, k[i] ^ mask, 0);
    r.magnitude[3] = add_last(chain, k[3] ^ mask, 0);
    return r;
}

// k = first + second * lambda modulo n.
HD void glv_split(Half& first, Half& second, const Num& k) {
    u32 c1[4], c2[4], a[8], b[8], rest[5];
    glv_nearest(c1, k, GLV_G1);
    glv_nearest(c2, k, GLV_G2);
    // Both halves are right modulo 2^160.
    mul_any<4, 4>(a, c1, GLV_A1);
    sub_words<5>(rest, k.w, a);
    mul_any<4, 4>(b, c2, GLV_A2);
    sub_words<5>(rest, rest, b);
    rest[4] -= c2[0];
    first = glv_half(rest);
    mul_any<4, 4>(a, c1, GLV_B1);
    mul_any<4, 4>(b, c2, GLV_A1);
    sub_words<5>(rest, a, b);
    second = glv_half(rest);
}

#endif
