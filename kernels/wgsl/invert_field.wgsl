const COLUMN = Z;

fn times(a: U256, b: U256) -> U256 {
  return fe_mul(a, b);
}

fn invert(a: U256) -> U256 {
  return fe_invert(a);
}

fn finished(a: U256) -> U256 {
  return fe_canonical(a);
}

@compute @workgroup_size(64)
fn invert_field(@builtin(global_invocation_id) id: vec3<u32>) {
  invert_items(id.x);
}
