// Numbers modulo the group order n, always below n.

const N = U256(0xd0364141u, 0xbfd25e8cu, 0xaf48a03bu, 0xbaaedce6u, 0xfffffffeu, 0xffffffffu, 0xffffffffu, 0xffffffffu);
// (n - 1) / 2
const HALF_N = U256(0x681b20a0u, 0xdfe92f46u, 0x57a4501du, 0x5d576e73u, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x7fffffffu);
// 2^256 - n; all of it, and its words below the top, a 1.
const C = U256(0x2fc9bebfu, 0x402da173u, 0x50b75fc4u, 0x45512319u, 1u, 0u, 0u, 0u);
const C0 = 0x2fc9bebfu;
const C1 = 0x402da173u;
const C2 = 0x50b75fc4u;
const C3 = 0x45512319u;

// a + 2^256 carry, if that is below 2n.
fn order_settle(a: U256, carry: u32) -> U256 {
  let t = add(a, C);
  var r = a;
  if (t.carry | carry) != 0u {
    r = t.n;
  }
  return r;
}

fn order_add(a: U256, b: U256) -> U256 {
  let t = add(a, b);
  return order_settle(t.n, t.carry);
}

fn order_negative(a: U256) -> U256 {
  var r = a;
  if !is_zero(a) {
    r = sub(N, a).n;
  }
  return r;
}

fn order_is_high(a: U256) -> bool {
  return below(HALF_N, a);
}

fn order_mul(a: U256, b: U256) -> U256 {
  return order_fold(multiply(a, b));
}

fn order_sqr(a: U256) -> U256 {
  return order_fold(square(a));
}

// A product modulo n: three times, what is above 2^256 comes down times 2^256 - n, which is below 2^128.4.
fn order_fold(t: U512) -> U256 {
  // To below 2^256 + 2^384.4: 13 words, the last at most 1.
  let h = high(t);
  let a0 = row(C0, h, Row(0u, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]));
  let a1 = row(C1, h, a0);
  let a2 = row(C2, h, a1);
  let a3 = row(C3, h, a2);
  let a = add(U256(a3[1], a3[2], a3[3], a3[4], a3[5], a3[6], a3[7], a3[8]), h);

  // To below 2^256 + 2^257.4: 9 words, the last at most 3.
  let g = U256(a.n[4], a.n[5], a.n[6], a.n[7], a.carry, 0u, 0u, 0u);
  let b0 = row(C0, g, Row(0u, a0[0], a1[0], a2[0], a3[0], a.n[0], a.n[1], a.n[2], a.n[3]));
  let b1 = row(C1, g, b0);
  let b2 = row(C2, g, b1);
  let b3 = row(C3, g, b2);
  let b = add(U256(b3[1], b3[2], b3[3], b3[4], b3[5], 0u, 0u, 0u), g);

  // To below 2^256 + 2^131.
  let top = b.n[4];
  let c0 = mac(top, C0, b0[0], 0u);
  let c1 = mac(top, C1, b1[0], c0.y);
  let c2 = mac(top, C2, b2[0], c1.y);
  let c3 = mac(top, C3, b3[0], c2.y);
  let c4 = add3(b.n[0], top, c3.y);
  let c5 = add3(b.n[1], c4.y, 0u);
  let c6 = add3(b.n[2], c5.y, 0u);
  let c7 = add3(b.n[3], c6.y, 0u);
  return order_settle(U256(c0.x, c1.x, c2.x, c3.x, c4.x, c5.x, c6.x, c7.x), c7.y);
}

// Any 256-bit number modulo n.
fn reduced(a: U256) -> U256 {
  return order_settle(a, 0u);
}
