// Rows of code, first word of the address, tag.

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
  var word = 0u;
  if end.code == 0u {
    word = digest_of_64(reverse(end.x), reverse(end.y))[3];
  }
  let t = tag(tag(tag_of_row(item), end.code), word);
  answers[item * 4u] = end.code;
  answers[item * 4u + 1u] = word;
  answers[item * 4u + 2u] = t.x;
  answers[item * 4u + 3u] = t.y;
}
