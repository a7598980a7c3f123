// Sums of vectors of bytes, each with a weight of 64 bits.

@group(0) @binding(0) var<storage, read> vectors: array<u32>;
@group(0) @binding(1) var<storage, read> weights: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

// The sum and what vector `k` adds to it.
fn weighted(sum: vec4<u32>, k: u32, item: u32) -> vec4<u32> {
  let entry = (vectors[k * parameter(3u) + item / 4u] >> (8u * (item % 4u))) & 0xffu;
  let t0 = mac(weights[2u * k], entry, sum.x, 0u);
  let t1 = mac(weights[2u * k + 1u], entry, sum.y, t0.y);
  let t2 = add3(sum.z, t1.y, 0u);
  return vec4<u32>(t0.x, t1.x, t2.x, sum.w + t2.y);
}

@compute @workgroup_size(64)
fn signer_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  var sum = vec4<u32>();
  // Two a step: llvmpipe leaves loops after 65,535 steps.
  let vector_count = parameter(2u);
  for (var k = 0u; k < vector_count; k += 2u) {
    sum = weighted(sum, k, item);
    if k + 1u < vector_count {
      sum = weighted(sum, k + 1u, item);
    }
  }
  var t = tag_start(item);
  for (var i = 0u; i < 4u; i++) {
    answers[item * 6u + i] = sum[i];
    t = tag(t, sum[i]);
  }
  answers[item * 6u + 4u] = t.x;
  answers[item * 6u + 5u] = t.y;
}
