// Rows of points of G1 to columns.

@group(0) @binding(0) var<storage, read> rows: array<u32>;
@group(0) @binding(1) var<storage, read> slots: array<u32>;
@group(0) @binding(2) var<storage, read_write> points: array<u32>;

@compute @workgroup_size(64)
fn g1_gather(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let row = slots[item];
  for (var i = 0u; i < 24u; i++) {
    var word = 0xffffffffu;
    if row < parameter(2u) {
      word = rows[row * 24u + i];
    }
    points[i * parameter(1u) + item] = word;
  }
}
