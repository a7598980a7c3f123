//! Whole networks on loopback: who may connect, what arrives, what rubbish leads to.

mod common;
mod hello;
mod overlay;
mod rubbish;
mod traffic;
