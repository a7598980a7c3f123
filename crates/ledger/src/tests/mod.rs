//! Tests that need the inside of the crate, and what they share.

mod vectors;
