//! The curve y^2 = x^3 + 7 and ECDSA on it, written once over [`crate::field::Field`].

pub(crate) mod comb;
pub(crate) mod curve;
pub(crate) mod digits;
pub(crate) mod few;
pub(crate) mod generator;
pub(crate) mod glv;
pub(crate) mod hot;
pub(crate) mod linear;
pub(crate) mod machine;
pub(crate) mod order;
pub(crate) mod power;
pub(crate) mod recover;
pub(crate) mod sums;
pub(crate) mod table;

#[cfg(test)]
mod tests;
