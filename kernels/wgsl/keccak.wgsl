// Keccak-f[1600] and what is hashed with it. A lane is two words, the lower first.

alias Lane = vec2<u32>;
alias Keccak = array<Lane, 25>;

const ROUND_CONSTANTS = array<Lane, 24>(
  Lane(0x1u, 0x0u), Lane(0x8082u, 0x0u), Lane(0x808au, 0x80000000u), Lane(0x80008000u, 0x80000000u),
  Lane(0x808bu, 0x0u), Lane(0x80000001u, 0x0u), Lane(0x80008081u, 0x80000000u), Lane(0x8009u, 0x80000000u),
  Lane(0x8au, 0x0u), Lane(0x88u, 0x0u), Lane(0x80008009u, 0x0u), Lane(0x8000000au, 0x0u),
  Lane(0x8000808bu, 0x0u), Lane(0x8bu, 0x80000000u), Lane(0x8089u, 0x80000000u), Lane(0x8003u, 0x80000000u),
  Lane(0x8002u, 0x80000000u), Lane(0x80u, 0x80000000u), Lane(0x800au, 0x0u), Lane(0x8000000au, 0x80000000u),
  Lane(0x80008081u, 0x80000000u), Lane(0x8080u, 0x80000000u), Lane(0x80000001u, 0x0u), Lane(0x80008008u, 0x80000000u),
);

// To the left; bits from 1 to 31.
fn rotate(a: Lane, bits: u32) -> Lane {
  return (a << vec2<u32>(bits)) | (a.yx >> vec2<u32>(32u - bits));
}

fn keccak_f(before: Keccak) -> Keccak {
  var a = before;
  for (var round = 0u; round < 24u; round++) {
    a = keccak_round(a);
    a[0] ^= ROUND_CONSTANTS[round];
  }
  return a;
}

fn keccak_round(a: Keccak) -> Keccak {
  let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
  let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
  let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
  let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
  let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
  let d0 = c4 ^ rotate(c1, 1u);
  let d1 = c0 ^ rotate(c2, 1u);
  let d2 = c1 ^ rotate(c3, 1u);
  let d3 = c2 ^ rotate(c4, 1u);
  let d4 = c3 ^ rotate(c0, 1u);
  let b0 = a[0] ^ d0;
  let b1 = rotate((a[6] ^ d1).yx, 12u);
  let b2 = rotate((a[12] ^ d2).yx, 11u);
  let b3 = rotate(a[18] ^ d3, 21u);
  let b4 = rotate(a[24] ^ d4, 14u);
  let b5 = rotate(a[3] ^ d3, 28u);
  let b6 = rotate(a[9] ^ d4, 20u);
  let b7 = rotate(a[10] ^ d0, 3u);
  let b8 = rotate((a[16] ^ d1).yx, 13u);
  let b9 = rotate((a[22] ^ d2).yx, 29u);
  let b10 = rotate(a[1] ^ d1, 1u);
  let b11 = rotate(a[7] ^ d2, 6u);
  let b12 = rotate(a[13] ^ d3, 25u);
  let b13 = rotate(a[19] ^ d4, 8u);
  let b14 = rotate(a[20] ^ d0, 18u);
  let b15 = rotate(a[4] ^ d4, 27u);
  let b16 = rotate((a[5] ^ d0).yx, 4u);
  let b17 = rotate(a[11] ^ d1, 10u);
  let b18 = rotate(a[17] ^ d2, 15u);
  let b19 = rotate((a[23] ^ d3).yx, 24u);
  let b20 = rotate((a[2] ^ d2).yx, 30u);
  let b21 = rotate((a[8] ^ d3).yx, 23u);
  let b22 = rotate((a[14] ^ d4).yx, 7u);
  let b23 = rotate((a[15] ^ d0).yx, 9u);
  let b24 = rotate(a[21] ^ d1, 2u);
  return Keccak(
    b0 ^ (~b1 & b2), b1 ^ (~b2 & b3), b2 ^ (~b3 & b4), b3 ^ (~b4 & b0), b4 ^ (~b0 & b1),
    b5 ^ (~b6 & b7), b6 ^ (~b7 & b8), b7 ^ (~b8 & b9), b8 ^ (~b9 & b5), b9 ^ (~b5 & b6),
    b10 ^ (~b11 & b12), b11 ^ (~b12 & b13), b12 ^ (~b13 & b14), b13 ^ (~b14 & b10), b14 ^ (~b10 & b11),
    b15 ^ (~b16 & b17), b16 ^ (~b17 & b18), b17 ^ (~b18 & b19), b18 ^ (~b19 & b15), b19 ^ (~b15 & b16),
    b20 ^ (~b21 & b22), b21 ^ (~b22 & b23), b22 ^ (~b23 & b24), b23 ^ (~b24 & b20), b24 ^ (~b20 & b21),
  );
}

// The first four lanes.
fn digest_of(a: Keccak) -> array<u32, 8> {
  return array<u32, 8>(a[0].x, a[0].y, a[1].x, a[1].y, a[2].x, a[2].y, a[3].x, a[3].y);
}

// The last bit of padding is the top bit of lane 16.
const LAST_BIT = 0x80000000u;

// Of two times 32 bytes.
fn digest_of_64(x: array<u32, 8>, y: array<u32, 8>) -> array<u32, 8> {
  var a = Keccak();
  a[0] = Lane(x[0], x[1]);
  a[1] = Lane(x[2], x[3]);
  a[2] = Lane(x[4], x[5]);
  a[3] = Lane(x[6], x[7]);
  a[4] = Lane(y[0], y[1]);
  a[5] = Lane(y[2], y[3]);
  a[6] = Lane(y[4], y[5]);
  a[7] = Lane(y[6], y[7]);
  a[8] = Lane(1u, 0u);
  a[16] = Lane(0u, LAST_BIT);
  return digest_of(keccak_f(a));
}
