// u1 G + u2 P for any P: u2 is split into halves of 128 bits with P and LAMBDA P, both in signed digits of 4 bits, walked down
// together; the multiples of G follow.

// The last window holds a carry.
const P_WINDOWS = 33u;
const P_LEAST = 7u;
const P_BIAS = U256(0x77777777u, 0x77777777u, 0x77777777u, 0x77777777u, 7u, 0u, 0u, 0u);

// P, 2P, .. 8P, all with the same z: affine points of another curve.
var<private> multiples_x: array<U256, 8>;
var<private> multiples_y: array<U256, 8>;
var<private> ratios: array<U256, 8>;
// The halves and P_BIAS.
var<private> halves: array<array<u32, 5>, 2>;
var<private> halves_negative: array<bool, 2>;

fn set_half(i: u32, half: Half) {
  let t = add(half.magnitude, P_BIAS).n;
  halves[i] = array<u32, 5>(t[0], t[1], t[2], t[3], t[4]);
  halves_negative[i] = half.negative;
}

// Fills the table; returns the z of its points.
fn set_multiples(p: Affine) -> U256 {
  multiples_x[0] = p.x;
  multiples_y[0] = p.y;
  var q = double(Jacobian(p.x, p.y, ONE));
  ratios[1] = q.z;
  for (var i = 1u; i < 8u; i++) {
    if i > 1u {
      let sum = add_affine(q, p);
      q = sum.p;
      ratios[i] = sum.ratio;
    }
    multiples_x[i] = q.x;
    multiples_y[i] = q.y;
  }
  var z = ONE;
  for (var i = 7u; i > 0u; i--) {
    z = fe_mul(z, ratios[i]);
    let scaled = scale(Affine(multiples_x[i - 1u], multiples_y[i - 1u]), z);
    multiples_x[i - 1u] = scaled.x;
    multiples_y[i - 1u] = scaled.y;
  }
  return z;
}

fn scale(p: Affine, z: U256) -> Affine {
  let zz = fe_sqr(z);
  return Affine(fe_mul(p.x, zz), fe_mul(p.y, fe_mul(zz, z)));
}

fn digit_of_half(i: u32, window: u32) -> Digit {
  return digit((halves[i][window / 8u] >> (4u * (window % 8u))) & 15u, P_LEAST, halves_negative[i]);
}

fn point_of_half(i: u32, d: Digit) -> Affine {
  var x = multiples_x[d.index];
  if i == 1u {
    x = fe_mul(x, BETA);
  }
  return signed_point(x, multiples_y[d.index], d.negative);
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
  set_factors(item);
  let common_z = set_multiples(Affine(load_state(Y, item), load_state(Z, item)));
  let first = scale(Affine(start_number(0u), start_number(8u)), common_z);
  var sum = Jacobian(first.x, first.y, ONE);
  // First the windows of the halves, the highest first, then those of G: two addends a step, or one.
  for (var step = 0u; step < P_WINDOWS + G_WINDOWS; step++) {
    let of_halves = step < P_WINDOWS;
    for (var k = 0u; k < 4u && of_halves && step > 0u; k++) {
      sum = double(sum);
    }
    if step == P_WINDOWS {
      sum.z = fe_mul(sum.z, common_z);
    }
    for (var i = 0u; i < 1u + u32(of_halves); i++) {
      var d: Digit;
      var p: Affine;
      if of_halves {
        d = digit_of_half(i, P_WINDOWS - 1u - step);
        p = point_of_half(i, d);
      } else {
        d = digit_of_g(step - P_WINDOWS);
        p = point_of_g(step - P_WINDOWS, d);
      }
      if !d.zero {
        sum = add_affine(sum, p).p;
      }
    }
  }
  store_sum(item, sum);
}

// u1 and u2 into digits.
fn set_factors(item: u32) {
  let inverse = load_state(X, item);
  let recovers = parameter(2u) == 0u;
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
