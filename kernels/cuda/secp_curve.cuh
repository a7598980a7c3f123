// Points of y^2 = x^3 + 7.
//
// Z = 0 says that a sum met a point at infinity, or an addition that the formula cannot do (equal or opposite points): it
// stays 0 in all that follows. Formulas: dbl-2009-l and madd-2004-hmv of the Explicit-Formulas Database
// (hyperelliptic.org/EFD, curve shape a = 0).
#ifndef VIGIL_SECP_CURVE
#define VIGIL_SECP_CURVE

#include "secp_field.cuh"

struct Affine {
    Fe x, y;
};

// The point (X / Z^2, Y / Z^3).
struct Jacobian {
    Fe x, y, z;
};

// x^3 + 7
HD Fe curve_right(const Fe& x) { return fe_add(fe_mul_far(fe_mul_far(x, x), x), fe_small(7)); }

HD bool on_curve(const Affine& p) { return fe_equal(fe_mul_far(p.y, p.y), curve_right(p.x)); }

// p = 2 p, 2M + 5S.
HD void double_point(Jacobian& p) {
    p.z = fe_shl<1>(fe_mul(p.y, p.z));
    Fe a = fe_sqr(p.x);
    Fe b = fe_sqr(p.y);
    Fe c = fe_sqr(b);
    Fe d = fe_shl<1>(fe_sub(fe_sub(fe_sqr(fe_add(p.x, b)), a), c));
    Fe e = fe_add(fe_shl<1>(a), a);
    p.x = fe_sub(fe_sqr(e), fe_shl<1>(d));
    p.y = fe_sub(fe_mul(e, fe_sub(d, p.x)), fe_shl<3>(c));
}

// p = p + q, 8M + 3S; what Z was multiplied by. (7M + 4S saves 28 products of words, and costs six more additions of 8
// words, some 20 instructions each.)
HD Fe add_point(Jacobian& p, const Affine& q) {
    Fe zz = fe_sqr(p.z);
    Fe h = fe_sub(fe_mul(q.x, zz), p.x);
    Fe r = fe_sub(fe_mul(fe_mul(zz, p.z), q.y), p.y);
    p.z = fe_mul(p.z, h);
    Fe hh = fe_sqr(h);
    Fe v = fe_mul(p.x, hh);
    Fe hhh = fe_mul(hh, h);
    p.x = fe_sub(fe_sub(fe_sqr(r), hhh), fe_shl<1>(v));
    p.y = fe_sub(fe_mul(r, fe_sub(v, p.x)), fe_mul(p.y, hhh));
    return h;
}

// The affine point (x, y) where Z is 1, on the curve that is isomorphic to the one where it is `z`.
HD Affine rescaled(const Affine& p, const Fe& z) {
    Fe zz = fe_mul_far(z, z);
    Affine r;
    r.x = fe_mul_far(p.x, zz);
    r.y = fe_mul_far(p.y, fe_mul_far(zz, z));
    return r;
}

// beta, with beta (x, y) = lambda times the point.
CONSTANT u32 BETA[8] = {0x719501ee, 0xc1396c28, 0x12f58995, 0x9cf04975, 0xac3434e9, 0x6e64479e, 0x657c0710, 0x7ae96a2b};

HD Fe fe_beta() {
    Fe r;
    UNROLLED for (int i = 0; i < 8; i++) r.w[i] = BETA[i];
    return r;
}

// P, 2 P, ... 8 P, on a curve where all have Z = 1.
struct Table {
    Affine point[8];
    // beta times each x.
    Fe beta_x[8];
};

// Fills the table of a point; the Z that all would have on the curve itself. No addition meets an exception: the order of
// the group is a prime above 8.
//
// Multiple after multiple by adding P; then, from the last one down, each is brought to the last one's Z by the product of
// what Z was multiplied by since.
HD Fe fill_table(Table& table, const Affine& p) {
    Jacobian sum = {p.x, p.y, fe_small(1)};
    double_point(sum);
    table.point[0] = p;
    LOOP for (int i = 1;; i++) {
        table.point[i].x = sum.x;
        table.point[i].y = sum.y;
        if (i == 7) break;
        // The factor waits where beta x will be. From P to 2 P it is the Z of 2 P.
        if (i == 1) table.beta_x[1] = sum.z;
        table.beta_x[i + 1] = add_point(sum, p);
    }
    Fe factor = table.beta_x[7];
    table.beta_x[7] = fe_mul_far(table.point[7].x, fe_beta());
    LOOP for (int i = 6; i >= 0; i--) {
        Affine point = rescaled(table.point[i], factor);
        if (i > 0) factor = fe_mul_far(factor, table.beta_x[i]);
        table.point[i] = point;
        table.beta_x[i] = fe_mul_far(point.x, fe_beta());
    }
    return sum.z;
}

#endif
