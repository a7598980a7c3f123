// Keccak-256 of messages; see kernels/README.md.
#include "keccak.cuh"
#include "tag.cuh"

KERNEL(keccak_messages, 4) {
    if (item >= args.p[0]) return;
    const u32* span = args.buffer[1] + 2 * (u64)item;
    u32 digest[10];
    keccak_message(digest, args.buffer[0] + span[0], span[1]);
    u32 count = 8;
    if (args.p[5] == 1) {
        tag_row(args, item, 0, 0, digest, 8);
        count = 10;
    }
    u32* answer = args.buffer[2] + (u64)item * args.p[3] + args.p[4];
    UNROLLED for (u32 i = 0; i < 10; i++) {
        if (i < count) answer[i] = digest[i];
    }
}
