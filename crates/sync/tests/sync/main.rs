//! The syncer against honest peers and liars, in virtual time.

mod honest;
mod liars;
mod world;
