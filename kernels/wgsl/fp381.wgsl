// Programs on numbers modulo the prime of BLS12-381.

@group(0) @binding(0) var<storage, read_write> registers: array<u32>;
@group(0) @binding(1) var<storage, read> code: array<u32>;
@group(0) @binding(2) var<storage, read> constants: array<u32>;
@group(0) @binding(3) var<storage, read> inputs: array<u32>;
@group(0) @binding(4) var<storage, read_write> answers: array<u32>;

// Operands from here on are constants.
const CONSTANTS = 0x8000u;

fn load_operand(item: u32, operand: u32) -> Number {
  var r = Number();
  if operand >= CONSTANTS {
    for (var i = 0u; i < 12u; i++) {
      r[i] = constants[(operand - CONSTANTS) * 12u + i];
    }
  } else {
    for (var i = 0u; i < 12u; i++) {
      r[i] = registers[(operand * 12u + i) * parameter(1u) + item];
    }
  }
  return r;
}

fn sum_of_products(item: u32, at: u32, count: u32) -> Number {
  var sum = Sum();
  for (var i = 0u; i < count; i++) {
    let operands = code[at + 2u + i];
    let a = load_operand(item, operands & 0xffffu);
    var b = load_operand(item, operands >> 16u);
    if ((code[at + 1u] >> i) & 1u) != 0u {
      b = fp_opposite(b);
    }
    sum = fp_add_product(sum, a, b);
  }
  return fp_reduce(sum);
}

// A number squared n times.
fn squares(a: Number, n: u32) -> Number {
  var r = a;
  for (var i = 0u; i < n; i++) {
    r = fp_square(r);
  }
  return r;
}

fn is_large(a: Number) -> bool {
  return sub_numbers(FP_HALF, a).carry != 0u;
}

fn is_set(flags: u32, flag: u32) -> u32 {
  return (flags >> flag) & 1u;
}

// What becomes of the register `to`.
fn number_of(op: u32, item: u32, at: u32, flags: u32) -> Number {
  let n = code[at + 1u];
  let a = code[at + 2u] & 0xffffu;
  let b = code[at + 2u] >> 16u;
  switch op {
    case 0u: {
      return sum_of_products(item, at, (code[at] >> 8u) & 0xffu);
    }
    case 1u: {
      return fp_add(load_operand(item, a), load_operand(item, b));
    }
    case 2u: {
      return fp_sub(load_operand(item, a), load_operand(item, b));
    }
    case 3u: {
      return squares(load_operand(item, a), n);
    }
    case 4u: {
      return load_operand(item, select(b, a, is_set(flags, n) != 0u));
    }
    case 6u: {
      return load_operand(item + parameter(4u), a);
    }
    case 7u: {
      var r = Number();
      for (var i = 0u; i < 12u; i++) {
        r[i] = inputs[item * parameter(5u) + n + i];
      }
      return r;
    }
    default: {
      return load_operand(item, a);
    }
  }
}

// What becomes of the flag `to`.
fn flag_of(op: u32, item: u32, at: u32, flags: u32) -> bool {
  let n = code[at + 1u];
  let a = code[at + 2u] & 0xffffu;
  let b = code[at + 2u] >> 16u;
  switch op {
    case 9u: {
      return fp_is_zero(load_operand(item, a));
    }
    case 10u: {
      return (fp_plain(load_operand(item, a))[0] & 1u) != 0u;
    }
    case 11u: {
      return is_large(fp_plain(load_operand(item, a)));
    }
    case 12u: {
      return is_set(n, is_set(flags, a) + 2u * is_set(flags, b)) != 0u;
    }
    default: {
      return is_set(inputs[item * parameter(5u) + n / 32u], n % 32u) != 0u;
    }
  }
}

@compute @workgroup_size(64)
fn fp381(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let stored_flags = parameter(7u) * parameter(1u) + item;
  var flags = registers[stored_flags];
  for (var pc = parameter(2u); pc < parameter(3u); pc++) {
    let at = pc * 8u;
    let op = code[at] & 0xffu;
    let to = code[at] >> 16u;
    let n = code[at + 1u];
    let answer = item * parameter(6u) + n;
    if op <= 7u {
      let r = number_of(op, item, at, flags);
      for (var i = 0u; i < 12u; i++) {
        registers[(to * 12u + i) * parameter(1u) + item] = r[i];
      }
    } else if op == 8u {
      let r = load_operand(item, code[at + 2u] & 0xffffu);
      for (var i = 0u; i < 12u; i++) {
        answers[answer + i] = r[i];
      }
    } else if op <= 13u {
      flags = (flags & ~(1u << to)) | (u32(flag_of(op, item, at, flags)) << to);
    } else {
      answers[answer] = is_set(flags, code[at + 2u] & 0xffffu);
    }
  }
  registers[stored_flags] = flags;
}
