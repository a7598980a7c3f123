// A library that plays NVIDIA's run-time compiler, for crates/accel/src/gpu/cuda/tests. What it makes is words, no code. The
// environment says what goes wrong:
//
//   FAKE_NVRTC_FAIL=n   the n-th call fails
//   FAKE_NVRTC_OLD=1    it knows no architecture by its own name
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, COMPILATION = 6, INVALID_OPTION = 5 };
static const char CUBIN[] = "a fake cubin", PTX[] = "fake ptx", LOG[] = "the fake compiler's log";

static long at(const char* name) {
    const char* value = getenv(name);
    return value ? atol(value) : 0;
}

static int called(const char* name) {
    static long calls;
    if (++calls != at("FAKE_NVRTC_FAIL")) return OK;
    fprintf(stderr, "fake compiler: call %ld, %s: fails\n", calls, name);
    return COMPILATION;
}

static int give(void* to, const void* from, size_t bytes, const char* name) {
    memcpy(to, from, bytes);
    return called(name);
}

int nvrtcCreateProgram(void** made, const char* text, const char* name, int count, const char** texts, const char** names) {
    static int program;
    *made = &program;
    // Some header that the source includes is there.
    int found = 0;
    for (int i = 0; i < count; i++) found |= strstr(text, names[i]) && strlen(texts[i]) > 100;
    return found && strstr(name, ".cu") ? called(__func__) : COMPILATION;
}
int nvrtcDestroyProgram(void** program) {
    *program = 0;
    return called(__func__);
}
int nvrtcCompileProgram(void* program, int count, const char** options) {
    if (at("FAKE_NVRTC_OLD") && strstr(options[0], "=sm_")) return INVALID_OPTION;
    return program && count == 2 ? called(__func__) : COMPILATION;
}
#define OUTPUT(name, what)                                                                                     \
    int nvrtcGet##name##Size(void* program, size_t* bytes) {                                                   \
        size_t size = sizeof what;                                                                             \
        return program ? give(bytes, &size, sizeof size, __func__) : COMPILATION;                              \
    }                                                                                                          \
    int nvrtcGet##name(void* program, char* to) {                                                              \
        return program ? give(to, what, sizeof what, __func__) : COMPILATION;                                  \
    }
OUTPUT(CUBIN, CUBIN)
OUTPUT(PTX, PTX)
OUTPUT(ProgramLog, LOG)
const char* nvrtcGetErrorString(int code) { return code == INVALID_OPTION ? "INVALID_OPTION" : "COMPILATION"; }
