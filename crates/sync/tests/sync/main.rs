//! The syncer against honest peers and liars, in virtual time.

mod bodies;
mod branches;
mod claims;
mod history;
mod honest;
mod liars;
mod world;
