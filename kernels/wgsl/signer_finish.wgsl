// Rows of code, address, tag.

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

@compute @workgroup_size(64)
fn signer_finish(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let end = load_end(item);
  var words = array<u32, 5>();
  if end.code == 0u {
    let d = digest_of_64(reverse(end.x), reverse(end.y));
    words = array<u32, 5>(d[3], d[4], d[5], d[6], d[7]);
  }
  let row = item * 8u;
  answers[row] = end.code;
  var t = tag(tag_of_row(item), end.code);
  for (var i = 0u; i < 5u; i++) {
    answers[row + 1u + i] = words[i];
    t = tag(t, words[i]);
  }
  answers[row + 6u] = t.x;
  answers[row + 7u] = t.y;
}
