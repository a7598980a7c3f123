// What every kernel stands on: words, how functions are declared for card and host, how a kernel is declared.
//
// NVRTC compiles these files from strings, without any system header. Plain C++ compilers make the host twin of them:
// there every kernel NAME becomes `NAME_host(args, threads)`, which runs its threads one after another.
#ifndef VIGIL_BASE
#define VIGIL_BASE

#ifdef __CUDACC__
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;
// A function that becomes part of its caller.
#define HD static __device__ __forceinline__
// A function that stays one: its code would be large many times over.
#define CALL static __device__ __noinline__
#define CONSTANT static __constant__ const
#else
#include <stdint.h>
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;
#define HD static inline
#define CALL static __attribute__((noinline))
#define CONSTANT static const
// 32-bit products of this thread so far.
static thread_local u64 products;
#endif

// Before loops that must become straight code, so that arrays of words stay in registers, and before those that must not.
#ifdef __CUDACC__
#define UNROLLED _Pragma("unroll")
#define LOOP _Pragma("unroll 1")
#else
#define UNROLLED
#define LOOP
#endif

// What a kernel is given: places of buffers, and parameters; see kernels/README.md.
struct Args {
    u32* buffer[8];
    u32 p[16];
};

// `KERNEL(name, groups) { ... }` has `args` and `item`, the thread's number; `groups` of 128 threads share a processor.
#ifdef __CUDACC__
#define KERNEL(name, groups)                                                                                  \
    HD void name##_thread(const Args& args, u32 item);                                                        \
    extern "C" __global__ void __launch_bounds__(128, groups) name(const __grid_constant__ Args args) {      \
        name##_thread(args, blockIdx.x * blockDim.x + threadIdx.x);                                           \
    }                                                                                                         \
    HD void name##_thread(const Args& args, u32 item)
#else
#define KERNEL(name, groups)                                                  \
    HD void name##_thread(const Args& args, u32 item);                        \
    extern "C" void name##_host(const Args* args, u32 threads) {              \
        for (u32 item = 0; item < threads; item++) name##_thread(*args, item); \
    }                                                                         \
    HD void name##_thread(const Args& args, u32 item)
#endif

// The bytes of a word in the other order.
HD u32 byte_reversed(u32 word) {
#ifdef __CUDA_ARCH__
    return __byte_perm(word, 0, 0x0123);
#else
    return __builtin_bswap32(word);
#endif
}

// Codes of answers.
enum { GOOD = 0, MALFORMED = 1, UNKNOWN = 2, OTHER_KEY = 3 };

#endif
