// Sums of many pairs of points, with the inverses of their denominators.

@group(0) @binding(1) var<storage, read> prefixes: array<u32>;
@group(0) @binding(2) var<storage, read> totals: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;

struct Point {
  x: Number,
  y: Number,
}

fn load_prefix(pair: u32) -> Number {
  var r = Number();
  for (var i = 0u; i < 12u; i++) {
    r[i] = prefixes[i * parameter(4u) + pair];
  }
  return r;
}

// Of the points a and b, with the inverse of the denominator.
fn sum_of(pair: Pair, inverse: Number, a: u32, b: u32) -> Point {
  let y1 = load_point(12u, a);
  let y2 = load_point(12u, b);
  if pair.kind == ONLY_SECOND {
    return Point(pair.x2, y2);
  }
  if pair.kind == ONLY_FIRST {
    return Point(pair.x1, y1);
  }
  if pair.kind == OPPOSITE {
    var x = pair.x1;
    x[11] = INFINITE;
    return Point(x, y1);
  }
  var numerator = fp_sub(y2, y1);
  if pair.kind == SAME {
    let square = fp_square(pair.x1);
    numerator = fp_add(fp_add(square, square), square);
  }
  let slope = fp_mul(inverse, numerator);
  let x = fp_sub(fp_sub(fp_square(slope), pair.x1), pair.x2);
  return Point(x, fp_sub(fp_mul(slope, fp_sub(pair.x1, x)), y1));
}

@compute @workgroup_size(64)
fn g1_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let pairs = parameter(0u);
  let threads = parameter(2u);
  let half = parameter(3u);
  let item = id.x;
  if item >= threads || item >= pairs {
    return;
  }
  var inverse = Number();
  for (var i = 0u; i < 12u; i++) {
    inverse[i] = totals[i * parameter(4u) + item];
  }
  for (var left = (pairs - item + threads - 1u) / threads; left > 0u; left--) {
    let a = item + (left - 1u) * threads;
    let pair = load_pair(a, a + half);
    var own = inverse;
    if left > 1u {
      own = fp_mul(inverse, load_prefix(a));
      inverse = fp_mul(inverse, pair.denominator);
    }
    let sum = sum_of(pair, own, a, a + half);
    let at = a * parameter(6u);
    for (var i = 0u; i < 12u; i++) {
      sums[at + i * parameter(5u)] = sum.x[i];
      sums[at + (12u + i) * parameter(5u)] = sum.y[i];
    }
  }
}
