//! The `vigil` binary: every subcommand, thin.
#![forbid(unsafe_code)]
fn main() {}
