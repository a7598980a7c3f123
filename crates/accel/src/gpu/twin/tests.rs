mod functions;
mod rig;
mod signatures;

mod arithmetic;
mod exceptions;
mod fp381;
mod hashes;
mod known;
mod memory;
mod points;
mod products;
mod recover;
mod vectors;
