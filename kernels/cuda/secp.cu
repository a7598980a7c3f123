// ECDSA on secp256k1; see kernels/README.md.
#include "keccak.cuh"
#include "secp_inverse.cuh"
#include "secp_sums.cuh"
#include "tag.cuh"

// The key of a row, if it is one.
HD bool load_key(Affine& key, const u32* row) {
    load_bytes(key.x.w, row + ROW_KEY);
    load_bytes(key.y.w, row + ROW_KEY + 8);
    bool canonical = fe_is_below_p(key.x) && fe_is_below_p(key.y);
    return canonical && on_curve(key);
}

// The point with x = r and y odd or not, if there is one.
HD bool lift(Affine& point, const Num& r, u32 odd) {
    UNROLLED for (int i = 0; i < 8; i++) point.x.w[i] = r.w[i];
    Fe right = curve_right(point.x);
    Fe y = fe_canonical(fe_root(right));
    if (!fe_equal(fe_mul_far(y, y), right)) return false;
    point.y = (y.w[0] & 1) == odd ? y : fe_canonical(fe_neg(y));
    return true;
}

KERNEL(secp_prepare, 4) {
    if (item >= args.p[0]) return;
    u32 stride = args.p[1], mode = args.p[2];
    const u32* row = args.buffer[0] + (u64)item * args.p[3];
    u32* state = args.buffer[1];
    Num r = num_of_bytes(row + ROW_R), s = num_of_bytes(row + ROW_S);
    u32 v = row[ROW_V];
    bool good = v <= 1 && !num_is_zero(r) && num_below_n(r.w) && !num_is_zero(s) && !num_is_high(s);
    Affine point;
    if (good && mode == RECOVER) good = lift(point, r, v);
    if (good && mode == KNOWN) good = load_key(point, row);
    store_code(state, stride, item, good ? GOOD : MALFORMED);
    Num divisor = !good ? num_one() : mode == RECOVER ? r : s;
    store_columns(state, stride, STATE_A, item, divisor.w);
    if (!good || mode == HOT) return;
    store_columns(state, stride, STATE_B, item, point.x.w);
    store_columns(state, stride, STATE_C, item, point.y.w);
}

KERNEL(invert_order, 4) { invert_shared<ModuloOrder>(args, item); }

KERNEL(invert_field, 4) { invert_shared<ModuloPrime>(args, item); }

KERNEL(secp_sum, SUM_GROUPS) {
    if (item >= args.p[0]) return;
    u32 stride = args.p[1];
    u32* state = args.buffer[1];
    if (load_code(state, stride, item) != GOOD) {
        store_columns(state, stride, STATE_C, item, num_one().w);
        return;
    }
    const u32* start = args.buffer[3];
    Num inverse;
    Affine point;
    load_columns(inverse.w, state, stride, STATE_A, item);
    load_columns(point.x.w, state, stride, STATE_B, item);
    load_columns(point.y.w, state, stride, STATE_C, item);
    const u32* row = args.buffer[0] + (u64)item * args.p[3];
    if (!is_inverse(row, inverse, args.p[2])) return store_unknown(state, stride, item);
    Factors factors = load_factors(row, inverse, args.p[2]);
    Jacobian sum = walk(start, point, factors.u2);
    add_of_g(sum, args.buffer[2], num_add(factors.u1, load_start_number(start + 16)));
    store_sum(state, stride, item, sum);
}

KERNEL(secp_sum_hot, SUM_GROUPS) {
    if (item >= args.p[0]) return;
    u32 stride = args.p[1];
    u32* state = args.buffer[1];
    const u32* row = args.buffer[0] + (u64)item * args.p[3];
    u32 table = row[ROW_TABLE];
    if (load_code(state, stride, item) != GOOD) {
        store_columns(state, stride, STATE_C, item, num_one().w);
        return;
    }
    const u32* start = args.buffer[3];
    Num inverse;
    load_columns(inverse.w, state, stride, STATE_A, item);
    if (table >= args.p[4] || !is_inverse(row, inverse, HOT)) return store_unknown(state, stride, item);
    Factors factors = load_factors(row, inverse, HOT);
    Affine from = load_point(start);
    Jacobian sum = {from.x, from.y, fe_small(1)};
    add_windows<8, 32>(sum, args.buffer[4] + (u64)table * 32 * 128 * 16, factors.u2);
    add_of_g(sum, args.buffer[2], num_add(factors.u1, load_start_number(start + 24)));
    store_sum(state, stride, item, sum);
}

// The sum of an item, whose Z is inverted by now: canonical.
HD Affine load_sum(const u32* state, u32 stride, u32 item) {
    Affine sum;
    Fe inverse;
    load_columns(sum.x.w, state, stride, STATE_A, item);
    load_columns(sum.y.w, state, stride, STATE_B, item);
    load_columns(inverse.w, state, stride, STATE_C, item);
    sum = rescaled(sum, inverse);
    sum.x = fe_canonical(sum.x);
    sum.y = fe_canonical(sum.y);
    return sum;
}

// The key that signed, 16 words of bytes, and the digest whose end is its address; the code of the item.
HD u32 find_signer(u32* key, u32* digest, const u32* state, u32 stride, u32 item) {
    u32 code = load_code(state, stride, item);
    if (code != GOOD) return code;
    Affine sum = load_sum(state, stride, item);
    if (!on_curve(sum)) return UNKNOWN;
    store_bytes(key, sum.x.w);
    store_bytes(key + 8, sum.y.w);
    keccak_point(digest, key);
    return GOOD;
}

KERNEL(recover_finish, 4) {
    if (item >= args.p[0]) return;
    const u32* asked = args.buffer[0] + (u64)item * args.p[3];
    u32 row[24] = {}, key[16], digest[8];
    row[0] = find_signer(key, digest, args.buffer[1], args.p[1], item);
    if (row[0] == GOOD) {
        UNROLLED for (int i = 0; i < 5; i++) row[1 + i] = digest[3 + i];
        UNROLLED for (int i = 0; i < 16; i++) row[6 + i] = key[i];
    }
    tag_row(args, item, asked + args.p[6], args.p[3] - args.p[6], row, 22);
    u32* answer = args.buffer[2] + 24 * (u64)item;
    UNROLLED for (int i = 0; i < 24; i++) answer[i] = row[i];
}

KERNEL(known_finish, 4) {
    if (item >= args.p[0]) return;
    const u32* asked = args.buffer[0] + (u64)item * args.p[3];
    u32 row[4] = {load_code(args.buffer[1], args.p[1], item), 0};
    if (row[0] == GOOD) {
        Affine sum = load_sum(args.buffer[1], args.p[1], item);
        Num r = num_of_bytes(asked + ROW_R);
        u32 difference = (sum.y.w[0] & 1) ^ asked[ROW_V];
        UNROLLED for (int i = 0; i < 8; i++) difference |= sum.x.w[i] ^ r.w[i];
        row[0] = difference == 0 ? GOOD : OTHER_KEY;
        row[1] = sum.x.w[0];
    }
    tag_row(args, item, asked + args.p[6], args.p[3] - args.p[6], row, 2);
    u32* answer = args.buffer[2] + 4 * (u64)item;
    UNROLLED for (int i = 0; i < 4; i++) answer[i] = row[i];
}

KERNEL(signer_finish, 4) {
    if (item >= args.p[0]) return;
    const u32* asked = args.buffer[0] + (u64)item * args.p[3];
    u32 row[8] = {}, key[16], digest[8];
    row[0] = find_signer(key, digest, args.buffer[1], args.p[1], item);
    UNROLLED for (int i = 0; i < 5; i++) row[1 + i] = row[0] == GOOD ? digest[3 + i] : 0;
    tag_row(args, item, asked + args.p[6], args.p[3] - args.p[6], row, 6);
    u32* answer = args.buffer[2] + 8 * (u64)item;
    UNROLLED for (int i = 0; i < 8; i++) answer[i] = row[i];
}
