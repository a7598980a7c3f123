//! Limits.

use crate::Millis;

/// Limits of a [`crate::Mempool`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most transactions; one that several accounts pay counts once for each. It bounds what a settled block can make the
    /// pool judge again.
    pub count_max: usize,
    /// Most bytes of encoded transactions.
    pub bytes_max: usize,
    /// Most transactions of one account.
    pub account_max: usize,
    /// How long a transaction may wait, in milliseconds.
    pub expiry_ms: Millis,
    /// How often expired transactions are looked for, in milliseconds: one may stay that much longer.
    pub sweep_ms: Millis,
    /// Most hashes remembered as seen.
    pub seen_max: usize,
    /// How long a hash is remembered as seen, in milliseconds.
    pub seen_ms: Millis,
    /// Most hashes remembered as abandoned.
    pub abandoned_max: usize,
    /// What a replacement must pay at least, in per cent of the price of what it replaces.
    pub replacement_percent: u64,
    /// Most pending transactions, of the account and of all that share a transaction with it, for which one is still
    /// replaced: each attempt judges all of them again, and a refused one costs its sender nothing.
    pub replacement_group_max: usize,
    /// Most pending slash transactions.
    pub reports_max: usize,
    /// Most reporters remembered as having sent forged evidence, for as long as a transaction may wait.
    pub liars_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            count_max: 50_000,
            bytes_max: 64 * 1024 * 1024,
            account_max: 1_024,
            expiry_ms: 5 * 60 * 1_000,
            sweep_ms: 1_000,
            seen_max: 200_000,
            seen_ms: 60 * 1_000,
            abandoned_max: 100_000,
            replacement_percent: 110,
            replacement_group_max: 64,
            reports_max: 64,
            liars_max: 10_000,
        }
    }
}
