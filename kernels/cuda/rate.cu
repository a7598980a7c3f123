// How many multiplications a card does; see kernels/README.md.
#include "base.cuh"

// acc += low word of acc * b: one IMAD.WIDE, which no compiler can take out of the loop.
HD void imad_wide(u64& acc, u32 b) {
#ifdef __CUDA_ARCH__
    asm volatile("mad.wide.u32 %0, %1, %2, %0;" : "+l"(acc) : "r"((u32)acc), "r"(b));
#else
    products++;
    acc += (u64)(u32)acc * b;
#endif
}

// Eight sums of a thread do not wait for each other.
KERNEL(imad_rate, 8) {
    if (item >= args.p[0]) return;
    u64 acc[8];
    UNROLLED for (u32 i = 0; i < 8; i++) acc[i] = (u64)(item + 1) << 32 | (8 * item + i + 1);
    u32 b = 0x9e3779b1 + item;
    LOOP for (u32 round = 0; round < args.p[1]; round++) {
        UNROLLED for (u32 step = 0; step < 16; step++) {
            UNROLLED for (u32 i = 0; i < 8; i++) imad_wide(acc[i], b);
        }
    }
    u64 sum = 0;
    UNROLLED for (u32 i = 0; i < 8; i++) sum ^= acc[i];
    args.buffer[0][item] = (u32)sum ^ (u32)(sum >> 32);
}
