//! Any card with a Vulkan, Metal or Direct3D 12 driver.
//!
//! Kernels are built when they are first launched (on a card in milliseconds to seconds) and kept. wgpu reports errors to
//! callbacks: the first one is kept as the card's trouble, and every later call fails with it.

mod device;
mod lane;
mod open;
mod pipelines;
mod shaders;
mod staging;
mod trial;

pub(crate) use open::{Kind, open_all};
pub(crate) use shaders::Arithmetic;

#[cfg(test)]
mod tests;
