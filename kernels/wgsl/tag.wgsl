// The two words behind an answer, in which the host sees that it is one.

fn tag_start(item: u32) -> vec2<u32> {
  return vec2<u32>(parameter(14u), parameter(15u)) ^ vec2<u32>(item * 0x85ebca6bu);
}

fn tag(before: vec2<u32>, word: u32) -> vec2<u32> {
  let h = (before ^ vec2<u32>(word)) * 0x9e3779b1u;
  return h ^ (h >> vec2<u32>(15u));
}
