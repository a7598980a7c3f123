//! The scalar oracles: Keccak-256, secp256k1, BLS12-381, keystores.
//!
//! Everything here answers about one item, in the plainest way that is correct; batches and SIMD are `accel`'s, which is
//! measured against this crate. [`VerifiedTx`] is the one door from raw bytes to a transaction whose signatures have
//! been judged.
//!
//! What is deliberately not here: no account is read (whether a signer may pay is the ledger's question), and no
//! randomness but that of new keys.
#![forbid(unsafe_code)]

pub mod bls;
mod check;
pub mod keystore;
pub mod second_opinion;
mod secp;
mod sign;
pub mod signer_vectors;
mod verified;

pub use check::{Check, Scalar, SignatureChecker};
