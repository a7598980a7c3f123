// Products of words in plain 32-bit integers, of which WGSL gives the low word only: halves of 16 bits, or limbs of 13 bits,
// of whose products 20 fit in a word.

// a b + c + d: low and high word.
fn mac(a: u32, b: u32, c: u32, d: u32) -> vec2<u32> {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let ll = al * bl;
  let lh = al * bh + (ll >> 16u);
  let hl = ah * bl + (lh & 0xffffu);
  let sum = add3((hl << 16u) | (ll & 0xffffu), c, d);
  return vec2<u32>(sum.x, ah * bh + (lh >> 16u) + (hl >> 16u) + sum.y);
}

// a + b + c: word and carry.
fn add3(a: u32, b: u32, c: u32) -> vec2<u32> {
  let s = a + b;
  let t = s + c;
  return vec2<u32>(t, u32(s < a) + u32(t < c));
}

// a - b - c: word and borrow.
fn sub3(a: u32, b: u32, c: u32) -> vec2<u32> {
  let s = a - b;
  return vec2<u32>(s - c, u32(a < b) + u32(s < c));
}

// x b + p / 2^32, p's lowest word left out.
fn row(x: u32, b: U256, p: Row) -> Row {
  let t0 = mac(x, b[0], p[1], 0u);
  let t1 = mac(x, b[1], p[2], t0.y);
  let t2 = mac(x, b[2], p[3], t1.y);
  let t3 = mac(x, b[3], p[4], t2.y);
  let t4 = mac(x, b[4], p[5], t3.y);
  let t5 = mac(x, b[5], p[6], t4.y);
  let t6 = mac(x, b[6], p[7], t5.y);
  let t7 = mac(x, b[7], p[8], t6.y);
  return Row(t0.x, t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x, t7.y);
}

alias Limbs = array<u32, 20>;

fn limbs(a: U256) -> Limbs {
  return Limbs(
    a[0] & 0x1fffu, (a[0] >> 13u) & 0x1fffu,
    ((a[0] >> 26u) | (a[1] << 6u)) & 0x1fffu, (a[1] >> 7u) & 0x1fffu,
    ((a[1] >> 20u) | (a[2] << 12u)) & 0x1fffu, (a[2] >> 1u) & 0x1fffu,
    (a[2] >> 14u) & 0x1fffu, ((a[2] >> 27u) | (a[3] << 5u)) & 0x1fffu,
    (a[3] >> 8u) & 0x1fffu, ((a[3] >> 21u) | (a[4] << 11u)) & 0x1fffu,
    (a[4] >> 2u) & 0x1fffu, (a[4] >> 15u) & 0x1fffu,
    ((a[4] >> 28u) | (a[5] << 4u)) & 0x1fffu, (a[5] >> 9u) & 0x1fffu,
    ((a[5] >> 22u) | (a[6] << 10u)) & 0x1fffu, (a[6] >> 3u) & 0x1fffu,
    (a[6] >> 16u) & 0x1fffu, ((a[6] >> 29u) | (a[7] << 3u)) & 0x1fffu,
    (a[7] >> 10u) & 0x1fffu, a[7] >> 23u,
  );
}

// Columns x b + p / 2^13, p's lowest column left out. No carries: a column is a sum of at most 20 products.
fn limb_row(x: u32, b: Limbs, p: Limbs) -> Limbs {
  return Limbs(
    x * b[0] + p[1], x * b[1] + p[2], x * b[2] + p[3], x * b[3] + p[4],
    x * b[4] + p[5], x * b[5] + p[6], x * b[6] + p[7], x * b[7] + p[8],
    x * b[8] + p[9], x * b[9] + p[10], x * b[10] + p[11], x * b[11] + p[12],
    x * b[12] + p[13], x * b[13] + p[14], x * b[14] + p[15], x * b[15] + p[16],
    x * b[16] + p[17], x * b[17] + p[18], x * b[18] + p[19], x * b[19],
  );
}

// Words of the columns of a product: `c` the lower ones, `d` a row with the upper ones from its second on.
fn carry_columns(c: Limbs, d: Limbs) -> U512 {
  let t0 = c[0];
  let t1 = c[1] + (t0 >> 13u);
  let t2 = c[2] + (t1 >> 13u);
  let t3 = c[3] + (t2 >> 13u);
  let t4 = c[4] + (t3 >> 13u);
  let t5 = c[5] + (t4 >> 13u);
  let t6 = c[6] + (t5 >> 13u);
  let t7 = c[7] + (t6 >> 13u);
  let t8 = c[8] + (t7 >> 13u);
  let t9 = c[9] + (t8 >> 13u);
  let t10 = c[10] + (t9 >> 13u);
  let t11 = c[11] + (t10 >> 13u);
  let t12 = c[12] + (t11 >> 13u);
  let t13 = c[13] + (t12 >> 13u);
  let t14 = c[14] + (t13 >> 13u);
  let t15 = c[15] + (t14 >> 13u);
  let t16 = c[16] + (t15 >> 13u);
  let t17 = c[17] + (t16 >> 13u);
  let t18 = c[18] + (t17 >> 13u);
  let t19 = c[19] + (t18 >> 13u);
  let t20 = d[1] + (t19 >> 13u);
  let t21 = d[2] + (t20 >> 13u);
  let t22 = d[3] + (t21 >> 13u);
  let t23 = d[4] + (t22 >> 13u);
  let t24 = d[5] + (t23 >> 13u);
  let t25 = d[6] + (t24 >> 13u);
  let t26 = d[7] + (t25 >> 13u);
  let t27 = d[8] + (t26 >> 13u);
  let t28 = d[9] + (t27 >> 13u);
  let t29 = d[10] + (t28 >> 13u);
  let t30 = d[11] + (t29 >> 13u);
  let t31 = d[12] + (t30 >> 13u);
  let t32 = d[13] + (t31 >> 13u);
  let t33 = d[14] + (t32 >> 13u);
  let t34 = d[15] + (t33 >> 13u);
  let t35 = d[16] + (t34 >> 13u);
  let t36 = d[17] + (t35 >> 13u);
  let t37 = d[18] + (t36 >> 13u);
  let t38 = d[19] + (t37 >> 13u);
  return U512(
    (t0 & 0x1fffu) | ((t1 & 0x1fffu) << 13u) | (t2 << 26u),
    ((t2 & 0x1fffu) >> 6u) | ((t3 & 0x1fffu) << 7u) | (t4 << 20u),
    ((t4 & 0x1fffu) >> 12u) | ((t5 & 0x1fffu) << 1u) | ((t6 & 0x1fffu) << 14u) | (t7 << 27u),
    ((t7 & 0x1fffu) >> 5u) | ((t8 & 0x1fffu) << 8u) | (t9 << 21u),
    ((t9 & 0x1fffu) >> 11u) | ((t10 & 0x1fffu) << 2u) | ((t11 & 0x1fffu) << 15u) | (t12 << 28u),
    ((t12 & 0x1fffu) >> 4u) | ((t13 & 0x1fffu) << 9u) | (t14 << 22u),
    ((t14 & 0x1fffu) >> 10u) | ((t15 & 0x1fffu) << 3u) | ((t16 & 0x1fffu) << 16u) | (t17 << 29u),
    ((t17 & 0x1fffu) >> 3u) | ((t18 & 0x1fffu) << 10u) | (t19 << 23u),
    ((t19 & 0x1fffu) >> 9u) | ((t20 & 0x1fffu) << 4u) | ((t21 & 0x1fffu) << 17u) | (t22 << 30u),
    ((t22 & 0x1fffu) >> 2u) | ((t23 & 0x1fffu) << 11u) | (t24 << 24u),
    ((t24 & 0x1fffu) >> 8u) | ((t25 & 0x1fffu) << 5u) | ((t26 & 0x1fffu) << 18u) | (t27 << 31u),
    ((t27 & 0x1fffu) >> 1u) | ((t28 & 0x1fffu) << 12u) | (t29 << 25u),
    ((t29 & 0x1fffu) >> 7u) | ((t30 & 0x1fffu) << 6u) | (t31 << 19u),
    (t32 & 0x1fffu) | ((t33 & 0x1fffu) << 13u) | (t34 << 26u),
    ((t34 & 0x1fffu) >> 6u) | ((t35 & 0x1fffu) << 7u) | (t36 << 20u),
    ((t36 & 0x1fffu) >> 12u) | ((t37 & 0x1fffu) << 1u) | (t38 << 14u),
  );
}

// 400 products.
fn multiply(a: U256, b: U256) -> U512 {
  let x = limbs(a);
  let y = limbs(b);
  let r0 = limb_row(x[0], y, Limbs());
  let r1 = limb_row(x[1], y, r0);
  let r2 = limb_row(x[2], y, r1);
  let r3 = limb_row(x[3], y, r2);
  let r4 = limb_row(x[4], y, r3);
  let r5 = limb_row(x[5], y, r4);
  let r6 = limb_row(x[6], y, r5);
  let r7 = limb_row(x[7], y, r6);
  let r8 = limb_row(x[8], y, r7);
  let r9 = limb_row(x[9], y, r8);
  let r10 = limb_row(x[10], y, r9);
  let r11 = limb_row(x[11], y, r10);
  let r12 = limb_row(x[12], y, r11);
  let r13 = limb_row(x[13], y, r12);
  let r14 = limb_row(x[14], y, r13);
  let r15 = limb_row(x[15], y, r14);
  let r16 = limb_row(x[16], y, r15);
  let r17 = limb_row(x[17], y, r16);
  let r18 = limb_row(x[18], y, r17);
  let r19 = limb_row(x[19], y, r18);
  return carry_columns(Limbs(
    r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0], r8[0], r9[0],
    r10[0], r11[0], r12[0], r13[0], r14[0], r15[0], r16[0], r17[0], r18[0], r19[0],
  ), r19);
}

// 210 products: each limb times itself and twice those above it; below are zeros, which compilers take out.
fn square(a: U256) -> U512 {
  let x = limbs(a);
  var y = Limbs(
    x[0] << 1u, x[1] << 1u, x[2] << 1u, x[3] << 1u, x[4] << 1u,
    x[5] << 1u, x[6] << 1u, x[7] << 1u, x[8] << 1u, x[9] << 1u,
    x[10] << 1u, x[11] << 1u, x[12] << 1u, x[13] << 1u, x[14] << 1u,
    x[15] << 1u, x[16] << 1u, x[17] << 1u, x[18] << 1u, x[19] << 1u,
  );
  y[0] = x[0];
  let r0 = limb_row(x[0], y, Limbs());
  y[0] = 0u;
  y[1] = x[1];
  let r1 = limb_row(x[1], y, r0);
  y[1] = 0u;
  y[2] = x[2];
  let r2 = limb_row(x[2], y, r1);
  y[2] = 0u;
  y[3] = x[3];
  let r3 = limb_row(x[3], y, r2);
  y[3] = 0u;
  y[4] = x[4];
  let r4 = limb_row(x[4], y, r3);
  y[4] = 0u;
  y[5] = x[5];
  let r5 = limb_row(x[5], y, r4);
  y[5] = 0u;
  y[6] = x[6];
  let r6 = limb_row(x[6], y, r5);
  y[6] = 0u;
  y[7] = x[7];
  let r7 = limb_row(x[7], y, r6);
  y[7] = 0u;
  y[8] = x[8];
  let r8 = limb_row(x[8], y, r7);
  y[8] = 0u;
  y[9] = x[9];
  let r9 = limb_row(x[9], y, r8);
  y[9] = 0u;
  y[10] = x[10];
  let r10 = limb_row(x[10], y, r9);
  y[10] = 0u;
  y[11] = x[11];
  let r11 = limb_row(x[11], y, r10);
  y[11] = 0u;
  y[12] = x[12];
  let r12 = limb_row(x[12], y, r11);
  y[12] = 0u;
  y[13] = x[13];
  let r13 = limb_row(x[13], y, r12);
  y[13] = 0u;
  y[14] = x[14];
  let r14 = limb_row(x[14], y, r13);
  y[14] = 0u;
  y[15] = x[15];
  let r15 = limb_row(x[15], y, r14);
  y[15] = 0u;
  y[16] = x[16];
  let r16 = limb_row(x[16], y, r15);
  y[16] = 0u;
  y[17] = x[17];
  let r17 = limb_row(x[17], y, r16);
  y[17] = 0u;
  y[18] = x[18];
  let r18 = limb_row(x[18], y, r17);
  y[18] = 0u;
  y[19] = x[19];
  let r19 = limb_row(x[19], y, r18);
  return carry_columns(Limbs(
    r0[0], r1[0], r2[0], r3[0], r4[0], r5[0], r6[0], r7[0], r8[0], r9[0],
    r10[0], r11[0], r12[0], r13[0], r14[0], r15[0], r16[0], r17[0], r18[0], r19[0],
  ), r19);
}
