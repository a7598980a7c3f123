const COLUMN = X;

fn times(a: U256, b: U256) -> U256 {
  return order_mul(a, b);
}

fn invert(a: U256) -> U256 {
  return order_invert(a);
}

fn finished(a: U256) -> U256 {
  return a;
}

@compute @workgroup_size(64)
fn invert_order(@builtin(global_invocation_id) id: vec3<u32>) {
  invert_items(id.x);
}
