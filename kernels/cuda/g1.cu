// Sums of pairs of affine points of y^2 = x^3 + 4, many at a time; see kernels/README.md.
#include "columns.cuh"
#include "fp381_inverse.cuh"

// Words of a point: x, then y.
enum { POINT = 2 * NUMBER };
// The highest word of x says that a point is infinity: no number below p has it.
enum : u32 { INFINITE = 0xffffffff };

HD Fp load_fp(const u32* columns, u32 stride, u32 first, u32 item) {
    Fp r;
    load_columns<NUMBER>(r.w, columns, stride, first, item);
    return r;
}

HD bool is_infinite(const Fp& x) { return x.w[NUMBER - 1] == INFINITE; }

// What a pair of points is: two with different x, the same twice, or one that needs no denominator: the sum is the first, the
// second, infinity.
enum Kind { DIFFERENT, SAME, ONLY_FIRST, ONLY_SECOND, OPPOSITE };

// The points `a` and `b`, as far as their kind needs them.
struct Pair {
    Fp x1, x2, denominator;
    Kind kind;
};

HD Pair load_pair(const u32* points, u32 stride, u32 a, u32 b) {
    Pair pair;
    pair.x1 = load_fp(points, stride, 0, a);
    pair.x2 = load_fp(points, stride, 0, b);
    if (is_infinite(pair.x1) || is_infinite(pair.x2)) {
        pair.kind = is_infinite(pair.x1) ? ONLY_SECOND : ONLY_FIRST;
        pair.denominator = fp_one();
        return pair;
    }
    pair.kind = DIFFERENT;
    pair.denominator = fp_sub(pair.x2, pair.x1);
    if (!is_zero_words<NUMBER>(pair.denominator.w)) return pair;
    Fp y1 = load_fp(points, stride, NUMBER, a), y2 = load_fp(points, stride, NUMBER, b);
    pair.kind = is_zero_words<NUMBER>(fp_sub(y1, y2).w) ? SAME : OPPOSITE;
    pair.denominator = pair.kind == SAME ? fp_add(y1, y1) : fp_one();
    return pair;
}

// 3 x^2
HD Fp tangent_numerator(const Fp& x) {
    Fp square = fp_square(x);
    return fp_add(fp_add(square, square), square);
}

// Writes word w of number `first` of item to `out[(first + w) * between + item * apart]`.
HD void store_fp(u32* out, u32 between, u32 apart, u32 first, u32 item, const Fp& a) {
    UNROLLED for (u32 i = 0; i < NUMBER; i++) out[(u64)(first + i) * between + (u64)item * apart] = a.w[i];
}

struct ModuloFp {
    typedef Fp Number;
    enum { COLUMN = 0 };
    HD Fp one() { return fp_one(); }
    HD Fp mul(const Fp& a, const Fp& b) { return fp_mul(a, b); }
    HD Fp invert(const Fp& a) { return fp_invert(a); }
    HD Fp canonical(const Fp& a) { return a; }
};

KERNEL(g1_gather, 8) {
    if (item >= args.p[0]) return;
    u32 row = args.buffer[1][item];
    bool is_there = row < args.p[2];
    const u32* point = args.buffer[0] + (u64)row * POINT;
    UNROLLED for (u32 i = 0; i < POINT; i++) {
        args.buffer[2][(u64)i * args.p[1] + item] = is_there ? point[i] : INFINITE;
    }
}

KERNEL(g1_products, 4) {
    u32 pairs = args.p[0], stride = args.p[1], threads = args.p[2], half = args.p[3];
    if (item >= threads || item >= pairs) return;
    const u32* points = args.buffer[0];
    Fp product = load_pair(points, stride, item, item + half).denominator;
    LOOP for (u32 pair = item + threads; pair < pairs; pair += threads) {
        store_columns<NUMBER>(args.buffer[1], args.p[4], 0, pair, product.w);
        product = fp_mul(product, load_pair(points, stride, pair, pair + half).denominator);
    }
    store_columns<NUMBER>(args.buffer[2], args.p[4], 0, item, product.w);
}

KERNEL(invert_fp381, 4) { invert_shared<ModuloFp>(args, item); }

KERNEL(g1_sums, 4) {
    u32 pairs = args.p[0], stride = args.p[1], threads = args.p[2], half = args.p[3];
    if (item >= threads || item >= pairs) return;
    const u32* points = args.buffer[0];
    Fp inverse = load_fp(args.buffer[2], args.p[4], 0, item);
    LOOP for (u32 left = (pairs - 1 - item) / threads + 1; left-- > 0;) {
        u32 a = item + left * threads, b = a + half;
        Fp own = inverse;
        if (left > 0) own = fp_mul(inverse, load_fp(args.buffer[1], args.p[4], 0, a));
        Pair pair = load_pair(points, stride, a, b);
        if (left > 0) inverse = fp_mul(inverse, pair.denominator);
        Fp y1 = load_fp(points, stride, NUMBER, a), y2 = load_fp(points, stride, NUMBER, b), x, y;
        if (pair.kind == DIFFERENT || pair.kind == SAME) {
            Fp slope = fp_mul(own, pair.kind == SAME ? tangent_numerator(pair.x1) : fp_sub(y2, y1));
            x = fp_sub(fp_sub(fp_square(slope), pair.x1), pair.x2);
            y = fp_sub(fp_mul(slope, fp_sub(pair.x1, x)), y1);
        } else {
            x = pair.kind == ONLY_SECOND ? pair.x2 : pair.x1;
            y = pair.kind == ONLY_SECOND ? y2 : y1;
            if (pair.kind == OPPOSITE) x.w[NUMBER - 1] = INFINITE;
        }
        store_fp(args.buffer[3], args.p[5], args.p[6], 0, a, x);
        store_fp(args.buffer[3], args.p[5], args.p[6], NUMBER, a, y);
    }
}
