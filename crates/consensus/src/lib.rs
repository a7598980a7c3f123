//! Settlement as a pure machine: Input -> Effects.
#![forbid(unsafe_code)]
