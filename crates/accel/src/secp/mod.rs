//! The curve y^2 = x^3 + 7 and ECDSA on it, written once over [`crate::field::Field`].

pub(crate) mod curve;
pub(crate) mod power;
