//! Numbers modulo n against plain big-number arithmetic, and additions that the formulas cannot do.

mod digits;
mod exceptions;
mod glv;
mod order;
