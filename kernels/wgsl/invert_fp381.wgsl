// Inverses of many numbers modulo p of BLS12-381, as invert.wgsl has them.

@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;
@group(0) @binding(1) var<storage, read_write> prefixes: array<u32>;

fn load_number(item: u32) -> Number {
  var r = Number();
  for (var i = 0u; i < 12u; i++) {
    r[i] = numbers[i * parameter(1u) + item];
  }
  return r;
}

fn load_prefix(item: u32) -> Number {
  var r = Number();
  for (var i = 0u; i < 12u; i++) {
    r[i] = prefixes[i * parameter(1u) + item];
  }
  return r;
}

@compute @workgroup_size(64)
fn invert_fp381(@builtin(global_invocation_id) id: vec3<u32>) {
  let items = parameter(0u);
  let threads = parameter(2u);
  let thread = id.x;
  if thread >= threads || thread >= items {
    return;
  }
  var product = FP_ONE;
  for (var item = thread; item < items; item += threads) {
    for (var i = 0u; i < 12u; i++) {
      prefixes[i * parameter(1u) + item] = product[i];
    }
    product = fp_mul(product, load_number(item));
  }
  var inverse = fp_invert(product);
  for (var left = (items - thread + threads - 1u) / threads; left > 0u; left--) {
    let item = thread + (left - 1u) * threads;
    let number = load_number(item);
    let r = fp_mul(inverse, load_prefix(item));
    for (var i = 0u; i < 12u; i++) {
      numbers[i * parameter(1u) + item] = r[i];
    }
    inverse = fp_mul(inverse, number);
  }
}
