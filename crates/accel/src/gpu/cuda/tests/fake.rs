//! The host program on a library that plays the driver (`tests/fake_cuda/libcuda.c`), in processes of its own: whatever call
//! goes wrong, answers are right and the process ends by itself.

mod child;
mod copies;
mod library;
mod runs;
