// Weighted sums of signer vectors; see kernels/README.md.
#include "tag.cuh"

// A thread's sum has at most 64 + 8 + 16 bits. The halves of weights are summed apart: 32 + 8 + 16 bits each.
KERNEL(signer_sums, 8) {
    if (item >= args.p[0]) return;
    const u32* entries = args.buffer[0] + item / 4;
    const u32* weights = args.buffer[1];
    u32 shift = 8 * (item % 4), words = args.p[3], vectors = args.p[2];
    u64 low = 0, high = 0;
    for (u32 k = 0; k < vectors; k++) {
        u32 entry = entries[(u64)k * words] >> shift & 0xff;
        low += (u64)weights[2 * k] * entry;
        high += (u64)weights[2 * k + 1] * entry;
    }
    high += low >> 32;
    u32 row[6] = {(u32)low, (u32)high, (u32)(high >> 32), 0};
    tag_row(args, item, 0, 0, row, 4);
    u32* answer = args.buffer[2] + 6 * (u64)item;
    UNROLLED for (u32 i = 0; i < 6; i++) answer[i] = row[i];
}
