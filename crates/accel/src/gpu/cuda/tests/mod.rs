//! Without a card: the files of compiled kernels, and the card's host program on a library that plays the driver.

mod cache;
mod compile;
#[cfg(target_os = "linux")]
mod fake;
mod owner;
