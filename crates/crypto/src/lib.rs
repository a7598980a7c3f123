//! The scalar oracles: Keccak-256, secp256k1, BLS12-381, keystores.
//!
//! Everything here answers about one item, in the plainest way that is correct; batches and SIMD are `accel`'s, which is
//! measured against this crate. [`VerifiedTx`] is the one door from raw bytes to a transaction whose signatures have
//! been judged.
//!
//! What is deliberately not here: no account is read (whether a signer may pay is the ledger's question), and no
//! randomness but that of new keys.
#![forbid(unsafe_code)]

pub mod bls;
mod cases;
mod check;
pub mod checkpoint;
mod import;
pub mod keystore;
pub mod second_opinion;
mod secp;
mod sign;
pub mod signer_vectors;
mod verified;

pub use check::{Check, MessageSignature, Scalar, SignatureChecker, SignedMessage};
pub use import::{EthImportError, eth_sender, import_eth, import_eth_for, tx_of_block};
pub use secp::{PublicKey, SecretKey, SignatureError, recover, recover_eth, recover_key, verify_digest, verify_known};
pub use sign::{SignError, sign_digest, sign_tx};
pub use verified::{Judging, TxDomain, VerifiedTx, verify_header, verify_tx, verify_txs};
pub use vigil_primitives::keccak256;
