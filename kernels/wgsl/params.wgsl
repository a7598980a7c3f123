// The parameters of a launch; the first is the number of items.

struct Parameters {
  words: array<vec4<u32>, 4>,
}

@group(0) @binding(8) var<uniform> parameters: Parameters;

fn parameter(i: u32) -> u32 {
  return parameters.words[i / 4u][i % 4u];
}
