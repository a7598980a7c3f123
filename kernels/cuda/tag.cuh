// Tags: what the host reads is what a kernel worked out.
#ifndef VIGIL_TAG
#define VIGIL_TAG

#include "base.cuh"

HD u32 tag_word(u32 seed, u32 item, const u32* words, u32 count) {
    u32 h = seed ^ item * 0x85ebca6b;
    for (u32 i = 0; i < count; i++) {
        h = (h ^ words[i]) * 0x9e3779b1;
        h ^= h >> 15;
    }
    return h;
}

// Writes the two words of tag behind the `count` words of an answer.
HD void tag_row(const Args& args, u32 item, u32* row, u32 count) {
    row[count] = tag_word(args.p[14], item, row, count);
    row[count + 1] = tag_word(args.p[15], item, row, count);
}

#endif
