// Columns of words, and inverses of many numbers in them with one inversion a thread (Montgomery's trick).
#ifndef VIGIL_COLUMNS
#define VIGIL_COLUMNS

#include "base.cuh"

template <int WORDS = 8>
HD void load_columns(u32* r, const u32* columns, u32 stride, u32 first, u32 item) {
    UNROLLED for (u32 i = 0; i < WORDS; i++) r[i] = columns[(u64)(first + i) * stride + item];
}

template <int WORDS = 8>
HD void store_columns(u32* columns, u32 stride, u32 first, u32 item, const u32* a) {
    UNROLLED for (u32 i = 0; i < WORDS; i++) columns[(u64)(first + i) * stride + item] = a[i];
}

// Thread `first` takes the items first, first + T, ... below `items`, T = p[2].
template <class Modulo>
HD void invert_shared(const Args& args, u32 first) {
    typedef typename Modulo::Number Number;
    enum { WORDS = sizeof(Number) / sizeof(u32) };
    u32 items = args.p[0], stride = args.p[1], step = args.p[2];
    if (first >= step || first >= items) return;
    u32* state = args.buffer[0];
    u32* prefix = args.buffer[1];
    Number product = Modulo::one(), number;
    u32 count = (items - 1 - first) / step + 1;
    LOOP for (u32 i = 0; i < count; i++) {
        u32 item = first + i * step;
        store_columns<WORDS>(prefix, stride, 0, item, product.w);
        load_columns<WORDS>(number.w, state, stride, Modulo::COLUMN, item);
        product = Modulo::mul(product, number);
    }
    product = Modulo::invert(product);
    LOOP for (u32 i = count; i-- > 0;) {
        u32 item = first + i * step;
        Number before;
        load_columns<WORDS>(before.w, prefix, stride, 0, item);
        load_columns<WORDS>(number.w, state, stride, Modulo::COLUMN, item);
        Number inverse = Modulo::canonical(Modulo::mul(product, before));
        product = Modulo::mul(product, number);
        store_columns<WORDS>(state, stride, Modulo::COLUMN, item, inverse.w);
    }
}

#endif
