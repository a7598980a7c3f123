// Pairs of affine points of G1.

@group(0) @binding(0) var<storage, read> points: array<u32>;

// The highest word of x of infinity: no number below p has it.
const INFINITE = 0xffffffffu;

// What a pair is: two points with different x, the same twice, or one that needs no denominator: the sum is the first, the
// second, infinity.
const DIFFERENT = 0u;
const SAME = 1u;
const ONLY_FIRST = 2u;
const ONLY_SECOND = 3u;
const OPPOSITE = 4u;

struct Pair {
  x1: Number,
  x2: Number,
  denominator: Number,
  kind: u32,
}

// Twelve words of a point, from word `first` on.
fn load_point(first: u32, item: u32) -> Number {
  var r = Number();
  for (var i = 0u; i < 12u; i++) {
    r[i] = points[(first + i) * parameter(1u) + item];
  }
  return r;
}

fn load_pair(a: u32, b: u32) -> Pair {
  let x1 = load_point(0u, a);
  let x2 = load_point(0u, b);
  if x1[11] == INFINITE {
    return Pair(x1, x2, FP_ONE, ONLY_SECOND);
  }
  if x2[11] == INFINITE {
    return Pair(x1, x2, FP_ONE, ONLY_FIRST);
  }
  let difference = fp_sub(x2, x1);
  if !fp_is_zero(difference) {
    return Pair(x1, x2, difference, DIFFERENT);
  }
  let y1 = load_point(12u, a);
  if fp_is_zero(fp_sub(y1, load_point(12u, b))) {
    return Pair(x1, x2, fp_add(y1, y1), SAME);
  }
  return Pair(x1, x2, FP_ONE, OPPOSITE);
}
