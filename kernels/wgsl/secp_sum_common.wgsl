// What the sums u1 G + u2 P share: the start, the multiples of G, the end.

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;
@group(0) @binding(2) var<storage, read> table_of_g: array<u32>;
@group(0) @binding(3) var<storage, read> start: array<u32>;

const UNKNOWN = 2u;

// Windows of 13 bits of numbers of 255 bits.
const G_WINDOWS = 20u;
const G_LEAST = 4095u;
// G_LEAST in each; the 4 bits that 256 have no room for are 7.
const G_BIAS = U256(0xfdffefffu, 0xfff7ffbfu, 0xfbffdffeu, 0xffefff7fu, 0xf7ffbffdu, 0xffdffeffu, 0xefff7ffbu, 0xffbffdffu);
const G_BIAS_TOP = 7u;

// The factor of G, or minus it, and G_BIAS.
var<private> of_g: array<u32, 9>;
var<private> of_g_negated: bool;

fn set_factor_of_g(u: U256) {
  of_g_negated = order_is_high(u);
  var n = u;
  if of_g_negated {
    n = sub(N, u).n;
  }
  let t = add(n, G_BIAS);
  of_g = array<u32, 9>(t.n[0], t.n[1], t.n[2], t.n[3], t.n[4], t.n[5], t.n[6], t.n[7], t.carry + G_BIAS_TOP);
}

fn digit_of_g(window: u32) -> Digit {
  let bit = 13u * window;
  let word = bit / 32u;
  let shift = bit % 32u;
  // In two steps, as a shift by 32 is none.
  let above = (of_g[word + 1u] << 1u) << (31u - shift);
  return digit(((of_g[word] >> shift) | above) & 0x1fffu, G_LEAST, of_g_negated);
}

fn point_of_g(window: u32, d: Digit) -> Affine {
  let i = (window * 4096u + d.index) * 16u;
  let x = U256(table_of_g[i], table_of_g[i + 1u], table_of_g[i + 2u], table_of_g[i + 3u],
    table_of_g[i + 4u], table_of_g[i + 5u], table_of_g[i + 6u], table_of_g[i + 7u]);
  let y = U256(table_of_g[i + 8u], table_of_g[i + 9u], table_of_g[i + 10u], table_of_g[i + 11u],
    table_of_g[i + 12u], table_of_g[i + 13u], table_of_g[i + 14u], table_of_g[i + 15u]);
  return signed_point(x, y, d.negative);
}

fn start_number(i: u32) -> U256 {
  return U256(start[i], start[i + 1u], start[i + 2u], start[i + 3u], start[i + 4u], start[i + 5u], start[i + 6u], start[i + 7u]);
}

fn store_sum(item: u32, p: Jacobian) {
  let z = fe_canonical(p.z);
  store_state(X, item, fe_canonical(p.x));
  store_state(Y, item, fe_canonical(p.y));
  if is_zero(z) {
    store_unknown(item);
  } else {
    store_state(Z, item, z);
  }
}

// Whether what `invert_order` left is the inverse of r or s: an error of the card there would give another sum on the curve.
fn is_inverse(inverse: U256, divisor: U256) -> bool {
  return equal(order_mul(inverse, divisor), ONE);
}

fn store_unknown(item: u32) {
  store_state(Z, item, ONE);
  state[CODE * parameter(1u) + item] = UNKNOWN;
}
