//! Merkle-Patricia trie with proofs and level-wise batch hashing.
#![forbid(unsafe_code)]
