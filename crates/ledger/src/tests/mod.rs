//! Tests that need the inside of the crate, and what they share.

mod actors;
mod blocks;
mod deposits;
mod genesis;
mod rewards;
mod screen;
mod sends;
mod speed;
mod supply;
mod vectors;
