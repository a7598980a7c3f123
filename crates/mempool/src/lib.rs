//! Admission, ordering, replacement, limits. Pure.
#![forbid(unsafe_code)]
