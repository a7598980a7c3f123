//! Tests of the oracles: one binary, a module a topic.

mod batches;
mod bls;
mod bls_points;
mod checkpoint;
mod differential;
mod eth_vectors;
mod ethers;
mod hash_to_curve;
mod import;
mod keccak;
mod keystore;
mod keystore_bls;
mod recovery;
mod signer_vectors;
mod txs;
mod wycheproof;
