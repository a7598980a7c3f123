//! JSON-RPC: theta.*; health; metrics; a small client.
#![forbid(unsafe_code)]
