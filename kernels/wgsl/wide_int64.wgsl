// Products of words with 64-bit integers (wgpu's SHADER_INT64).

// a b + c + d: low and high word.
fn mac(a: u32, b: u32, c: u32, d: u32) -> vec2<u32> {
  let t = u64(a) * u64(b) + u64(c) + u64(d);
  return vec2<u32>(u32(t), u32(t >> 32u));
}

// a + b + c: word and carry.
fn add3(a: u32, b: u32, c: u32) -> vec2<u32> {
  let t = u64(a) + u64(b) + u64(c);
  return vec2<u32>(u32(t), u32(t >> 32u));
}

// a - b - c: word and borrow.
fn sub3(a: u32, b: u32, c: u32) -> vec2<u32> {
  let t = u64(a) - u64(b) - u64(c);
  return vec2<u32>(u32(t), 0u - u32(t >> 32u));
}

// x b + p / 2^32, p's lowest word left out.
fn row(x: u32, b: U256, p: Row) -> Row {
  let w = u64(x);
  let t0 = w * u64(b[0]) + u64(p[1]);
  let t1 = w * u64(b[1]) + u64(p[2]) + (t0 >> 32u);
  let t2 = w * u64(b[2]) + u64(p[3]) + (t1 >> 32u);
  let t3 = w * u64(b[3]) + u64(p[4]) + (t2 >> 32u);
  let t4 = w * u64(b[4]) + u64(p[5]) + (t3 >> 32u);
  let t5 = w * u64(b[5]) + u64(p[6]) + (t4 >> 32u);
  let t6 = w * u64(b[6]) + u64(p[7]) + (t5 >> 32u);
  let t7 = w * u64(b[7]) + u64(p[8]) + (t6 >> 32u);
  return Row(u32(t0), u32(t1), u32(t2), u32(t3), u32(t4), u32(t5), u32(t6), u32(t7), u32(t7 >> 32u));
}

// 64 products.
fn multiply(a: U256, b: U256) -> U512 {
  let r0 = row(a[0], b, Row());
  let r1 = row(a[1], b, r0);
  let r2 = row(a[2], b, r1);
  let r3 = row(a[3], b, r2);
  let r4 = row(a[4], b, r3);
  let r5 = row(a[5], b, r4);
  let r6 = row(a[6], b, r5);
  let r7 = row(a[7], b, r6);
  return U512(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0],
    r7[1], r7[2], r7[3], r7[4], r7[5], r7[6], r7[7], r7[8]);
}

// The lower word of a product.
const LOW = 0xfffffffflu;

// 36 products: those of different words, doubled, and the squares. `tij` is that of the words i and j
// with what was in its place before, and carries.
fn square(a: U256) -> U512 {
  let w0 = u64(a[0]);
  let t01 = w0 * u64(a[1]);
  let t02 = w0 * u64(a[2]) + (t01 >> 32u);
  let t03 = w0 * u64(a[3]) + (t02 >> 32u);
  let t04 = w0 * u64(a[4]) + (t03 >> 32u);
  let t05 = w0 * u64(a[5]) + (t04 >> 32u);
  let t06 = w0 * u64(a[6]) + (t05 >> 32u);
  let t07 = w0 * u64(a[7]) + (t06 >> 32u);
  let w1 = u64(a[1]);
  let t12 = w1 * u64(a[2]) + (t03 & LOW);
  let t13 = w1 * u64(a[3]) + (t04 & LOW) + (t12 >> 32u);
  let t14 = w1 * u64(a[4]) + (t05 & LOW) + (t13 >> 32u);
  let t15 = w1 * u64(a[5]) + (t06 & LOW) + (t14 >> 32u);
  let t16 = w1 * u64(a[6]) + (t07 & LOW) + (t15 >> 32u);
  let t17 = w1 * u64(a[7]) + (t07 >> 32u) + (t16 >> 32u);
  let w2 = u64(a[2]);
  let t23 = w2 * u64(a[3]) + (t14 & LOW);
  let t24 = w2 * u64(a[4]) + (t15 & LOW) + (t23 >> 32u);
  let t25 = w2 * u64(a[5]) + (t16 & LOW) + (t24 >> 32u);
  let t26 = w2 * u64(a[6]) + (t17 & LOW) + (t25 >> 32u);
  let t27 = w2 * u64(a[7]) + (t17 >> 32u) + (t26 >> 32u);
  let w3 = u64(a[3]);
  let t34 = w3 * u64(a[4]) + (t25 & LOW);
  let t35 = w3 * u64(a[5]) + (t26 & LOW) + (t34 >> 32u);
  let t36 = w3 * u64(a[6]) + (t27 & LOW) + (t35 >> 32u);
  let t37 = w3 * u64(a[7]) + (t27 >> 32u) + (t36 >> 32u);
  let w4 = u64(a[4]);
  let t45 = w4 * u64(a[5]) + (t36 & LOW);
  let t46 = w4 * u64(a[6]) + (t37 & LOW) + (t45 >> 32u);
  let t47 = w4 * u64(a[7]) + (t37 >> 32u) + (t46 >> 32u);
  let w5 = u64(a[5]);
  let t56 = w5 * u64(a[6]) + (t47 & LOW);
  let t57 = w5 * u64(a[7]) + (t47 >> 32u) + (t56 >> 32u);
  let w6 = u64(a[6]);
  let t67 = w6 * u64(a[7]) + (t57 >> 32u);
  let r1 = u32(t01);
  let r2 = u32(t02);
  let r3 = u32(t12);
  let r4 = u32(t13);
  let r5 = u32(t23);
  let r6 = u32(t24);
  let r7 = u32(t34);
  let r8 = u32(t35);
  let r9 = u32(t45);
  let r10 = u32(t46);
  let r11 = u32(t56);
  let r12 = u32(t57);
  let r13 = u32(t67);
  let r14 = u32(t67 >> 32u);
  let s0 = u64(a[0]) * u64(a[0]);
  let s1 = u64(r1 << 1u) + (s0 >> 32u);
  let s2 = u64(a[1]) * u64(a[1]) + u64((r2 << 1u) | (r1 >> 31u)) + (s1 >> 32u);
  let s3 = u64((r3 << 1u) | (r2 >> 31u)) + (s2 >> 32u);
  let s4 = u64(a[2]) * u64(a[2]) + u64((r4 << 1u) | (r3 >> 31u)) + (s3 >> 32u);
  let s5 = u64((r5 << 1u) | (r4 >> 31u)) + (s4 >> 32u);
  let s6 = u64(a[3]) * u64(a[3]) + u64((r6 << 1u) | (r5 >> 31u)) + (s5 >> 32u);
  let s7 = u64((r7 << 1u) | (r6 >> 31u)) + (s6 >> 32u);
  let s8 = u64(a[4]) * u64(a[4]) + u64((r8 << 1u) | (r7 >> 31u)) + (s7 >> 32u);
  let s9 = u64((r9 << 1u) | (r8 >> 31u)) + (s8 >> 32u);
  let s10 = u64(a[5]) * u64(a[5]) + u64((r10 << 1u) | (r9 >> 31u)) + (s9 >> 32u);
  let s11 = u64((r11 << 1u) | (r10 >> 31u)) + (s10 >> 32u);
  let s12 = u64(a[6]) * u64(a[6]) + u64((r12 << 1u) | (r11 >> 31u)) + (s11 >> 32u);
  let s13 = u64((r13 << 1u) | (r12 >> 31u)) + (s12 >> 32u);
  let s14 = u64(a[7]) * u64(a[7]) + u64((r14 << 1u) | (r13 >> 31u)) + (s13 >> 32u);
  let s15 = u64(r14 >> 31u) + (s14 >> 32u);
  return U512(u32(s0), u32(s1), u32(s2), u32(s3), u32(s4), u32(s5), u32(s6), u32(s7),
    u32(s8), u32(s9), u32(s10), u32(s11), u32(s12), u32(s13), u32(s14), u32(s15));
}
