// A number k as k1 + k2 LAMBDA modulo n, by the short basis (A1, -B1), (A2, A1) of the pairs (u, v) with u + v LAMBDA = 0
// (Gallant, Lambert, Vanstone 2001): k1 = k - c1 A1 - c2 A2, k2 = c1 B1 - c2 A1 with c1 = k A1 / n, c2 = k B1 / n, rounded.
// LAMBDA (x, y) = (BETA x, y).

const BETA = U256(0x719501eeu, 0xc1396c28u, 0x12f58995u, 0x9cf04975u, 0xac3434e9u, 0x6e64479eu, 0x657c0710u, 0x7ae96a2bu);
const A1 = U256(0x9284eb15u, 0xe86c90e4u, 0xa7d46bcdu, 0x3086d221u, 0u, 0u, 0u, 0u);
const B1 = U256(0x0abfe4c3u, 0x6f547fa9u, 0x010e8828u, 0xe4437ed6u, 0u, 0u, 0u, 0u);
const A2 = U256(0x9d44cfd8u, 0x57c1108du, 0xa8e2f3f6u, 0x14ca50f7u, 1u, 0u, 0u, 0u);
// 2^320 A1 / n and 2^320 B1 / n, rounded.
const G1 = U256(0x71e8ca80u, 0x3daa8a14u, 0x9284eb15u, 0xe86c90e4u, 0xa7d46bcdu, 0x3086d221u, 0u, 0u);
const G2 = U256(0x9df506c6u, 0x221208acu, 0x0abfe4c4u, 0x6f547fa9u, 0x010e8828u, 0xe4437ed6u, 0u, 0u);

// Modulo 2^256, and less than 0.64 * 2^128 from 0.
struct Halves {
  k1: U256,
  k2: U256,
}

// k g / 2^320, rounded.
fn nearest(k: U256, g: U256) -> U256 {
  let t = multiply(k, g);
  return add(U256(t[10], t[11], t[12], t[13], 0u, 0u, 0u, 0u), U256(t[9] >> 31u, 0u, 0u, 0u, 0u, 0u, 0u, 0u)).n;
}

// By c1 and by c2.
const TO_QUOTIENT = array<U256, 2>(G1, G2);
const TO_K1 = array<U256, 2>(A1, A2);
const TO_K2 = array<U256, 2>(B1, A1);

fn split(k: U256) -> Halves {
  var k1 = k;
  var k2 = U256();
  for (var i = 0u; i < 2u; i++) {
    let c = nearest(k, TO_QUOTIENT[i]);
    k1 = sub(k1, low(multiply(c, TO_K1[i]))).n;
    // c1 B1 - 0, then that less c2 A1, both with the other sign.
    k2 = sub(low(multiply(c, TO_K2[i])), k2).n;
  }
  return Halves(k1, sub(U256(), k2).n);
}
