// u1 G + u2 P for any P: u2 is split into halves of 128 bits with P and LAMBDA P, both in signed digits of 4 bits, walked down
// together; the multiples of G follow.

// 33 windows, of which the last holds a carry.
const P_LEAST = 7u;
const P_BIAS = U256(0x77777777u, 0x77777777u, 0x77777777u, 0x77777777u, 7u, 0u, 0u, 0u);

// The start, P, 2P, .. 8P, with all z the same in the end: affine points of another curve.
var<private> multiples_x: array<U256, 9>;
var<private> multiples_y: array<U256, 9>;
// By what z grows from a multiple to the next.
var<private> ratios: array<U256, 9>;
// The halves and P_BIAS. Digits are signed, so that those of negative numbers modulo a power of 2 are right too.
var<private> halves: array<array<u32, 5>, 2>;

fn set_half(i: u32, k: U256) {
  let t = add(k, P_BIAS).n;
  halves[i] = array<u32, 5>(t[0], t[1], t[2], t[3], t[4]);
}

fn set_multiple(i: u32, x: U256, y: U256) {
  multiples_x[i] = x;
  multiples_y[i] = y;
}

// Brings all to the z of the last, and returns it.
fn level_multiples() -> U256 {
  var z = ONE;
  for (var i = 8u; i > 0u; i--) {
    z = fe_mul(z, ratios[i]);
    let zz = fe_sqr(z);
    multiples_x[i - 1u] = fe_mul(multiples_x[i - 1u], zz);
    multiples_y[i - 1u] = fe_mul(multiples_y[i - 1u], fe_mul(zz, z));
  }
  return z;
}

fn digit_of_half(i: u32, window: u32) -> Digit {
  return digit((halves[i][window / 8u] >> (4u * (window % 8u))) & 15u, P_LEAST, false);
}

fn point_of_half(i: u32, d: Digit) -> Affine {
  var x = multiples_x[d.index + 1u];
  if i == 1u {
    x = fe_mul(x, BETA);
  }
  return signed_point(x, multiples_y[d.index + 1u], d.negative);
}

// One loop over all steps, as compilers copy a doubling and an addition to every place where they are called:
// 2P, 3P, .. 8P; from `P_STEPS` on the windows of the halves, the highest first, two addends each; from `G_STEPS` on those of G.
const P_STEPS = 7u;
const G_STEPS = 40u;
const STEPS = 60u;

fn doublings(step: u32) -> u32 {
  return select(select(0u, 4u, step > P_STEPS && step < G_STEPS), 1u, step == 0u);
}

fn addends(step: u32) -> u32 {
  return select(select(1u, 2u, step >= P_STEPS && step < G_STEPS), 0u, step == 0u);
}

@compute @workgroup_size(64)
fn secp_sum(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  if state[CODE * parameter(1u) + item] != 0u {
    store_state(Z, item, ONE);
    return;
  }
  let recovers = parameter(2u) == 0u;
  let inverse = load_state(X, item);
  if !is_inverse(inverse, item_number(item, select(S, R, recovers))) {
    store_unknown(item);
    return;
  }
  set_factors(item, inverse, recovers);
  var sum = Jacobian(load_state(Y, item), load_state(Z, item), ONE);
  set_multiple(0u, start_number(0u), start_number(8u));
  set_multiple(1u, sum.x, sum.y);
  ratios[1] = ONE;
  var common_z = ONE;
  for (var step = 0u; step < STEPS; step++) {
    if step == P_STEPS {
      common_z = level_multiples();
      sum = Jacobian(multiples_x[0], multiples_y[0], ONE);
    }
    if step == G_STEPS {
      sum.z = fe_mul(sum.z, common_z);
    }
    for (var i = 0u; i < doublings(step); i++) {
      sum = double(sum);
    }
    if step == 0u {
      ratios[2] = sum.z;
    }
    for (var i = 0u; i < addends(step); i++) {
      var d = Digit(0u, false, false);
      var p: Affine;
      if step < P_STEPS {
        p = Affine(multiples_x[1], multiples_y[1]);
      } else if step < G_STEPS {
        d = digit_of_half(i, G_STEPS - 1u - step);
        p = point_of_half(i, d);
      } else {
        d = digit_of_g(step - G_STEPS);
        p = point_of_g(step - G_STEPS, d);
      }
      if !d.zero {
        let next = add_affine(sum, p);
        sum = next.p;
        if step < P_STEPS {
          ratios[step + 2u] = next.ratio;
        }
      }
    }
    if step < P_STEPS {
      set_multiple(step + 2u, sum.x, sum.y);
    }
  }
  store_sum(item, sum);
}

// u1 and u2 into digits.
fn set_factors(item: u32, inverse: U256, recovers: bool) {
  var u1 = order_mul(reduced(item_number(item, DIGEST)), inverse);
  var numerator = item_number(item, R);
  if recovers {
    u1 = order_negative(u1);
    numerator = item_number(item, S);
  }
  set_factor_of_g(order_add(u1, start_number(16u)));
  let both = split(order_mul(numerator, inverse));
  set_half(0u, both.k1);
  set_half(1u, both.k2);
}
