fn store_state(column: u32, item: u32, n: U256) {
  let stride = parameter(1u);
  let at = column * stride + item;
  state[at] = n[0];
  state[at + stride] = n[1];
  state[at + 2u * stride] = n[2];
  state[at + 3u * stride] = n[3];
  state[at + 4u * stride] = n[4];
  state[at + 5u * stride] = n[5];
  state[at + 6u * stride] = n[6];
  state[at + 7u * stride] = n[7];
}
