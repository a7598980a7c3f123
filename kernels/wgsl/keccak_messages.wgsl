// Keccak-256 of messages that begin at whole words.

@group(0) @binding(0) var<storage, read> messages: array<u32>;
@group(0) @binding(1) var<storage, read> spans: array<u32>;
@group(0) @binding(2) var<storage, read_write> answers: array<u32>;

// Bytes that a permutation takes in.
const RATE = 136u;

struct Message {
  first: u32,
  length: u32,
}

// The word from byte `at` on, a multiple of 4, with the padding behind the message but for its last bit.
fn padded(m: Message, at: u32) -> u32 {
  if at > m.length {
    return 0u;
  }
  let left = m.length - at;
  if left == 0u {
    return 1u;
  }
  let word = messages[m.first + at / 4u];
  if left >= 4u {
    return word;
  }
  let end = 1u << (8u * left);
  return (word & (end - 1u)) | end;
}

fn lane(m: Message, at: u32) -> Lane {
  return Lane(padded(m, at), padded(m, at + 4u));
}

fn absorb(before: Keccak, m: Message, at: u32) -> Keccak {
  var a = before;
  a[0] ^= lane(m, at + 0u);
  a[1] ^= lane(m, at + 8u);
  a[2] ^= lane(m, at + 16u);
  a[3] ^= lane(m, at + 24u);
  a[4] ^= lane(m, at + 32u);
  a[5] ^= lane(m, at + 40u);
  a[6] ^= lane(m, at + 48u);
  a[7] ^= lane(m, at + 56u);
  a[8] ^= lane(m, at + 64u);
  a[9] ^= lane(m, at + 72u);
  a[10] ^= lane(m, at + 80u);
  a[11] ^= lane(m, at + 88u);
  a[12] ^= lane(m, at + 96u);
  a[13] ^= lane(m, at + 104u);
  a[14] ^= lane(m, at + 112u);
  a[15] ^= lane(m, at + 120u);
  a[16] ^= lane(m, at + 128u);
  return a;
}

@compute @workgroup_size(64)
fn keccak_messages(@builtin(global_invocation_id) id: vec3<u32>) {
  let item = id.x;
  if item >= parameter(0u) {
    return;
  }
  let m = Message(spans[2u * item], spans[2u * item + 1u]);
  let blocks = m.length / RATE + 1u;
  var a = Keccak();
  for (var block = 0u; block < blocks; block++) {
    a = absorb(a, m, block * RATE);
    if block + 1u == blocks {
      a[16].y ^= LAST_BIT;
    }
    a = keccak_f(a);
  }
  let digest = digest_of(a);
  let place = item * parameter(3u) + parameter(4u);
  for (var i = 0u; i < 8u; i++) {
    answers[place + i] = digest[i];
  }
  if parameter(5u) == 1u {
    var t = tag(tag_start(item), m.length);
    for (var i = 0u; i < (m.length + 3u) / 4u; i++) {
      t = tag(t, messages[m.first + i]);
    }
    for (var i = 0u; i < 8u; i++) {
      t = tag(t, digest[i]);
    }
    answers[place + 8u] = t.x;
    answers[place + 9u] = t.y;
  }
}
