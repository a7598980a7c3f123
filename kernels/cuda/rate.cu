// How many multiplications a card does; see kernels/README.md.
#include "base.cuh"

// acc += a * b: one IMAD.WIDE of these two. (Of mad.wide, NVRTC 13.0 makes a product and additions, to wait less.)
HD void imad_wide(u64& acc, u32 a, u32 b) {
#ifdef __CUDA_ARCH__
    u32 low = (u32)acc, high = (u32)(acc >> 32);
    asm volatile("mad.lo.cc.u32 %0, %2, %3, %0; madc.hi.u32 %1, %2, %3, %1;" : "+r"(low), "+r"(high) : "r"(a), "r"(b));
    acc = (u64)high << 32 | low;
#else
    products++;
    acc += (u64)a * b;
#endif
}

// Eight sums of a thread. A factor is the low word of the next sum, so that no product can be worked out beforehand.
KERNEL(imad_rate, 8) {
    if (item >= args.p[0]) return;
    u64 acc[8];
    UNROLLED for (u32 i = 0; i < 8; i++) acc[i] = (u64)(item + 1) << 32 | (8 * item + i + 1);
    u32 b = 0x9e3779b1 + item;
    LOOP for (u32 round = 0; round < args.p[1]; round++) {
        UNROLLED for (u32 step = 0; step < 16; step++) {
            UNROLLED for (u32 i = 0; i < 8; i++) imad_wide(acc[i], (u32)acc[(i + 1) % 8], b);
        }
    }
    u64 sum = 0;
    UNROLLED for (u32 i = 0; i < 8; i++) sum ^= acc[i];
    args.buffer[0][item] = (u32)sum ^ (u32)(sum >> 32);
}
