// The columns that stay on the card; the kernel's file says at which place.

const X = 0u;
const Y = 8u;
const Z = 16u;
const CODE = 24u;

fn load_state(column: u32, item: u32) -> U256 {
  let stride = parameter(1u);
  let at = column * stride + item;
  return U256(state[at], state[at + stride], state[at + 2u * stride], state[at + 3u * stride],
    state[at + 4u * stride], state[at + 5u * stride], state[at + 6u * stride], state[at + 7u * stride]);
}
