// The inverse modulo n: the power n - 2, four bits at a time.

const N_LESS_2 = U256(0xd036413fu, 0xbfd25e8cu, 0xaf48a03bu, 0xbaaedce6u, 0xfffffffeu, 0xffffffffu, 0xffffffffu, 0xffffffffu);

var<private> order_powers: array<U256, 16>;

// 0 of 0.
fn order_invert(a: U256) -> U256 {
  order_powers[0] = ONE;
  for (var i = 1u; i < 16u; i++) {
    order_powers[i] = order_mul(order_powers[i - 1u], a);
  }
  var exponent = N_LESS_2;
  var r = ONE;
  for (var i = 64u; i > 0u; i--) {
    for (var k = 0u; k < 4u; k++) {
      r = order_sqr(r);
    }
    let digit = (exponent[(i - 1u) / 8u] >> (4u * ((i - 1u) % 8u))) & 15u;
    r = order_mul(r, order_powers[digit]);
  }
  return r;
}
