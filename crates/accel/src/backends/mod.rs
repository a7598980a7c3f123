//! The gates: each backend's hardware check, token and entry points.

pub(crate) mod portable;
