// Keccak-256: the sponge of FIPS 202 with the padding byte 1.
#ifndef VIGIL_KECCAK
#define VIGIL_KECCAK

#include "base.cuh"

CONSTANT u64 ROUND_CONSTANTS[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// 64-bit words of a block, and bytes.
enum { RATE = 17, RATE_BYTES = 136 };

template <int BITS>
HD u64 rotated(u64 lane) {
    return BITS == 0 ? lane : lane << BITS | lane >> ((64 - BITS) & 63);
}

// b[y, 2x + 3y] = rotated a[x, y] (rho and pi), for the lane at x + 5 y.
#define RHO_PI(x, y, bits) b[y + 5 * ((2 * x + 3 * y) % 5)] = rotated<bits>(a[x + 5 * y])

HD void keccak_round(u64* a, u64 constant) {
    u64 c[5], b[25];
    UNROLLED for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    UNROLLED for (int x = 0; x < 5; x++) {
        u64 d = c[(x + 4) % 5] ^ rotated<1>(c[(x + 1) % 5]);
        UNROLLED for (int y = 0; y < 25; y += 5) a[x + y] ^= d;
    }
    RHO_PI(0, 0, 0), RHO_PI(1, 0, 1), RHO_PI(2, 0, 62), RHO_PI(3, 0, 28), RHO_PI(4, 0, 27);
    RHO_PI(0, 1, 36), RHO_PI(1, 1, 44), RHO_PI(2, 1, 6), RHO_PI(3, 1, 55), RHO_PI(4, 1, 20);
    RHO_PI(0, 2, 3), RHO_PI(1, 2, 10), RHO_PI(2, 2, 43), RHO_PI(3, 2, 25), RHO_PI(4, 2, 39);
    RHO_PI(0, 3, 41), RHO_PI(1, 3, 45), RHO_PI(2, 3, 15), RHO_PI(3, 3, 21), RHO_PI(4, 3, 8);
    RHO_PI(0, 4, 18), RHO_PI(1, 4, 2), RHO_PI(2, 4, 61), RHO_PI(3, 4, 56), RHO_PI(4, 4, 14);
    UNROLLED for (int y = 0; y < 25; y += 5) {
        UNROLLED for (int x = 0; x < 5; x++) a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
    }
    a[0] ^= constant;
}

#undef RHO_PI

HD void keccak_permute(u64* a) {
    LOOP for (int round = 0; round < 24; round++) keccak_round(a, ROUND_CONSTANTS[round]);
}

// Word `index` of a message of so many bytes, with the first byte of the padding behind it, 0 from there on. Bytes of the
// message's last word that are not the message's may be anything.
HD u32 keccak_word(const u32* message, u32 bytes, u32 index) {
    u32 whole = bytes / 4, rest = 8 * (bytes % 4);
    if (index < whole) return message[index];
    if (index > whole) return 0;
    u32 padding = (u32)1 << rest;
    return rest == 0 ? padding : (message[index] & (padding - 1)) | padding;
}

// The digest, 8 words, of a message.
HD void keccak_message(u32* digest, const u32* message, u32 bytes) {
    u64 a[25] = {};
    u32 blocks = bytes / RATE_BYTES + 1;
    LOOP for (u32 block = 0; block < blocks; block++) {
        u32 first = 2 * RATE * block;
        UNROLLED for (int i = 0; i < RATE; i++) {
            u64 low = keccak_word(message, bytes, first + 2 * i);
            a[i] ^= low | (u64)keccak_word(message, bytes, first + 2 * i + 1) << 32;
        }
        if (block == blocks - 1) a[RATE - 1] ^= 0x8000000000000000;
        keccak_permute(a);
    }
    UNROLLED for (int i = 0; i < 4; i++) {
        digest[2 * i] = (u32)a[i];
        digest[2 * i + 1] = (u32)(a[i] >> 32);
    }
}

// The same of 16 words.
HD void keccak_point(u32* digest, const u32* words) {
    u64 a[25] = {};
    UNROLLED for (int i = 0; i < 8; i++) a[i] = words[2 * i] | (u64)words[2 * i + 1] << 32;
    a[8] = 1;
    a[RATE - 1] = 0x8000000000000000;
    keccak_permute(a);
    UNROLLED for (int i = 0; i < 4; i++) {
        digest[2 * i] = (u32)a[i];
        digest[2 * i + 1] = (u32)(a[i] >> 32);
    }
}

#endif
