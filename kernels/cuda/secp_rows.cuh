// How items, state and points lie in buffers; see kernels/README.md.
#ifndef VIGIL_SECP_ROWS
#define VIGIL_SECP_ROWS

#include "columns.cuh"
#include "secp_curve.cuh"
#include "secp_order.cuh"

// Words of an item's row, and of its columns of state.
enum { ROW_DIGEST = 0, ROW_R = 8, ROW_S = 16, ROW_V = 24, ROW_KEY = 25, ROW_TABLE = 25 };
enum { STATE_A = 0, STATE_B = 8, STATE_C = 16, STATE_CODE = 24 };
// What is asked.
enum { RECOVER = 0, KNOWN = 1, HOT = 2 };

// 32 bytes, big-endian.
HD void load_bytes(u32* r, const u32* words) {
    UNROLLED for (int i = 0; i < 8; i++) r[i] = byte_reversed(words[7 - i]);
}

HD void store_bytes(u32* words, const u32* a) {
    UNROLLED for (int i = 0; i < 8; i++) words[i] = byte_reversed(a[7 - i]);
}

HD u32 load_code(const u32* state, u32 stride, u32 item) { return state[(u64)STATE_CODE * stride + item]; }

HD void store_code(u32* state, u32 stride, u32 item, u32 code) { state[(u64)STATE_CODE * stride + item] = code; }

// A point of a table; 16 words that begin at 64 bytes.
HD Affine load_point(const u32* words) {
    Affine r;
#ifdef __CUDA_ARCH__
    const uint4* lines = (const uint4*)words;
    uint4 a = __ldg(lines), b = __ldg(lines + 1), c = __ldg(lines + 2), d = __ldg(lines + 3);
    r.x = {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
    r.y = {{c.x, c.y, c.z, c.w, d.x, d.y, d.z, d.w}};
#else
    for (int i = 0; i < 8; i++) {
        r.x.w[i] = words[i];
        r.y.w[i] = words[8 + i];
    }
#endif
    return r;
}

HD Num num_of_bytes(const u32* words) {
    Num r;
    load_bytes(r.w, words);
    return r;
}

// A digest as ECDSA reads it.
HD Num num_of_digest(const u32* words) {
    u32 a[8];
    load_bytes(a, words);
    return num_subtract_once(a, 0);
}

#endif
