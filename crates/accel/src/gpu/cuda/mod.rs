//! Cards with NVIDIA's driver, through `cudarc`. Driver and compiler are loaded at run time; nothing of CUDA is needed to build.
//!
//! | file | what |
//! |---|---|
//! | `driver` | calls to the driver, and what becomes of their errors |
//! | `open` | which cards there are |
//! | `device`, `rooms` | a card and its buffers |
//! | `lane`, `staging` | a stream, and memory through which words go to the card |
//! | `kernels` | modules that are loaded |
//! | `compile`, `shared`, `cache`, `nvrtc`, `sources` | where their code comes from |
//!
//! The driver is only called on threads that nobody waits for without a time limit: couriers, and those that open cards.
//! Memory that work under way may touch is never freed: after a fault it is left to the end of the process.

mod cache;
mod compile;
mod device;
mod driver;
mod kernels;
mod lane;
mod nvrtc;
mod open;
mod rooms;
mod shared;
mod sources;
mod staging;

pub(crate) use open::open_all;

#[cfg(test)]
mod tests;
