//! State transition: accounts, two coins, stakes, rewards. Pure: (state, block) -> changes.
#![forbid(unsafe_code)]
