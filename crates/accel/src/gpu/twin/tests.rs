mod functions;

mod arithmetic;
mod hashes;
mod points;
