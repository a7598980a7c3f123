// One operation an item: what the host tries before it trusts an arithmetic on a card. Rows of operation, a (8), b (8).

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read_write> answers: array<u32>;

fn operand(i: u32) -> U256 {
  return U256(items[i], items[i + 1u], items[i + 2u], items[i + 3u], items[i + 4u], items[i + 5u], items[i + 6u], items[i + 7u]);
}

@compute @workgroup_size(64)
fn arithmetic(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let a = operand(item * 17u + 1u);
  let b = operand(item * 17u + 9u);
  var r: U256;
  switch items[item * 17u] {
    case 0u: { r = fe_canonical(fe_mul(a, b)); }
    case 1u: { r = fe_canonical(fe_sqr(a)); }
    case 2u: { r = fe_canonical(fe_add(a, b)); }
    case 3u: { r = fe_canonical(fe_sub(a, b)); }
    case 4u: { r = fe_canonical(fe_twice(a)); }
    case 5u: { r = fe_canonical(fe_half(a)); }
    case 6u: { r = fe_canonical(fe_invert(a)); }
    case 7u: { r = fe_canonical(fe_sqrt(a)); }
    case 8u: { r = order_mul(a, b); }
    case 9u: { r = order_sqr(a); }
    case 10u: { r = order_add(a, b); }
    case 11u: { r = order_negative(a); }
    case 12u: { r = order_invert(a); }
    case 13u: { r = reduced(a); }
    default: {}
  }
  for (var i = 0u; i < 8u; i++) {
    answers[item * 8u + i] = r[i];
  }
}
