//! One file a kind of input.

mod block;
mod change;
mod execute;
mod requests;
pub(crate) mod rival;
mod vote;
