//! Tests that need the inside of the crate, and what they share.

pub(crate) mod actors;
mod blocks;
mod certificates;
mod contracts;
mod deposits;
mod differential;
mod dry_run;
mod ethereum_state;
mod evm_vectors;
mod genesis;
mod guardian_rewards;
mod guards;
mod random;
mod resets;
mod rewards;
mod screen;
mod sends;
mod slashes;
mod speed;
mod supply;
mod vectors;
