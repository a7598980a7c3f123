// Products of the denominators of many pairs of points.

@group(0) @binding(1) var<storage, read_write> prefixes: array<u32>;
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;

@compute @workgroup_size(64)
fn g1_products(@builtin(global_invocation_id) id: vec3<u32>) {
  let pairs = parameter(0u);
  let threads = parameter(2u);
  let half = parameter(3u);
  let stride = parameter(4u);
  let item = id.x;
  if item >= threads || item >= pairs {
    return;
  }
  var product = load_pair(item, item + half).denominator;
  for (var pair = item + threads; pair < pairs; pair += threads) {
    for (var i = 0u; i < 12u; i++) {
      prefixes[i * stride + pair] = product[i];
    }
    product = fp_mul(product, load_pair(pair, pair + half).denominator);
  }
  for (var i = 0u; i < 12u; i++) {
    totals[i * stride + item] = product[i];
  }
}
