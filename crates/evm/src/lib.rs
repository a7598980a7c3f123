//! revm over whatever holds the accounts.
#![forbid(unsafe_code)]
