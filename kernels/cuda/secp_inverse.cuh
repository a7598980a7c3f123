// What `invert_shared` needs to know of the moduli of secp256k1.
#ifndef VIGIL_SECP_INVERSE
#define VIGIL_SECP_INVERSE

#include "secp_rows.cuh"

struct ModuloOrder {
    typedef Num Number;
    enum { COLUMN = STATE_A };
    HD Num one() { return num_one(); }
    HD Num mul(const Num& a, const Num& b) { return num_mul(a, b); }
    HD Num invert(const Num& a) { return num_invert(a); }
    HD Num canonical(const Num& a) { return a; }
};

struct ModuloPrime {
    typedef Fe Number;
    enum { COLUMN = STATE_C };
    HD Fe one() { return fe_small(1); }
    HD Fe mul(const Fe& a, const Fe& b) { return fe_mul_far(a, b); }
    HD Fe invert(const Fe& a) { return fe_invert(a); }
    HD Fe canonical(const Fe& a) { return fe_canonical(a); }
};

#endif
