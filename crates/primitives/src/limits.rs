//! Limits of the wire, with names; each is tested at, below and above.

/// Largest encoded transaction that is decoded, in bytes.
pub const TX_BYTES_MAX: usize = 256 * 1024;
/// Largest encoded block that is decoded, in bytes, whatever genesis says (genesis may set less).
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most transactions in a block that is decoded (genesis may set less).
pub const BLOCK_TXS_MAX: usize = 65_536;
/// Most accounts one transaction may touch (`spec/ledger.md` §8, MaxAccountsAffectedPerTx).
pub const TX_ACCOUNTS_MAX: usize = 512;
/// Most validators in a set (`spec/ledger.md` §8).
pub const VALIDATORS_MAX: usize = 31;
/// Most guardians that vote on a checkpoint.
pub const GUARDIANS_MAX: usize = 16_384;
/// Longest packed signer vector: width, a bit a guardian, a byte a signer.
pub const SIGNER_VECTOR_BYTES_MAX: usize = 1 + GUARDIANS_MAX.div_ceil(8) + GUARDIANS_MAX;
/// Longest chain id, in bytes.
pub const CHAIN_ID_BYTES_MAX: usize = 64;
/// Longest resource id, in bytes.
pub const RESOURCE_ID_BYTES_MAX: usize = 1024;
/// Most resource ids of one micropayment pool.
pub const RESOURCE_IDS_MAX: usize = 128;
/// Wei of one whole token.
pub const WEI: u128 = 1_000_000_000_000_000_000;
/// A native signature: r 32, s 32, recovery id 1.
pub const SIGNATURE_BYTES: usize = 65;

/// Least `block_bytes_max` of a genesis: room for any one transaction beside a header and a coinbase.
pub const BLOCK_BYTES_MAX_MIN: usize = 2 * TX_BYTES_MAX + 64 * 1024;

const _: () = assert!(BLOCK_BYTES_MAX_MIN <= BLOCK_BYTES_MAX);
