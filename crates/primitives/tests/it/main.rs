//! Tests of the wire: one binary, a module a topic.

mod amount;
mod blocks;
mod conformance;
mod ethereum;
mod evidence;
mod finality;
mod genesis;
mod limits;
mod prop;
mod reset;
mod rlp;
mod samples;
mod theta_js;
mod txs;
