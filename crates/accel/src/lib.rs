//! The verification engine: batch operations on the fastest backend that the box has.
//!
//! Operations are defined by their scalar twins in `vigil-crypto` ([`oracle`] runs those one by one): every backend gives
//! the same answer for every input, malformed ones included. A backend is a token that only its hardware check can make
//! ([`detect`]).
//!
//! What is deliberately not here: no meaning of what is verified, no network, no chain.

mod backend;
mod backends;
mod bls;
pub mod checkpoint;
mod comb;
pub mod engine;
mod field;
pub mod gpu;
mod hint;
mod keccak;
mod ops;
pub mod oracle;
#[doc(hidden)]
pub mod pieces;
mod safegcd;
mod secp;
mod signer_vectors;
#[cfg(test)]
mod testing;
mod words;

pub use backend::{Backend, BackendName, UnknownBackend, detect};
pub use comb::Comb;
pub use engine::{Engine, EngineConfig};
pub use hint::prefetch;
pub use ops::{Claim, MessageSignature, PublicKey, Recovered, SignatureError, Signed, SignedMessage, Signer, Verdict};
