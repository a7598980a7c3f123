//! The Ethereum side as its tools see it.

mod blocks;
mod calls;
mod chain;
mod fake;
mod filters;
mod limits;
mod methods;
mod running;
mod subscriptions;
mod transport;
mod vector_chain;
mod vectors;
