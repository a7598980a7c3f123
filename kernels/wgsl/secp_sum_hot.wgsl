// u1 G + u2 Q for keys Q that have tables: no doublings.

@group(0) @binding(4) var<storage, read> tables: array<u32>;

// Windows of 8 bits of numbers of 255 bits.
const Q_WINDOWS = 32u;
const Q_LEAST = 127u;
const Q_BIAS = U256(0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu, 0x7f7f7f7fu);

// The factor of Q, or minus it, and Q_BIAS.
var<private> of_q: U256;
var<private> of_q_negated: bool;

fn set_factor_of_q(u: U256) {
  of_q_negated = order_is_high(u);
  var n = u;
  if of_q_negated {
    n = sub(N, u).n;
  }
  of_q = add(n, Q_BIAS).n;
}

fn digit_of_q(window: u32) -> Digit {
  return digit((of_q[window / 4u] >> (8u * (window % 4u))) & 0xffu, Q_LEAST, of_q_negated);
}

fn point_of_q(table: u32, window: u32, d: Digit) -> Affine {
  let i = ((table * Q_WINDOWS + window) * 128u + d.index) * 16u;
  let x = U256(tables[i], tables[i + 1u], tables[i + 2u], tables[i + 3u], tables[i + 4u], tables[i + 5u], tables[i + 6u], tables[i + 7u]);
  let y = U256(tables[i + 8u], tables[i + 9u], tables[i + 10u], tables[i + 11u],
    tables[i + 12u], tables[i + 13u], tables[i + 14u], tables[i + 15u]);
  return signed_point(x, y, d.negative);
}

@compute @workgroup_size(64)
fn secp_sum_hot(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  if state[CODE * parameter(1u) + item] != 0u {
    store_state(Z, item, ONE);
    return;
  }
  let table = item_word(item, KEY);
  let inverse = load_state(X, item);
  if table >= parameter(4u) || !is_inverse(inverse, item_number(item, S)) {
    store_unknown(item);
    return;
  }
  let u1 = order_mul(reduced(item_number(item, DIGEST)), inverse);
  set_factor_of_g(order_add(u1, start_number(24u)));
  set_factor_of_q(order_mul(item_number(item, R), inverse));
  var sum = Jacobian(start_number(0u), start_number(8u), ONE);
  for (var step = 0u; step < Q_WINDOWS + G_WINDOWS; step++) {
    var d: Digit;
    var p: Affine;
    if step < Q_WINDOWS {
      d = digit_of_q(step);
      p = point_of_q(table, step, d);
    } else {
      d = digit_of_g(step - Q_WINDOWS);
      p = point_of_g(step - Q_WINDOWS, d);
    }
    if !d.zero {
      sum = add_affine(sum, p).p;
    }
  }
  store_sum(item, sum);
}
