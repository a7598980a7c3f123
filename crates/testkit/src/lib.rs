//! What tests share: the vectors loader, signatures of the vectors, Ethereum transactions, and the development keys.
#![forbid(unsafe_code)]

pub mod ethereum;
pub mod keys;
pub mod signatures;
pub mod vectors;
