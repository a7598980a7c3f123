// Numbers of many words, the least significant first.
//
// On a card, a carry is a flag that PTX hands from instruction to instruction: `Chain` is empty there, and stands for it
// on the host. So both run the same chains. A product of two words and its addition to a pair of words is one instruction
// (IMAD.WIDE with carry), if the pair lies in even registers: therefore the sums of products at even and at odd places are
// kept apart until the end.
#ifndef VIGIL_WORDS
#define VIGIL_WORDS

#include "base.cuh"

struct Chain {
#ifndef __CUDA_ARCH__
    u32 carry;
#endif
};

#ifdef __CUDA_ARCH__
#define CHAIN(name, op)                                                          \
    HD u32 name(Chain&, u32 a, u32 b) {                                          \
        u32 r;                                                                   \
        asm volatile(op ".u32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));          \
        return r;                                                                \
    }
#define WIDE_CHAIN(name, low, high)                                                              \
    HD void name(Chain&, u32* r, u32 a, u32 b) {                                                 \
        asm volatile(low ".u32 %0, %1, %2, %3;" : "=r"(r[0]) : "r"(a), "r"(b), "r"(r[0]));       \
        asm volatile(high ".u32 %0, %1, %2, %3;" : "=r"(r[1]) : "r"(a), "r"(b), "r"(r[1]));      \
    }
#else
#define CHAIN(name, op) HD u32 name(Chain& chain, u32 a, u32 b) { return host_chain(chain, a, b, op); }
#define WIDE_CHAIN(name, low, high) HD void name(Chain& chain, u32* r, u32 a, u32 b) { host_wide(chain, r, a, b, low); }

// `op` is the PTX instruction: its c after the name takes the carry.
HD u32 host_chain(Chain& chain, u32 a, u32 b, const char* op) {
    u64 carry = op[3] == 'c' ? chain.carry : 0;
    u64 r = op[0] == 'a' ? (u64)a + b + carry : (u64)a - b - carry;
    chain.carry = (r >> 32) & 1;
    return (u32)r;
}

HD void host_wide(Chain& chain, u32* r, u32 a, u32 b, const char* op) {
    products++;
    unsigned __int128 sum = (unsigned __int128)a * b + ((u64)r[1] << 32 | r[0]) + (op[3] == 'c' ? chain.carry : 0);
    r[0] = (u32)sum;
    r[1] = (u32)(sum >> 32);
    chain.carry = (u32)(sum >> 64);
}
#endif

// a + b and a - b, with carry out; with carry in and out; the last of a chain.
CHAIN(add_first, "add.cc")
CHAIN(add_next, "addc.cc")
CHAIN(add_last, "addc")
CHAIN(sub_first, "sub.cc")
CHAIN(sub_next, "subc.cc")
CHAIN(sub_last, "subc")
// (r[0], r[1]) += a * b, likewise.
WIDE_CHAIN(wide_first, "mad.lo.cc", "madc.hi.cc")
WIDE_CHAIN(wide_next, "madc.lo.cc", "madc.hi.cc")
// The same without a carry out.
WIDE_CHAIN(wide_last, "madc.lo.cc", "madc.hi")
WIDE_CHAIN(wide_only, "mad.lo.cc", "madc.hi")

// a * b
HD u64 wide(u32 a, u32 b) {
#ifndef __CUDA_ARCH__
    products++;
#endif
    return (u64)a * b;
}

// r = a + b of N words; the carry.
template <int N>
HD u32 add_words(u32* r, const u32* a, const u32* b) {
    Chain chain;
    r[0] = add_first(chain, a[0], b[0]);
    UNROLLED for (int i = 1; i < N; i++) r[i] = add_next(chain, a[i], b[i]);
    return add_last(chain, 0, 0);
}

// r = a - b of N words; 1 if a < b.
template <int N>
HD u32 sub_words(u32* r, const u32* a, const u32* b) {
    Chain chain;
    r[0] = sub_first(chain, a[0], b[0]);
    UNROLLED for (int i = 1; i < N; i++) r[i] = sub_next(chain, a[i], b[i]);
    return sub_last(chain, 0, 0) & 1;
}

// Whether a < b.
template <int N>
HD bool below(const u32* a, const u32* b) {
    u32 difference[N];
    return sub_words<N>(difference, a, b);
}

template <int N>
HD bool is_zero_words(const u32* a) {
    u32 any = 0;
    UNROLLED for (int i = 0; i < N; i++) any |= a[i];
    return any == 0;
}

// r = choose ? b : a
template <int N>
HD void select_words(u32* r, const u32* a, const u32* b, bool choose) {
    UNROLLED for (int i = 0; i < N; i++) r[i] = choose ? b[i] : a[i];
}

// A row of products at every second place: N pairs r[0..2N) = b * (a[0], a[2], ...).
template <int N>
HD void row_new(u32* r, const u32* a, u32 b) {
    UNROLLED for (int i = 0; i < N; i++) {
        u64 product = wide(a[2 * i], b);
        r[2 * i] = (u32)product;
        r[2 * i + 1] = (u32)(product >> 32);
    }
}

// The same, added to r; the carry is written to r[2N].
template <int N>
HD void row_carry(u32* r, const u32* a, u32 b) {
    Chain chain;
    wide_first(chain, r, a[0], b);
    UNROLLED for (int i = 1; i < N; i++) wide_next(chain, r + 2 * i, a[2 * i], b);
    r[2 * N] = add_last(chain, 0, 0);
}

// The same, added to r[0..2N-1); r[2N-1] is written. r[2N-2] must be 0 or 1, so that no carry comes out:
// (2^32 - 1)^2 + 2 < 2^64.
template <int N>
HD void row_top(u32* r, const u32* a, u32 b) {
    Chain chain;
    r[2 * N - 1] = 0;
    if (N == 1) {
        wide_only(chain, r, a[0], b);
        return;
    }
    wide_first(chain, r, a[0], b);
    UNROLLED for (int i = 1; i < N - 1; i++) wide_next(chain, r + 2 * i, a[2 * i], b);
    wide_last(chain, r + 2 * N - 2, a[2 * N - 2], b);
}

// r = even + odd * 2^32, 2N words, of which odd has one less.
template <int N>
HD void join(u32* r, const u32* even, const u32* odd) {
    Chain chain;
    r[0] = even[0];
    r[1] = add_first(chain, even[1], odd[0]);
    UNROLLED for (int i = 2; i < 2 * N - 1; i++) r[i] = add_next(chain, even[i], odd[i - 1]);
    r[2 * N - 1] = add_last(chain, even[2 * N - 1], odd[2 * N - 2]);
}

// r = a * b: N words each, 2N the product, N even; N^2 products of words.
template <int N>
HD void mul_words(u32* r, const u32* a, const u32* b) {
    u32 even[2 * N], odd[2 * N - 1];
    row_new<N / 2>(even, a, b[0]);
    row_new<N / 2>(odd, a + 1, b[0]);
    even[N] = 0;
    UNROLLED for (int i = 1; i < N; i += 2) {
        row_carry<N / 2>(odd + i - 1, a, b[i]);
        row_top<N / 2>(even + i + 1, a + 1, b[i]);
        if (i == N - 1) break;
        row_carry<N / 2>(even + i + 1, a, b[i + 1]);
        row_top<N / 2>(odd + i + 1, a + 1, b[i + 1]);
    }
    join<N>(r, even, odd);
}

// Products of the words I and I + 1, I odd, with all above them; then those of the words that follow.
template <int N, int I>
HD void sqr_rows(u32* even, u32* odd, const u32* a) {
    enum { PAIRS = (N - 1 - I) / 2 };
    row_carry<PAIRS>(odd + 2 * I, a + I + 1, a[I]);
    row_top<PAIRS>(even + 2 * I + 2, a + I + 2, a[I]);
    row_top<PAIRS>(odd + 2 * I + 2, a + I + 2, a[I + 1]);
    if constexpr (PAIRS > 1) {
        row_carry<PAIRS - 1>(even + 2 * I + 4, a + I + 3, a[I + 1]);
        sqr_rows<N, I + 2>(even, odd, a);
    }
}

// r = a * a: N (N + 1) / 2 products. Those of different words come first and are doubled: their sum is below 2^(64 N - 32).
template <int N>
HD void sqr_words(u32* r, const u32* a) {
    u32 even[2 * N] = {}, odd[2 * N - 1] = {};
    row_new<N / 2>(odd, a + 1, a[0]);
    row_new<N / 2 - 1>(even + 2, a + 2, a[0]);
    sqr_rows<N, 1>(even, odd, a);
    u32 sum[2 * N];
    join<N>(sum, even, odd);
    UNROLLED for (int i = 2 * N - 1; i > 0; i--) r[i] = sum[i] << 1 | sum[i - 1] >> 31;
    r[0] = 0;
    Chain chain;
    wide_first(chain, r, a[0], a[0]);
    UNROLLED for (int i = 1; i < N - 1; i++) wide_next(chain, r + 2 * i, a[i], a[i]);
    wide_last(chain, r + 2 * N - 2, a[N - 1], a[N - 1]);
}

// r = a * b of any sizes, where speed does not matter.
template <int A, int B>
HD void mul_any(u32* r, const u32* a, const u32* b) {
    UNROLLED for (int i = 0; i < A; i++) r[i] = 0;
    UNROLLED for (int j = 0; j < B; j++) {
        u32 carry = 0;
        UNROLLED for (int i = 0; i < A; i++) {
            u64 sum = wide(a[i], b[j]) + r[i + j] + carry;
            r[i + j] = (u32)sum;
            carry = (u32)(sum >> 32);
        }
        r[A + j] = carry;
    }
}

#endif
