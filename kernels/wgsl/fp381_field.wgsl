// Numbers modulo p of BLS12-381: 12 words, Montgomery form with R = 2^384, below p.

alias Number = array<u32, 12>;
// What products add up to: two halves of 12 words.
struct Sum {
  low: Number,
  high: Number,
}

const FP_P = Number(0xffffaaabu, 0xb9feffffu, 0xb153ffffu, 0x1eabfffeu, 0xf6b0f624u, 0x6730d2a0u,
  0xf38512bfu, 0x64774b84u, 0x434bacd7u, 0x4b1ba7b6u, 0x397fe69au, 0x1a0111eau);
// (p - 1) / 2
const FP_HALF = Number(0xffffd555u, 0xdcff7fffu, 0x58a9ffffu, 0x0f55ffffu, 0x7b587b12u, 0xb3986950u,
  0x79c2895fu, 0xb23ba5c2u, 0x21a5d66bu, 0x258dd3dbu, 0x1cbff34du, 0x0d0088f5u);
// -1 / p mod 2^32
const FP_INVERSE = 0xfffcfffdu;

// 1 in Montgomery form.
const FP_ONE = Number(0x2fffdu, 0x76090000u, 0xc40c0002u, 0xebf4000bu, 0x53c758bau, 0x5f489857u,
  0x70525745u, 0x77ce5853u, 0xa256ec6du, 0x5c071a97u, 0xfa80e493u, 0x15f65ec3u);

struct CarriedNumber {
  n: Number,
  carry: u32,
}

fn add_numbers(a: Number, b: Number, carry: u32) -> CarriedNumber {
  let t0 = add3(a[0], b[0], carry);
  let t1 = add3(a[1], b[1], t0.y);
  let t2 = add3(a[2], b[2], t1.y);
  let t3 = add3(a[3], b[3], t2.y);
  let t4 = add3(a[4], b[4], t3.y);
  let t5 = add3(a[5], b[5], t4.y);
  let t6 = add3(a[6], b[6], t5.y);
  let t7 = add3(a[7], b[7], t6.y);
  let t8 = add3(a[8], b[8], t7.y);
  let t9 = add3(a[9], b[9], t8.y);
  let t10 = add3(a[10], b[10], t9.y);
  let t11 = add3(a[11], b[11], t10.y);
  return CarriedNumber(Number(t0.x, t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x, t8.x, t9.x, t10.x, t11.x), t11.y);
}

fn sub_numbers(a: Number, b: Number) -> CarriedNumber {
  let t0 = sub3(a[0], b[0], 0u);
  let t1 = sub3(a[1], b[1], t0.y);
  let t2 = sub3(a[2], b[2], t1.y);
  let t3 = sub3(a[3], b[3], t2.y);
  let t4 = sub3(a[4], b[4], t3.y);
  let t5 = sub3(a[5], b[5], t4.y);
  let t6 = sub3(a[6], b[6], t5.y);
  let t7 = sub3(a[7], b[7], t6.y);
  let t8 = sub3(a[8], b[8], t7.y);
  let t9 = sub3(a[9], b[9], t8.y);
  let t10 = sub3(a[10], b[10], t9.y);
  let t11 = sub3(a[11], b[11], t10.y);
  return CarriedNumber(Number(t0.x, t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x, t8.x, t9.x, t10.x, t11.x), t11.y);
}

// a, or a - p if that is not negative.
fn fp_reduced(a: Number) -> Number {
  let less = sub_numbers(a, FP_P);
  if less.carry != 0u {
    return a;
  }
  return less.n;
}

fn fp_add(a: Number, b: Number) -> Number {
  return fp_reduced(add_numbers(a, b, 0u).n);
}

fn fp_sub(a: Number, b: Number) -> Number {
  let less = sub_numbers(a, b);
  if less.carry == 0u {
    return less.n;
  }
  return add_numbers(less.n, FP_P, 0u).n;
}

// p - a: at most p.
fn fp_opposite(a: Number) -> Number {
  return sub_numbers(FP_P, a).n;
}

// x b + p: the lowest word, and the others.
struct Step {
  low: u32,
  rest: Number,
}

fn fp_step(x: u32, b: Number, p: Number) -> Step {
  let t0 = mac(x, b[0], p[0], 0u);
  let t1 = mac(x, b[1], p[1], t0.y);
  let t2 = mac(x, b[2], p[2], t1.y);
  let t3 = mac(x, b[3], p[3], t2.y);
  let t4 = mac(x, b[4], p[4], t3.y);
  let t5 = mac(x, b[5], p[5], t4.y);
  let t6 = mac(x, b[6], p[6], t5.y);
  let t7 = mac(x, b[7], p[7], t6.y);
  let t8 = mac(x, b[8], p[8], t7.y);
  let t9 = mac(x, b[9], p[9], t8.y);
  let t10 = mac(x, b[10], p[10], t9.y);
  let t11 = mac(x, b[11], p[11], t10.y);
  return Step(t0.x, Number(t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x, t8.x, t9.x, t10.x, t11.x, t11.y));
}

// sum + a b: 144 products of words.
fn fp_add_product(sum: Sum, a: Number, b: Number) -> Sum {
  let s0 = fp_step(a[0], b, Number());
  let s1 = fp_step(a[1], b, s0.rest);
  let s2 = fp_step(a[2], b, s1.rest);
  let s3 = fp_step(a[3], b, s2.rest);
  let s4 = fp_step(a[4], b, s3.rest);
  let s5 = fp_step(a[5], b, s4.rest);
  let s6 = fp_step(a[6], b, s5.rest);
  let s7 = fp_step(a[7], b, s6.rest);
  let s8 = fp_step(a[8], b, s7.rest);
  let s9 = fp_step(a[9], b, s8.rest);
  let s10 = fp_step(a[10], b, s9.rest);
  let s11 = fp_step(a[11], b, s10.rest);
  let low = add_numbers(sum.low, Number(s0.low, s1.low, s2.low, s3.low, s4.low, s5.low, s6.low, s7.low, s8.low, s9.low, s10.low, s11.low), 0u);
  let high = add_numbers(sum.high, s11.rest, low.carry);
  return Sum(low.n, high.n);
}

// sum / R modulo p, of a sum below R p: 156 products of words. The multiple of p is built on the low half alone.
fn fp_reduce(sum: Sum) -> Number {
  var low = sum.low;
  for (var i = 0u; i < 12u; i++) {
    low = fp_step(low[0] * FP_INVERSE, FP_P, low).rest;
  }
  return fp_reduced(add_numbers(low, sum.high, 0u).n);
}

// a b / R
fn fp_mul(a: Number, b: Number) -> Number {
  return fp_reduce(fp_add_product(Sum(), a, b));
}

// a^2 / R
fn fp_square(a: Number) -> Number {
  return fp_reduce(fp_square_words(a));
}

// The number itself, out of its Montgomery form.
fn fp_plain(a: Number) -> Number {
  return fp_reduce(Sum(a, Number()));
}

fn fp_is_zero(a: Number) -> bool {
  return (a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7] | a[8] | a[9] | a[10] | a[11]) == 0u;
}
