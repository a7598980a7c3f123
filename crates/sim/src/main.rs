//! Whole networks in one process, virtual time, seeded faults and liars.
#![forbid(unsafe_code)]
fn main() {}
