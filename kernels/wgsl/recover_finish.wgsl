// Rows of code, address, key, tag.

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

@compute @workgroup_size(64)
fn recover_finish(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let end = load_end(item);
  var words = array<u32, 21>();
  if end.code == 0u {
    let x = reverse(end.x);
    let y = reverse(end.y);
    let d = digest_of_64(x, y);
    words = array<u32, 21>(d[3], d[4], d[5], d[6], d[7], x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7],
      y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]);
  }
  let row = item * 24u;
  answers[row] = end.code;
  var t = tag(tag_of_row(item), end.code);
  for (var i = 0u; i < 21u; i++) {
    answers[row + 1u + i] = words[i];
    t = tag(t, words[i]);
  }
  answers[row + 22u] = t.x;
  answers[row + 23u] = t.y;
}
