//! Graphics cards: one host program ([`backend`](self)) over [`card::Card`], which CUDA, wgpu and the host twin implement.
//! The kernels are in `kernels/`, whose README.md is the contract between them and this module.

pub(crate) mod card;
pub(crate) mod wgpu;
