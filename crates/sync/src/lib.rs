//! Block sync: catch up with the settled chain from many peers.
#![forbid(unsafe_code)]
