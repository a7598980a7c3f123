//! Constants of BLS12-381, in the limbs of [`super::words`].

use super::words::{Limbs, P_WORDS, from_hex, small};

/// The absolute value of the curve's parameter x, which is negative.
pub(crate) const X_ABS: u64 = 0xd201_0000_0001_0000;

/// 1 / (1 + u)^((p-1)/3), which is this times u.
pub(crate) const PSI_X: Limbs =
    from_hex("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaad");
/// 1 / (1 + u)^((p-1)/2)
pub(crate) const PSI_Y: [Limbs; 2] = [
    from_hex("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b04121bdea2"),
    from_hex("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbede3cc09"),
];
/// The norm of [`PSI_X`]
pub(crate) const PSI2_X: Limbs =
    from_hex("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaac");

/// A root of -5.
pub(crate) const ROOT_MINUS_5: Limbs =
    from_hex("186417302d5a65347a88b0f999ab2b504614aa5e2eebdeb1a014c40bceb7d2306c12a6d436befcf94d39c9db7b263cd4");

/// The isogeny of the hash to G2 (RFC 9380 appendix E.3): the numerator of its x, coefficients of 1, x, x^2 and x^3.
pub(crate) const X_NUMERATOR: [[Limbs; 2]; 4] = [
    [
        from_hex("5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6"),
        from_hex("5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6"),
    ],
    [
        small(0),
        from_hex("11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71a"),
    ],
    [
        from_hex("11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e"),
        from_hex("8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d"),
    ],
    [
        from_hex("171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1"),
        small(0),
    ],
];
/// The numerator of the isogeny's y / y.
pub(crate) const Y_NUMERATOR: [[Limbs; 2]; 4] = [
    [
        from_hex("1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706"),
        from_hex("1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706"),
    ],
    [
        small(0),
        from_hex("5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be"),
    ],
    [
        from_hex("11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c"),
        from_hex("8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f"),
    ],
    [
        from_hex("124c9ad43b6cf79bfbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10"),
        small(0),
    ],
];

/// (p - 3) / 4
pub(crate) const P_MINUS_3_OVER_4: [u64; 6] = {
    let mut out = [0; 6];
    let mut i = 0;
    while i < 6 {
        // p is 3 modulo 4: the two bits that fall out are the 3.
        out[i] = P_WORDS[i] >> 2 | if i < 5 { P_WORDS[i + 1] << 62 } else { 0 };
        i += 1;
    }
    out
};
/// Its bits.
pub(crate) const P_MINUS_3_OVER_4_BITS: usize = 379;

/// 1 / 2
pub(crate) const HALF: Limbs =
    from_hex("0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd556");
