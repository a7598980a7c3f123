// A library that plays NVIDIA's driver, for crates/accel/src/gpu/cuda/tests.
//
// One card, or as many as FAKE_CUDA_CARDS says, which share all but their memory. Streams do nothing before an event is asked for the second time: then what was put in before it is done, so that
// memory which is freed or used again too early is found out, and ends the process. Kernels are those of the host twin
// (kernels/cuda/twin.cpp) if it is linked, else they do nothing. The environment says what goes wrong, at which call:
//
//   FAKE_CUDA_FAIL=n    the n-th call fails with FAKE_CUDA_CODE, or 999
//   FAKE_CUDA_HANG=n    it never returns
//   FAKE_CUDA_STUCK=n   from it on, no event is passed
//   FAKE_CUDA_GONE=file every call fails while it is there
//
// FAKE_CUDA_PINNED=n: there is pinned memory of n bytes, no more.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, INVALID = 1, OUT_OF_MEMORY = 2, NO_CONTEXT = 201, NOT_READY = 600, UNKNOWN = 999 };
enum { MEMORY = 128 << 20, PLACES = 8 };

typedef struct {
    uint32_t* buffer[PLACES];
    uint32_t p[16];
} Args;
typedef void (*Kernel)(const Args* args, uint32_t threads);

// Either a copy or a kernel.
typedef struct Work {
    struct Work* next;
    void* to;
    const void* from;
    size_t bytes;
    Kernel kernel;
    Args args;
    uint32_t threads;
} Work;
typedef struct Stream {
    struct Stream* next;
    Work *first, **last;
    long put, done;
} Stream;
// It is passed when so much of the stream is done.
typedef struct {
    Stream* stream;
    long until;
    int asked;
} Event;
typedef struct Block {
    struct Block* next;
    char* at;
    size_t bytes;
} Block;
typedef struct {
    const char* name;
    Kernel kernel;
} Function;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Stream* streams;
static Block* blocks;
static size_t taken, pinned;
static long calls;
static int is_stuck;
static _Thread_local void* current;
static int context;

#define KERNELS(X)                                                                                                         \
    X(secp_prepare) X(invert_order) X(secp_sum) X(secp_sum_hot) X(invert_field) X(recover_finish) X(known_finish)          \
    X(signer_finish) X(keccak_messages) X(signer_sums) X(fp381)                                                            \
    X(g1_gather) X(g1_products) X(invert_fp381) X(g1_sums) X(imad_rate)
#define DECLARE(name) extern void name##_host(const Args*, uint32_t) __attribute__((weak));
KERNELS(DECLARE)
#define ENTRY(name) {#name, name##_host},

static void found_out(const char* what) {
    fprintf(stderr, "fake driver: %s\n", what);
    abort();
}

static long at(const char* name) {
    const char* value = getenv(name);
    return value ? atol(value) : 0;
}

static int cards(void) {
    return getenv("FAKE_CUDA_CARDS") ? (int)at("FAKE_CUDA_CARDS") : 1;
}

// Counts a call; what it answers if it goes wrong.
static int enter(const char* name) {
    pthread_mutex_lock(&lock);
    long call = ++calls;
    if (call == at("FAKE_CUDA_STUCK")) is_stuck = 1;
    pthread_mutex_unlock(&lock);
    if (call == at("FAKE_CUDA_STUCK")) fprintf(stderr, "fake driver: call %ld, %s: stuck\n", call, name);
    if (call == at("FAKE_CUDA_HANG")) {
        fprintf(stderr, "fake driver: call %ld, %s: hangs\n", call, name);
        for (;;) pause();
    }
    int is_gone = getenv("FAKE_CUDA_GONE") && !access(getenv("FAKE_CUDA_GONE"), F_OK);
    if (is_gone || call == at("FAKE_CUDA_FAIL")) {
        fprintf(stderr, "fake driver: call %ld, %s: fails\n", call, name);
        return getenv("FAKE_CUDA_CODE") ? (int)at("FAKE_CUDA_CODE") : UNKNOWN;
    }
    return OK;
}

#define CALL(...)                          \
    do {                                   \
        int wrong = enter(__func__);       \
        if (wrong) return wrong;           \
        __VA_ARGS__;                       \
    } while (0)
#define NEEDS_CONTEXT \
    if (current != &context) return NO_CONTEXT

static void* block_new(size_t bytes) {
    Block* block = malloc(sizeof *block);
    block->at = aligned_alloc(256, (bytes + 255) / 256 * 256);
    block->bytes = bytes;
    memset(block->at, 0xa5, bytes);
    pthread_mutex_lock(&lock);
    block->next = blocks, blocks = block;
    pthread_mutex_unlock(&lock);
    return block->at;
}

// Whether bytes are in memory that is there; if not, somebody freed it too early.
static void check(const void* from, size_t bytes) {
    for (Block* block = blocks; block; block = block->next) {
        if ((char*)from >= block->at && (char*)from + bytes <= block->at + block->bytes) return;
    }
    found_out("work on memory that is not there");
}

static int is_inside(const void* place, const Block* block) {
    return (char*)place >= block->at && (char*)place < block->at + block->bytes;
}

static int is_used(const Work* work, const Block* block) {
    if (work->to) return is_inside(work->to, block) || is_inside(work->from, block);
    for (int i = 0; i < PLACES; i++) {
        if (is_inside(work->args.buffer[i], block)) return 1;
    }
    return 0;
}

// Gives a block back, which no work under way may use; its size.
static size_t block_free(void* place) {
    pthread_mutex_lock(&lock);
    Block** link = &blocks;
    while (*link && (*link)->at != place) link = &(*link)->next;
    Block* block = *link;
    if (!block) found_out("memory is freed that is not there");
    for (Stream* stream = streams; stream; stream = stream->next) {
        for (Work* work = stream->first; work; work = work->next) {
            if (is_used(work, block)) found_out("memory is freed that is in use");
        }
    }
    *link = block->next;
    pthread_mutex_unlock(&lock);
    size_t bytes = block->bytes;
    memset(block->at, 0x5a, bytes);
    free(block->at), free(block);
    return bytes;
}

static void put(Stream* stream, Work work) {
    Work* copy = malloc(sizeof *copy);
    *copy = work;
    pthread_mutex_lock(&lock);
    *stream->last = copy, stream->last = &copy->next;
    stream->put++;
    pthread_mutex_unlock(&lock);
}

static void run(Work* work) {
    if (work->kernel) {
        for (int i = 0; i < PLACES; i++) {
            if (work->args.buffer[i]) check(work->args.buffer[i], 1);
        }
        work->kernel(&work->args, work->threads);
    } else if (work->to) {
        check(work->to, work->bytes), check(work->from, work->bytes);
        memcpy(work->to, work->from, work->bytes);
    }
}

// Does what lies before an event.
static void run_until(Event* event) {
    Stream* stream = event->stream;
    for (; stream->done < event->until; stream->done++) {
        Work* work = stream->first;
        run(work);
        if (stream->last == &work->next) stream->last = &stream->first;
        stream->first = work->next;
        free(work);
    }
}

int cuInit(unsigned flags) {
    CALL();
    return flags ? INVALID : OK;
}
int cuDriverGetVersion(int* version) {
    CALL(*version = 12080);
    return OK;
}
// NVRTC asks for tables that no document names; it does without.
int cuGetExportTable(const void** table, const void* id) {
    (void)id;
    *table = 0;
    return INVALID;
}
int cuGetErrorName(int code, const char** name) {
    *name = code == UNKNOWN ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR_OF_SOME_KIND";
    return OK;
}
int cuDeviceGetCount(int* count) {
    CALL(*count = cards());
    return OK;
}
int cuDeviceGet(int* device, int ordinal) {
    CALL(*device = 7);
    return ordinal < cards() ? OK : INVALID;
}
int cuDeviceGetName(char* name, int room, int device) {
    CALL(snprintf(name, (size_t)room, "Fake"));
    return device == 7 ? OK : INVALID;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
    // Multiprocessors, compute capability.
    CALL(*value = attribute == 16 ? 4 : attribute == 75 ? 9 : 0);
    return device == 7 ? OK : INVALID;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
    CALL(*bytes = MEMORY);
    return device == 7 ? OK : INVALID;
}
int cuDevicePrimaryCtxRetain(void** made, int device) {
    CALL(*made = &context);
    return device == 7 ? OK : INVALID;
}
int cuDevicePrimaryCtxRelease_v2(int device) {
    CALL();
    return device == 7 ? OK : INVALID;
}
int cuCtxSetCurrent(void* to) {
    CALL(current = to);
    return OK;
}
int cuMemGetInfo_v2(size_t* left, size_t* total) {
    CALL(*left = *total = MEMORY);
    NEEDS_CONTEXT;
    return OK;
}
int cuMemAlloc_v2(uint64_t* place, size_t bytes) {
    CALL();
    NEEDS_CONTEXT;
    if (!bytes) return INVALID;
    if (__atomic_add_fetch(&taken, bytes, __ATOMIC_SEQ_CST) > (size_t)MEMORY * cards()) {
        __atomic_sub_fetch(&taken, bytes, __ATOMIC_SEQ_CST);
        return OUT_OF_MEMORY;
    }
    *place = (uint64_t)block_new(bytes);
    return OK;
}
int cuMemFree_v2(uint64_t place) {
    CALL();
    NEEDS_CONTEXT;
    __atomic_sub_fetch(&taken, block_free((void*)place), __ATOMIC_SEQ_CST);
    return OK;
}
int cuMemHostAlloc(void** place, size_t bytes, unsigned flags) {
    CALL();
    NEEDS_CONTEXT;
    if (!bytes || flags) return INVALID;
    if (__atomic_add_fetch(&pinned, bytes, __ATOMIC_SEQ_CST) > (size_t)at("FAKE_CUDA_PINNED") && getenv("FAKE_CUDA_PINNED")) {
        __atomic_sub_fetch(&pinned, bytes, __ATOMIC_SEQ_CST);
        return OUT_OF_MEMORY;
    }
    *place = block_new(bytes);
    return OK;
}
int cuMemFreeHost(void* place) {
    CALL();
    NEEDS_CONTEXT;
    __atomic_sub_fetch(&pinned, block_free(place), __ATOMIC_SEQ_CST);
    return OK;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream) {
    CALL();
    NEEDS_CONTEXT;
    put(stream, (Work){.to = (void*)to, .from = from, .bytes = bytes});
    return OK;
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream) {
    CALL();
    NEEDS_CONTEXT;
    put(stream, (Work){.to = to, .from = (void*)from, .bytes = bytes});
    return OK;
}
int cuModuleLoadData(void** module, const void* image) {
    static int loaded;
    CALL(*module = &loaded);
    NEEDS_CONTEXT;
    return *(const char*)image ? OK : INVALID;
}
int cuModuleGetFunction(Function** function, void* module, const char* name) {
    static Function functions[] = {KERNELS(ENTRY){0}};
    CALL();
    NEEDS_CONTEXT;
    for (*function = functions; (*function)->name; ++*function) {
        if (module && !strcmp((*function)->name, name)) return OK;
    }
    return INVALID;
}
int cuModuleUnload(void* module) {
    CALL();
    NEEDS_CONTEXT;
    return module ? OK : INVALID;
}
int cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned group_x,
                   unsigned group_y, unsigned group_z, unsigned shared, Stream* stream, void** params, void** extra) {
    CALL();
    NEEDS_CONTEXT;
    if (!grid_x || grid_y != 1 || grid_z != 1 || group_x != 128 || group_y != 1 || group_z != 1) return INVALID;
    if (shared || extra) return INVALID;
    Args args = *(Args*)params[0];
    put(stream, (Work){.kernel = function->kernel, .args = args, .threads = grid_x * group_x});
    return OK;
}
int cuStreamCreate(Stream** made, unsigned flags) {
    CALL();
    NEEDS_CONTEXT;
    if (flags != 1) return INVALID;
    Stream* stream = calloc(1, sizeof *stream);
    stream->last = &stream->first;
    pthread_mutex_lock(&lock);
    stream->next = streams, streams = stream;
    pthread_mutex_unlock(&lock);
    *made = stream;
    return OK;
}
int cuStreamDestroy_v2(Stream* stream) {
    CALL();
    NEEDS_CONTEXT;
    if (stream->first) found_out("a stream is destroyed that is not empty");
    return OK;
}
int cuEventCreate(Event** made, unsigned flags) {
    CALL();
    NEEDS_CONTEXT;
    *made = calloc(1, sizeof **made);
    return flags == 2 ? OK : INVALID;
}
int cuEventRecord(Event* event, Stream* stream) {
    CALL();
    NEEDS_CONTEXT;
    pthread_mutex_lock(&lock);
    *event = (Event){.stream = stream, .until = stream->put};
    pthread_mutex_unlock(&lock);
    return OK;
}
int cuEventQuery(Event* event) {
    CALL();
    NEEDS_CONTEXT;
    pthread_mutex_lock(&lock);
    int is_ready = !is_stuck && event->asked++;
    if (is_ready && event->stream) run_until(event);
    pthread_mutex_unlock(&lock);
    return is_ready ? OK : NOT_READY;
}
int cuEventDestroy_v2(Event* event) {
    CALL(free(event));
    NEEDS_CONTEXT;
    return OK;
}
