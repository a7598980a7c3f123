// Keccak-256 of messages; see kernels/README.md.
#include "keccak.cuh"
#include "tag.cuh"

KERNEL(keccak_messages, 4) {
    if (item >= args.p[0]) return;
    const u32* span = args.buffer[1] + 2 * (u64)item;
    const u32* message = args.buffer[0] + span[0];
    u32 length = span[1], digest[10];
    keccak_message(digest, message, length);
    u32 count = 8;
    if (args.p[5] == 1) {
        for (u32 i = 0; i < 2; i++) {
            u32 h = tag_words(args.p[14 + i] ^ item * 0x85ebca6b, &length, 1);
            digest[8 + i] = tag_words(tag_words(h, message, (length + 3) / 4), digest, 8);
        }
        count = 10;
    }
    u32* answer = args.buffer[2] + (u64)item * args.p[3] + args.p[4];
    UNROLLED for (u32 i = 0; i < 10; i++) {
        if (i < count) answer[i] = digest[i];
    }
}
