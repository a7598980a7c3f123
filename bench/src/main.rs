//! Load and measurement.
#![forbid(unsafe_code)]
fn main() {}
