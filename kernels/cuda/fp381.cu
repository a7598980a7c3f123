// Programs on numbers modulo the prime of BLS12-381; see kernels/README.md.
#include "fp381_field.cuh"

// Codes of instructions.
enum {
    OP_SUM,
    OP_ADD,
    OP_SUB,
    OP_SQUARES,
    OP_SELECT,
    OP_MOVE,
    OP_NEIGHBOUR,
    OP_INPUT,
    OP_OUTPUT,
    OP_ZERO,
    OP_ODD,
    OP_LARGE,
    OP_LOGIC,
    OP_BIT,
    OP_OUTPUT_FLAG
};

// Operands from here on are constants.
enum { CONSTANTS = 0x8000 };

HD Fp load_register(const Args& args, u32 item, u32 number) {
    const u32* word = args.buffer[0] + (u64)(NUMBER * number) * args.p[1] + item;
    Fp r;
    UNROLLED for (int i = 0; i < NUMBER; i++) r.w[i] = word[(u64)i * args.p[1]];
    return r;
}

HD void store_register(const Args& args, u32 item, u32 number, const Fp& a) {
    u32* word = args.buffer[0] + (u64)(NUMBER * number) * args.p[1] + item;
    UNROLLED for (int i = 0; i < NUMBER; i++) word[(u64)i * args.p[1]] = a.w[i];
}

HD Fp load_words(const u32* words) {
    Fp r;
    UNROLLED for (int i = 0; i < NUMBER; i++) r.w[i] = words[i];
    return r;
}

// A register or a constant.
HD Fp load_operand(const Args& args, u32 item, u32 operand) {
    if (operand >= CONSTANTS) return load_words(args.buffer[2] + (operand - CONSTANTS) * NUMBER);
    return load_register(args, item, operand);
}

HD Fp sum_of_products(const Args& args, u32 item, const u32* code, u32 count) {
    u32 sum[24] = {};
    LOOP for (u32 i = 0; i < count; i++) {
        Fp a = load_operand(args, item, code[2 + i] & 0xffff);
        Fp b = load_operand(args, item, code[2 + i] >> 16);
        if (code[1] >> i & 1) b = fp_opposite(b);
        u32 product[24];
        mul_words<NUMBER>(product, a.w, b.w);
        add_words<24>(sum, sum, product);
    }
    return fp_reduce(sum);
}

// A truth value about a number.
HD bool test(u32 op, const Fp& a) {
    if (op == OP_ZERO) return is_zero_words<NUMBER>(a.w);
    Fp plain = fp_plain(a);
    return op == OP_ODD ? plain.w[0] & 1 : below<NUMBER>(FP_HALF, plain.w);
}

KERNEL(fp381, 5) {
    if (item >= args.p[0]) return;
    const u32* input = args.buffer[3] + (u64)item * args.p[5];
    u32* answer = args.buffer[4] + (u64)item * args.p[6];
    u32* stored_flags = args.buffer[0] + (u64)args.p[7] * args.p[1] + item;
    u32 flags = *stored_flags;
    LOOP for (u32 at = args.p[2]; at < args.p[3]; at++) {
        const u32* code = args.buffer[1] + (u64)at * 8;
        u32 op = code[0] & 0xff, to = code[0] >> 16, n = code[1], a = code[2] & 0xffff, b = code[2] >> 16;
        Fp r;
        bool flag = false;
        switch (op) {
            case OP_SUM: r = sum_of_products(args, item, code, code[0] >> 8 & 0xff); break;
            case OP_ADD: r = fp_add(load_operand(args, item, a), load_operand(args, item, b)); break;
            case OP_SUB: r = fp_sub(load_operand(args, item, a), load_operand(args, item, b)); break;
            case OP_SQUARES:
                r = load_operand(args, item, a);
                LOOP for (u32 i = 0; i < n; i++) r = fp_square(r);
                break;
            case OP_SELECT: r = load_operand(args, item, flags >> n & 1 ? a : b); break;
            case OP_MOVE: r = load_operand(args, item, a); break;
            case OP_NEIGHBOUR: r = load_register(args, item + args.p[4], a); break;
            case OP_INPUT: r = load_words(input + n); break;
            case OP_OUTPUT:
                r = load_operand(args, item, a);
                UNROLLED for (int i = 0; i < NUMBER; i++) answer[n + i] = r.w[i];
                break;
            case OP_ZERO:
            case OP_ODD:
            case OP_LARGE: flag = test(op, load_operand(args, item, a)); break;
            case OP_LOGIC: flag = n >> ((flags >> a & 1) + 2 * (flags >> b & 1)) & 1; break;
            case OP_BIT: flag = input[n / 32] >> n % 32 & 1; break;
            case OP_OUTPUT_FLAG: answer[n] = flags >> a & 1; break;
        }
        if (op <= OP_INPUT) store_register(args, item, to, r);
        if (op >= OP_ZERO && op <= OP_BIT) flags = (flags & ~(1u << to)) | (u32)flag << to;
    }
    *stored_flags = flags;
}
