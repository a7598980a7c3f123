//! The RPC as its clients see it: a real server on a loopback port before a fake node.

mod client;
mod contracts;
mod eth;
mod fake;
mod http;
mod limits;
mod methods;
mod pressure;
mod running;
mod suite;
mod transport;
mod txs;
mod values;
mod websocket;
