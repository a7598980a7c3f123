// Rows of signatures, `parameter(3)` words each: digest, r, s, v, and what the mode adds.

const DIGEST = 0u;
const R = 8u;
const S = 16u;
const V = 24u;
// Of a key: x and y; or the number of its table.
const KEY = 25u;

fn item_word(item: u32, at: u32) -> u32 {
  return items[item * parameter(3u) + at];
}

// 32 bytes, big-endian.
fn item_number(item: u32, at: u32) -> U256 {
  let i = item * parameter(3u) + at;
  return reverse(U256(items[i], items[i + 1u], items[i + 2u], items[i + 3u], items[i + 4u], items[i + 5u], items[i + 6u], items[i + 7u]));
}
