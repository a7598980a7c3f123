// The points that sums came to.

// Where the sum is no point of the curve, there was an error; then `code` is 2, as where no sum was known.
struct End {
  code: u32,
  x: U256,
  y: U256,
}

const UNKNOWN = 2u;

// From X, Y and 1 / Z.
fn load_end(item: u32) -> End {
  let z = load_state(Z, item);
  let zz = fe_sqr(z);
  let x = fe_canonical(fe_mul(load_state(X, item), zz));
  let y = fe_canonical(fe_mul(load_state(Y, item), fe_mul(zz, z)));
  var code = state[CODE * parameter(1u) + item];
  if code == 0u && !is_on_curve(x, y) {
    code = UNKNOWN;
  }
  return End(code, x, y);
}
