//! One file a kind of input.

mod block;
mod change;
mod execute;
mod requests;
mod vote;
