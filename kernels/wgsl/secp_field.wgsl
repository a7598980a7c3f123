// Numbers modulo p = 2^256 - 2^32 - 977. They may be anything below 2^256; `fe_canonical` alone is below p.

// 2^256 - p is 2^32 + this.
const FOLD = 977u;

// Adds `carry` to the words from the third on, and what then leaves the top to the lower two as 2^32 + 977 (they are so
// small then that it goes no further). Almost never needed.
fn fe_ripple(a: U256, carry: u32) -> U256 {
  let t2 = add3(a[2], carry, 0u);
  let t3 = add3(a[3], t2.y, 0u);
  let t4 = add3(a[4], t3.y, 0u);
  let t5 = add3(a[5], t4.y, 0u);
  let t6 = add3(a[6], t5.y, 0u);
  let t7 = add3(a[7], t6.y, 0u);
  let t0 = add3(a[0], FOLD * t7.y, 0u);
  let t1 = add3(a[1], t7.y, t0.y);
  return U256(t0.x, t1.x, t2.x + t1.y, t3.x, t4.x, t5.x, t6.x, t7.x);
}

// a + 2^256 carry, where carry is 0 or 1.
fn fe_carry(a: U256, carry: u32) -> U256 {
  let t0 = add3(a[0], FOLD * carry, 0u);
  let t1 = add3(a[1], carry, t0.y);
  var r = U256(t0.x, t1.x, a[2], a[3], a[4], a[5], a[6], a[7]);
  if t1.y != 0u {
    r = fe_ripple(r, t1.y);
  }
  return r;
}

fn fe_add(a: U256, b: U256) -> U256 {
  let t = add(a, b);
  return fe_carry(t.n, t.carry);
}

fn fe_twice(a: U256) -> U256 {
  return fe_carry(U256(a[0] << 1u, (a[1] << 1u) | (a[0] >> 31u), (a[2] << 1u) | (a[1] >> 31u), (a[3] << 1u) | (a[2] >> 31u),
    (a[4] << 1u) | (a[3] >> 31u), (a[5] << 1u) | (a[4] >> 31u), (a[6] << 1u) | (a[5] >> 31u), (a[7] << 1u) | (a[6] >> 31u)),
    a[7] >> 31u);
}

// As `fe_ripple`, downwards: what is borrowed from the top is taken from the lower two words, all others being ones then.
fn fe_ripple_down(a: U256, borrow: u32) -> U256 {
  let t2 = sub3(a[2], borrow, 0u);
  let t3 = sub3(a[3], t2.y, 0u);
  let t4 = sub3(a[4], t3.y, 0u);
  let t5 = sub3(a[5], t4.y, 0u);
  let t6 = sub3(a[6], t5.y, 0u);
  let t7 = sub3(a[7], t6.y, 0u);
  let t0 = sub3(a[0], FOLD * t7.y, 0u);
  return U256(t0.x, a[1] - t7.y - t0.y, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x);
}

fn fe_sub(a: U256, b: U256) -> U256 {
  let t = sub(a, b);
  let t0 = sub3(t.n[0], FOLD * t.carry, 0u);
  let t1 = sub3(t.n[1], t.carry, t0.y);
  var r = U256(t0.x, t1.x, t.n[2], t.n[3], t.n[4], t.n[5], t.n[6], t.n[7]);
  if t1.y != 0u {
    r = fe_ripple_down(r, t1.y);
  }
  return r;
}

fn fe_negative(a: U256) -> U256 {
  return fe_sub(U256(), a);
}

// a / 2: p is odd, and is added if a is.
fn fe_half(a: U256) -> U256 {
  let odd = a[0] & 1u;
  let t = sub(a, U256(odd * FOLD, odd, 0u, 0u, 0u, 0u, 0u, 0u));
  let n = t.n;
  let top = odd - t.carry;
  return U256((n[0] >> 1u) | (n[1] << 31u), (n[1] >> 1u) | (n[2] << 31u), (n[2] >> 1u) | (n[3] << 31u), (n[3] >> 1u) | (n[4] << 31u),
    (n[4] >> 1u) | (n[5] << 31u), (n[5] >> 1u) | (n[6] << 31u), (n[6] >> 1u) | (n[7] << 31u), (n[7] >> 1u) | (top << 31u));
}

// A product modulo p: twice, what is above 2^256 comes down times 2^32 + 977.
fn fe_fold(t: U512) -> U256 {
  let a0 = mac(t[8], FOLD, t[0], 0u);
  let a1 = mac(t[9], FOLD, t[1], a0.y);
  let b1 = add3(a1.x, t[8], 0u);
  let a2 = mac(t[10], FOLD, t[2], a1.y);
  let b2 = add3(a2.x, t[9], b1.y);
  let a3 = mac(t[11], FOLD, t[3], a2.y);
  let b3 = add3(a3.x, t[10], b2.y);
  let a4 = mac(t[12], FOLD, t[4], a3.y);
  let b4 = add3(a4.x, t[11], b3.y);
  let a5 = mac(t[13], FOLD, t[5], a4.y);
  let b5 = add3(a5.x, t[12], b4.y);
  let a6 = mac(t[14], FOLD, t[6], a5.y);
  let b6 = add3(a6.x, t[13], b5.y);
  let a7 = mac(t[15], FOLD, t[7], a6.y);
  let b7 = add3(a7.x, t[14], b6.y);
  // At most 2^32 + 977; its upper word is 0 or 1.
  let top = add3(t[15], a7.y, b7.y);
  let c0 = mac(top.x, FOLD, a0.x, 0u);
  let c1 = add3(b1.x, top.x, c0.y + FOLD * top.y);
  let c2 = add3(b2.x, top.y, c1.y);
  var r = U256(c0.x, c1.x, c2.x, b3.x, b4.x, b5.x, b6.x, b7.x);
  if c2.y != 0u {
    r = fe_ripple_above(r, c2.y);
  }
  return r;
}

// As `fe_ripple`, from the fourth word on.
fn fe_ripple_above(a: U256, carry: u32) -> U256 {
  let t3 = add3(a[3], carry, 0u);
  let t4 = add3(a[4], t3.y, 0u);
  let t5 = add3(a[5], t4.y, 0u);
  let t6 = add3(a[6], t5.y, 0u);
  let t7 = add3(a[7], t6.y, 0u);
  let t0 = add3(a[0], FOLD * t7.y, 0u);
  let t1 = add3(a[1], t7.y, t0.y);
  return U256(t0.x, t1.x, a[2] + t1.y, t3.x, t4.x, t5.x, t6.x, t7.x);
}

fn fe_mul(a: U256, b: U256) -> U256 {
  return fe_fold(multiply(a, b));
}

fn fe_sqr(a: U256) -> U256 {
  return fe_fold(square(a));
}

// True from p on.
fn fe_is_over(a: U256) -> bool {
  let ones = a[2] & a[3] & a[4] & a[5] & a[6] & a[7];
  return ones == 0xffffffffu && (a[1] == 0xffffffffu || (a[1] == 0xfffffffeu && a[0] >= 0xfffffc2fu));
}

fn fe_canonical(a: U256) -> U256 {
  var r = a;
  if fe_is_over(a) {
    r = U256(a[0] + FOLD, a[1] + 1u + add3(a[0], FOLD, 0u).y, 0u, 0u, 0u, 0u, 0u, 0u);
  }
  return r;
}

fn fe_equal(a: U256, b: U256) -> bool {
  return equal(fe_canonical(a), fe_canonical(b));
}
