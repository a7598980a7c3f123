// Numbers in words, the least significant first.

alias U256 = array<u32, 8>;
alias U512 = array<u32, 16>;
// A word times a number, or what is left to add of one: `row` says.
alias Row = array<u32, 9>;

const ONE = U256(1u, 0u, 0u, 0u, 0u, 0u, 0u, 0u);

// A number and what did not fit: 2^256 times `carry` more, or less for differences.
struct Carried {
  n: U256,
  carry: u32,
}

fn add(a: U256, b: U256) -> Carried {
  let t0 = add3(a[0], b[0], 0u);
  let t1 = add3(a[1], b[1], t0.y);
  let t2 = add3(a[2], b[2], t1.y);
  let t3 = add3(a[3], b[3], t2.y);
  let t4 = add3(a[4], b[4], t3.y);
  let t5 = add3(a[5], b[5], t4.y);
  let t6 = add3(a[6], b[6], t5.y);
  let t7 = add3(a[7], b[7], t6.y);
  return Carried(U256(t0.x, t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x), t7.y);
}

fn sub(a: U256, b: U256) -> Carried {
  let t0 = sub3(a[0], b[0], 0u);
  let t1 = sub3(a[1], b[1], t0.y);
  let t2 = sub3(a[2], b[2], t1.y);
  let t3 = sub3(a[3], b[3], t2.y);
  let t4 = sub3(a[4], b[4], t3.y);
  let t5 = sub3(a[5], b[5], t4.y);
  let t6 = sub3(a[6], b[6], t5.y);
  let t7 = sub3(a[7], b[7], t6.y);
  return Carried(U256(t0.x, t1.x, t2.x, t3.x, t4.x, t5.x, t6.x, t7.x), t7.y);
}

fn below(a: U256, b: U256) -> bool {
  return sub(a, b).carry != 0u;
}

fn is_zero(a: U256) -> bool {
  return (a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7]) == 0u;
}

fn equal(a: U256, b: U256) -> bool {
  return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])
    | (a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7])) == 0u;
}

fn low(t: U512) -> U256 {
  return U256(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
}

fn high(t: U512) -> U256 {
  return U256(t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15]);
}

fn swap_bytes(word: u32) -> u32 {
  return (word << 24u) | ((word & 0xff00u) << 8u) | ((word >> 8u) & 0xff00u) | (word >> 24u);
}

// Between a number and the words of its 32 bytes, big-endian.
fn reverse(a: U256) -> U256 {
  return U256(swap_bytes(a[7]), swap_bytes(a[6]), swap_bytes(a[5]), swap_bytes(a[4]),
    swap_bytes(a[3]), swap_bytes(a[2]), swap_bytes(a[1]), swap_bytes(a[0]));
}
