// Tags: what the host reads is what a kernel worked out.
#ifndef VIGIL_TAG
#define VIGIL_TAG

#include "base.cuh"

HD u32 tag_words(u32 h, const u32* words, u32 count) {
    for (u32 i = 0; i < count; i++) {
        h = (h ^ words[i]) * 0x9e3779b1;
        h ^= h >> 15;
    }
    return h;
}

// Writes the two words of tag behind the `count` words of an answer: of what was asked, if there is a row, and of them.
HD void tag_row(const Args& args, u32 item, const u32* asked, u32 asked_count, u32* row, u32 count) {
    for (u32 i = 0; i < 2; i++) {
        u32 h = tag_words(args.p[14 + i] ^ item * 0x85ebca6b, asked, asked_count);
        row[count + i] = tag_words(h, row, count);
    }
}

#endif
