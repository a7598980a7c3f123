//! Graphics cards: one host program over `card::Card`, which CUDA, wgpu and the host twin implement.
//! The kernels are in `kernels/`, whose README.md is the contract between them and this module.
//!
//! | file | what |
//! |---|---|
//! | `card` | what a card must do |
//! | `question`, `tag`, `canaries` | rows of words: what is asked and answered |
//! | `desk` | a lane of work: the order of kernels |
//! | `post`, `health` | couriers of a card, time limits, quarantine |
//! | `guard` | no answer is taken on trust |
//! | `tables` | which tables of hot keys are on the card |
//! | `checkpoint`, `fp381`, `key_sum` | votes of guardians |
//! | `backend` | [`crate::Backend`] of a card |
//! | `secp`, `messages`, `digests`, `sums` | its operations |
//! | `find` | which cards there are |
//! | `rates` | how fast kernels are without copies |
//! | `cuda`, `wgpu`, `twin` | kinds of cards |

mod backend;
#[cfg(all(test, feature = "host-twin", target_arch = "x86_64"))]
mod bad_card;
mod canaries;
pub(crate) mod card;
mod checkpoint;
mod cuda;
mod desk;
mod digests;
mod find;
mod fp381;
mod guard;
mod health;
mod key_sum;
mod messages;
mod post;
mod question;
pub(crate) mod rates;
mod secp;
mod start;
mod sums;
mod tables;
mod tag;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(all(test, feature = "host-twin", target_arch = "x86_64"))]
mod tests;
#[cfg(all(feature = "host-twin", target_arch = "x86_64"))]
pub(crate) mod twin;
pub(crate) mod wgpu;

pub use backend::Gpu;
pub use card::{CardInfo, Fault};
pub(crate) use find::tell_all;
pub use find::{Found, Limits, StandIn, State, cards, limit, stand_in, states};
