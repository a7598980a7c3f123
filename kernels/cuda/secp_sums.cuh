// The sums u1 G + u2 P; see kernels/README.md.
#ifndef VIGIL_SECP_SUMS
#define VIGIL_SECP_SUMS

#include "secp_rows.cuh"

// Groups of 128 threads that share a processor: with four, Blackwell's compiler has not registers enough.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
enum { SUM_GROUPS = 3 };
#else
enum { SUM_GROUPS = 4 };
#endif

// The factors of G and of P.
struct Factors {
    Num u1, u2;
};

HD Factors load_factors(const u32* row, const Num& inverse, u32 mode) {
    Factors r;
    r.u1 = num_mul(num_of_digest(row + ROW_DIGEST), inverse);
    if (mode == RECOVER) r.u1 = num_neg(r.u1);
    r.u2 = num_mul(num_of_bytes(row + (mode == RECOVER ? ROW_S : ROW_R)), inverse);
    return r;
}

// Whether what `invert_order` left is the inverse of r or s: an error of the card there would give another sum on the curve.
HD bool is_inverse(const u32* row, const Num& inverse, u32 mode) {
    Num product = num_mul(num_of_bytes(row + (mode == RECOVER ? ROW_R : ROW_S)), inverse), one = num_one();
    u32 difference = 0;
    UNROLLED for (int i = 0; i < 8; i++) difference |= product.w[i] ^ one.w[i];
    return difference == 0;
}

// There is no sum to tell.
HD void store_unknown(u32* state, u32 stride, u32 item) {
    store_code(state, stride, item, UNKNOWN);
    store_columns(state, stride, STATE_C, item, num_one().w);
}

// A number from the buffer of the start.
HD Num load_start_number(const u32* words) {
    Num r;
    UNROLLED for (int i = 0; i < 8; i++) r.w[i] = words[i];
    return r;
}

// Adds u times the point of a table of BITS-bit digits, WINDOWS windows of 2^(BITS-1) entries.
template <int BITS, int WINDOWS>
HD void add_windows(Jacobian& sum, const u32* table, const Num& u) {
    bool negative;
    Num rest = num_halved(u, negative);
    u32 carry = 0;
    LOOP for (int window = 0; window < WINDOWS; window++) {
        u32 digit = (rest.w[0] & ((1 << BITS) - 1)) + carry;
        carry = digit > 1 << (BITS - 1);
        u32 magnitude = carry ? (1 << BITS) - digit : digit;
        UNROLLED for (int i = 0; i < 7; i++) rest.w[i] = rest.w[i] >> BITS | rest.w[i + 1] << (32 - BITS);
        rest.w[7] >>= BITS;
        if (magnitude == 0) continue;
        Affine point = load_point(table + 16 * (u64)((window << (BITS - 1)) + magnitude - 1));
        if (negative != (carry == 1)) point.y = fe_neg(point.y);
        add_point(sum, point);
    }
}

// Adds u G.
HD void add_of_g(Jacobian& sum, const u32* table, const Num& u) { add_windows<13, 20>(sum, table, u); }

// 33 digits of 4 bits, -7 to 8: window w is 8 less the plain digit w of 888...8 - number. So no carry runs upwards, and the
// walk can begin at the top.
struct Digits {
    u32 rest[5];
    bool negative;
};

HD Digits digits_of(const Half& half) {
    const u32 eights[5] = {0x88888888, 0x88888888, 0x88888888, 0x88888888, 8};
    Digits r;
    u32 magnitude[5] = {half.magnitude[0], half.magnitude[1], half.magnitude[2], half.magnitude[3], 0};
    sub_words<5>(r.rest, eights, magnitude);
    r.negative = half.negative;
    return r;
}

// The start S, then 128 doublings with u2 P: 2^128 S + u2 P.
HD Jacobian walk(const u32* start, const Affine& p, const Num& u2) {
    Half first, second;
    glv_split(first, second, u2);
    Digits digits[2] = {digits_of(first), digits_of(second)};
    Table table;
    Fe z = fill_table(table, p);
    Affine from = rescaled(load_point(start), z);
    Jacobian sum = {from.x, from.y, fe_small(1)};
    LOOP for (int window = 32; window >= 0; window--) {
        if (window < 32) {
            LOOP for (int i = 0; i < 4; i++) double_point(sum);
        }
        LOOP for (int half = 0; half < 2; half++) {
            int digit = 8 - (int)(digits[half].rest[window / 8] >> (4 * (window % 8)) & 15);
            if (digit == 0) continue;
            int index = (digit < 0 ? -digit : digit) - 1;
            Affine point = {half == 0 ? table.point[index].x : table.beta_x[index], table.point[index].y};
            if (digits[half].negative != (digit < 0)) point.y = fe_neg(point.y);
            add_point(sum, point);
        }
    }
    sum.z = fe_mul_far(sum.z, z);
    return sum;
}

// X, Y, Z, or the code of a sum that nobody knows.
HD void store_sum(u32* state, u32 stride, u32 item, const Jacobian& sum) {
    Fe z = fe_canonical(sum.z);
    if (is_zero_words<8>(z.w)) {
        store_code(state, stride, item, UNKNOWN);
        z = fe_small(1);
    }
    store_columns(state, stride, STATE_A, item, fe_canonical(sum.x).w);
    store_columns(state, stride, STATE_B, item, fe_canonical(sum.y).w);
    store_columns(state, stride, STATE_C, item, z.w);
}

#endif
