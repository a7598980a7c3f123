// Inverses of many numbers with one inversion a thread (Montgomery's trick): a thread takes the items from its own number on, as
// far apart as there are threads. The kernel's file says which column, and how to multiply and invert.

@group(0) @binding(0) var<storage, read_write> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> prefixes: array<u32>;

fn load_prefix(item: u32) -> U256 {
  let stride = parameter(1u);
  return U256(prefixes[item], prefixes[item + stride], prefixes[item + 2u * stride], prefixes[item + 3u * stride],
    prefixes[item + 4u * stride], prefixes[item + 5u * stride], prefixes[item + 6u * stride], prefixes[item + 7u * stride]);
}

fn store_prefix(item: u32, n: U256) {
  let stride = parameter(1u);
  prefixes[item] = n[0];
  prefixes[item + stride] = n[1];
  prefixes[item + 2u * stride] = n[2];
  prefixes[item + 3u * stride] = n[3];
  prefixes[item + 4u * stride] = n[4];
  prefixes[item + 5u * stride] = n[5];
  prefixes[item + 6u * stride] = n[6];
  prefixes[item + 7u * stride] = n[7];
}

fn invert_items(thread: u32) {
  let items = parameter(0u);
  let threads = parameter(2u);
  if thread >= threads || thread >= items {
    return;
  }
  var product = ONE;
  for (var item = thread; item < items; item += threads) {
    store_prefix(item, product);
    product = times(product, load_state(COLUMN, item));
  }
  var inverse = invert(product);
  for (var left = (items - thread + threads - 1u) / threads; left > 0u; left--) {
    let item = thread + (left - 1u) * threads;
    let number = load_state(COLUMN, item);
    store_state(COLUMN, item, finished(times(inverse, load_prefix(item))));
    inverse = times(inverse, number);
  }
}
