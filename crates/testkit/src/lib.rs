//! What tests share: the vectors loader, signatures of the vectors, and the development keys.
#![forbid(unsafe_code)]

pub mod keys;
pub mod signatures;
pub mod vectors;
