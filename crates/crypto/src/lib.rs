//! The scalar oracles: keccak256, secp256k1, BLS12-381, keystores.
#![forbid(unsafe_code)]
