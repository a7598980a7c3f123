// The inverse modulo p of BLS12-381: the power p - 2, four bits at a time. (CUDA has divsteps, which need products of 64 bits.)

const P_LESS_2 = Number(0xffffaaa9u, 0xb9feffffu, 0xb153ffffu, 0x1eabfffeu, 0xf6b0f624u, 0x6730d2a0u,
  0xf38512bfu, 0x64774b84u, 0x434bacd7u, 0x4b1ba7b6u, 0x397fe69au, 0x1a0111eau);

var<private> fp_powers: array<Number, 16>;

// 0 of 0.
fn fp_invert(a: Number) -> Number {
  fp_powers[0] = FP_ONE;
  for (var i = 1u; i < 16u; i++) {
    fp_powers[i] = fp_mul(fp_powers[i - 1u], a);
  }
  var exponent = P_LESS_2;
  var r = FP_ONE;
  for (var i = 96u; i > 0u; i--) {
    for (var k = 0u; k < 4u; k++) {
      r = fp_square(r);
    }
    let digit = (exponent[(i - 1u) / 8u] >> (4u * ((i - 1u) % 8u))) & 15u;
    r = fp_mul(r, fp_powers[digit]);
  }
  return r;
}
