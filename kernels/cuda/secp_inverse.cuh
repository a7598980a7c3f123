// Inverses of many numbers, one inversion a thread (Montgomery's trick).
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

// Thread `first` takes the items first, first + T, ... below `items`, T = p[2].
template <class Modulo>
HD void invert_shared(const Args& args, u32 first) {
    typedef typename Modulo::Number Number;
    u32 items = args.p[0], stride = args.p[1], step = args.p[2];
    if (first >= step || first >= items) return;
    u32* state = args.buffer[0];
    u32* prefix = args.buffer[1];
    Number product = Modulo::one(), number;
    u32 count = (items - 1 - first) / step + 1;
    LOOP for (u32 i = 0; i < count; i++) {
        u32 item = first + i * step;
        store_columns(prefix, stride, 0, item, product.w);
        load_columns(number.w, state, stride, Modulo::COLUMN, item);
        product = Modulo::mul(product, number);
    }
    product = Modulo::invert(product);
    LOOP for (u32 i = count; i-- > 0;) {
        u32 item = first + i * step;
        Number before;
        load_columns(before.w, prefix, stride, 0, item);
        load_columns(number.w, state, stride, Modulo::COLUMN, item);
        Number inverse = Modulo::canonical(Modulo::mul(product, before));
        product = Modulo::mul(product, number);
        store_columns(state, stride, Modulo::COLUMN, item, inverse.w);
    }
}

#endif
