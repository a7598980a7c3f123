// Signatures read: denominators and points to the state, or a refusal. Modes: 0 who signed, 1 did this key, 2 did it, by its
// table.

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;

const MALFORMED = 1u;

struct Point {
  x: U256,
  y: U256,
  good: bool,
}

// The point with x = r and an odd y if v is 1.
fn lift(item: u32, r: U256) -> Point {
  let yy = fe_add(fe_mul(fe_sqr(r), r), SEVEN);
  var y = fe_canonical(fe_sqrt(yy));
  let good = fe_equal(fe_sqr(y), yy);
  if (y[0] & 1u) != item_word(item, V) {
    y = fe_canonical(fe_negative(y));
  }
  return Point(r, y, good);
}

fn claimed_key(item: u32) -> Point {
  let x = item_number(item, KEY);
  let y = item_number(item, KEY + 8u);
  return Point(x, y, !fe_is_over(x) && !fe_is_over(y) && is_on_curve(x, y));
}

@compute @workgroup_size(64)
fn secp_prepare(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let mode = parameter(2u);
  let r = item_number(item, R);
  let s = item_number(item, S);
  var good = !is_zero(r) && below(r, N) && !is_zero(s) && !order_is_high(s) && item_word(item, V) <= 1u;
  if mode != 2u {
    var point: Point;
    if mode == 0u {
      point = lift(item, r);
    } else {
      point = claimed_key(item);
    }
    good = good && point.good;
    store_state(Y, item, point.x);
    store_state(Z, item, point.y);
  }
  var denominator = s;
  if mode == 0u {
    denominator = r;
  }
  if !good {
    denominator = ONE;
  }
  store_state(X, item, denominator);
  state[CODE * parameter(1u) + item] = select(MALFORMED, 0u, good);
}
