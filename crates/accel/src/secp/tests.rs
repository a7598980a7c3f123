//! Numbers modulo n against plain big-number arithmetic.

mod digits;
mod glv;
mod order;
