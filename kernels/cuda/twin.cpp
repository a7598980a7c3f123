// The host twin: all kernels as plain C++, and functions of theirs for the tests of crates/accel/src/gpu/twin.
#include "fp381.cu"
#include "g1.cu"
#include "keccak.cu"
#include "rate.cu"
#include "secp.cu"
#include "signers.cu"

static Fe fe_of(const u32* words) {
    Fe r;
    for (int i = 0; i < 8; i++) r.w[i] = words[i];
    return r;
}

static Num num_of(const u32* words) {
    Num r;
    for (int i = 0; i < 8; i++) r.w[i] = words[i];
    return r;
}

static Fp fp_of(const u32* words) {
    Fp r;
    for (int i = 0; i < NUMBER; i++) r.w[i] = words[i];
    return r;
}

static Fp fp(u32 op, const Fp& a, const Fp& b) {
    switch (op) {
        case 0: return fp_mul(a, b);
        case 1: return fp_square(a);
        default: return fp_invert(a);
    }
}

static void put(u32* r, const u32* words) {
    for (int i = 0; i < 8; i++) r[i] = words[i];
}

static Fe field(u32 op, const Fe& a, const Fe& b) {
    switch (op) {
        case 0: return fe_add(a, b);
        case 1: return fe_sub(a, b);
        case 2: return fe_neg(a);
        case 3: return fe_mul(a, b);
        case 4: return fe_sqr(a);
        case 5: return fe_shl<1>(a);
        case 6: return fe_shl<2>(a);
        case 7: return fe_shl<3>(a);
        case 8: return fe_invert(a);
        case 9: return fe_root(a);
        default: return fe_canonical(a);
    }
}

static Num order(u32 op, const Num& a, const Num& b) {
    bool negative;
    switch (op) {
        case 0: return num_add(a, b);
        case 1: return num_neg(a);
        case 2: return num_mul(a, b);
        case 3: return num_halved(a, negative);
        case 4: return num_invert(a);
        default: return num_subtract_once(a.w, 0);
    }
}

extern "C" {

void twin_field(u32 op, const u32* a, const u32* b, u32* r) { put(r, field(op, fe_of(a), fe_of(b)).w); }

void twin_fp(u32 op, const u32* a, const u32* b, u32* r) {
    Fp result = fp(op, fp_of(a), fp_of(b));
    for (int i = 0; i < NUMBER; i++) r[i] = result.w[i];
}

u32 twin_field_is_zero(const u32* a) { return fe_is_zero(fe_of(a)); }

u32 twin_field_is_below_p(const u32* a) { return fe_is_below_p(fe_of(a)); }

void twin_order(u32 op, const u32* a, const u32* b, u32* r) { put(r, order(op, num_of(a), num_of(b)).w); }

// Bit 0: below n; bit 1: high; bit 2: halving turns the sign.
u32 twin_order_flags(const u32* a) {
    bool negative;
    num_halved(num_of(a), negative);
    return num_below_n(a) | num_is_high(num_of(a)) << 1 | negative << 2;
}

// Magnitude and sign of the two halves.
void twin_split(const u32* k, u32* r) {
    Half half[2];
    glv_split(half[0], half[1], num_of(k));
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 4; j++) r[5 * i + j] = half[i].magnitude[j];
        r[5 * i + 4] = half[i].negative;
    }
}

void twin_double(u32* point) {
    Jacobian p = {fe_of(point), fe_of(point + 8), fe_of(point + 16)};
    double_point(p);
    put(point, p.x.w), put(point + 8, p.y.w), put(point + 16, p.z.w);
}

void twin_add(u32* point, const u32* other) {
    Jacobian p = {fe_of(point), fe_of(point + 8), fe_of(point + 16)};
    Affine q = {fe_of(other), fe_of(other + 8)};
    add_point(p, q);
    put(point, p.x.w), put(point + 8, p.y.w), put(point + 16, p.z.w);
}

// The common Z, then x, y and beta x of the eight multiples.
void twin_table(const u32* point, u32* r) {
    Affine p = {fe_of(point), fe_of(point + 8)};
    Table table;
    Fe z = fill_table(table, p);
    put(r, z.w);
    for (int i = 0; i < 8; i++) {
        put(r + 8 + 24 * i, table.point[i].x.w);
        put(r + 16 + 24 * i, table.point[i].y.w);
        put(r + 24 + 24 * i, table.beta_x[i].w);
    }
}

void twin_keccak(const u32* message, u32 bytes, u32* digest) { keccak_message(digest, message, bytes); }

u32 twin_tag(u32 seed, u32 item, const u32* words, u32 count) { return tag_words(seed ^ item * 0x85ebca6b, words, count); }

// 32-bit products of this thread so far.
u64 twin_products() { return products; }
}
