//! What tests share: the vectors loader and the development keys.
#![forbid(unsafe_code)]

pub mod keys;
pub mod vectors;
