mod functions;
mod rig;
mod signatures;

mod arithmetic;
mod exceptions;
mod hashes;
mod known;
mod points;
mod products;
mod recover;
mod vectors;
