// Sums compared with r and v. Rows of code, lowest word of x, tag.

@group(0) @binding(0) var<storage, read> items: array<u32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

const WRONG_KEY = 3u;

@compute @workgroup_size(64)
fn known_finish(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let end = load_end(item);
  var code = end.code;
  var word = 0u;
  if code == 0u {
    word = end.x[0];
    if !equal(end.x, item_number(item, R)) || (end.y[0] & 1u) != item_word(item, V) {
      code = WRONG_KEY;
    }
  }
  let t = tag(tag(tag_of_row(item), code), word);
  answers[item * 4u] = code;
  answers[item * 4u + 1u] = word;
  answers[item * 4u + 2u] = t.x;
  answers[item * 4u + 3u] = t.y;
}
