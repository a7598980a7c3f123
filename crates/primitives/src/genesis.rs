//! Genesis: everything that two nodes must agree on before the first block, as one JSON file.
//!
//! The rules of a chain (fork heights, limits, intervals) are data here, not code (DESIGN §4), and the state commits to
//! them under the key `ls/params`, so that a different rule is a different genesis hash.

use crate::{Address, BLOCK_BYTES_MAX_MIN, BlsKeyBytes, CHAIN_ID_BYTES_MAX, Height, U256, VALIDATORS_MAX, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use serde::{Deserialize, Serialize};

mod file;

pub use file::{Genesis, GenesisAccount, GenesisGuardian, GenesisStake};

/// Heights from which each rule holds (`spec/ledger.md` §8). A new chain starts with the newest rules: all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, RlpEncodable, RlpDecodable)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Forks {
    pub validator_reward: Height,
    pub theta2: Height,
    pub guardian_minimum_1000: Height,
    pub smart_contract: Height,
    pub sample_staking_reward: Height,
    pub june_2021_fee_adjustment: Height,
    pub theta3: Height,
    pub rpc_compatibility: Height,
    pub tx_wrapper_extension: Height,
    pub theta_in_smart_contract: Height,
    pub validator_minimum_200k: Height,
    pub wrapped_theta: Height,
    pub metachain: Height,
}

/// Names of Ethereum's forks that contracts can run under, oldest first. A new chain has the last one's rules; its genesis
/// names it, so that a newer program does not change an older chain.
pub const EVM_FORKS: [&str; 14] = [
    "frontier",
    "homestead",
    "tangerine",
    "spurious_dragon",
    "byzantium",
    "petersburg",
    "istanbul",
    "berlin",
    "london",
    "paris",
    "shanghai",
    "cancun",
    "prague",
    "osaka",
];

/// The rules of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, RlpEncodable, RlpDecodable)]
#[serde(deny_unknown_fields, default)]
pub struct ChainParams {
    /// Text that every signature covers.
    pub chain_id: String,
    /// Symbol of the stake token.
    pub stake_token: String,
    /// Symbol of the operational token.
    pub operational_token: String,
    /// Heights of the rules.
    pub forks: Forks,
    /// Least time between blocks, in milliseconds.
    pub block_interval_ms: u64,
    /// Assumed bound of a message's delay (Δ of `spec/consensus.md`), in milliseconds.
    pub delta_ms: u64,
    /// Time allowed for executing a block (x of `spec/consensus.md` §1.5), in milliseconds.
    pub execution_budget_ms: u64,
    /// Most transactions in a block.
    pub block_txs_max: u64,
    /// Largest encoded block, in bytes.
    pub block_bytes_max: u64,
    /// Most gas in a block.
    pub block_gas_max: u64,
    /// Most gas in a transaction.
    pub tx_gas_max: u64,
    /// Heights that are multiples of this are checkpoints (T of `spec/consensus.md`).
    pub checkpoint_interval: u64,
    /// Yearly minting of the operational token, in hundredths of a per cent of its supply at genesis.
    pub inflation_basis_points: u64,
    /// Most validators.
    pub validators_max: u64,
    /// Least validator deposit, in whole stake tokens.
    pub validator_deposit_min: u64,
    /// Least guardian deposit, in whole stake tokens.
    pub guardian_deposit_min: u64,
    /// Largest total stake of a guardian, in whole stake tokens; 0: no limit.
    pub guardian_stake_max: u64,
    /// Blocks between the withdrawal of stake and its return.
    pub return_locking_period: u64,
    /// `augmented` or `proof-of-possession` (DESIGN §4, "BLS").
    pub bls_scheme: String,
    /// Name of the EVM's rules: one of [`EVM_FORKS`].
    pub evm_fork: String,
}

impl Default for ChainParams {
    fn default() -> Self {
        Self {
            chain_id: "privatenet".into(),
            stake_token: "THETA".into(),
            operational_token: "TFUEL".into(),
            forks: Forks::default(),
            block_interval_ms: 1_000,
            delta_ms: 1_000,
            execution_budget_ms: 250,
            block_txs_max: 8_192,
            block_bytes_max: 4 * 1024 * 1024,
            block_gas_max: 60_000_000,
            tx_gas_max: 20_000_000,
            checkpoint_interval: 100,
            inflation_basis_points: 500,
            validators_max: VALIDATORS_MAX as u64,
            validator_deposit_min: 200_000,
            guardian_deposit_min: 1_000,
            guardian_stake_max: 0,
            return_locking_period: 28_800,
            bls_scheme: "augmented".into(),
            evm_fork: EVM_FORKS[EVM_FORKS.len() - 1].into(),
        }
    }
}

/// A genesis file that cannot start a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A value is out of its range.
    #[error("genesis `{key}` is {got}, must be {must}")]
    Param {
        /// Which.
        key: &'static str,
        /// What it is.
        got: String,
        /// What it must be.
        must: String,
    },
    /// An account is listed twice.
    #[error("genesis lists account {0} twice")]
    DuplicateAccount(Address),
    /// A source stakes twice with one holder.
    #[error("genesis lists the stake of {source_address} with {holder} twice")]
    DuplicateStake {
        /// Whose money.
        source_address: Address,
        /// The validator or guardian.
        holder: Address,
    },
    /// A guardian is listed with two keys, or a key with two guardians.
    #[error("genesis guardians {one} and {other} must have one key each: {key}")]
    GuardianKey {
        /// A guardian.
        one: Address,
        /// Another, or the same.
        other: Address,
        /// The key.
        key: BlsKeyBytes,
    },
    /// A source stakes more than it has.
    #[error("{source_address} stakes {staked} wei at genesis but holds {balance}")]
    Overstaked {
        /// Whose money.
        source_address: Address,
        /// What it stakes in all, in wei.
        staked: U256,
        /// What it holds, in wei.
        balance: U256,
    },
    /// Nobody could propose a block.
    #[error("genesis stakes no validator")]
    NoValidators,
}

impl ChainParams {
    /// Checks every range.
    ///
    /// # Errors
    /// [`GenesisError::Param`] with the first key that is out of range.
    pub fn validate(&self) -> Result<(), GenesisError> {
        let id_len = self.chain_id.len() as u64;
        let in_range = |key, got: u64, min: u64, max: u64| {
            let must = format!("{min} to {max}");
            if (min..=max).contains(&got) {
                Ok(())
            } else {
                Err(GenesisError::Param { key, got: got.to_string(), must })
            }
        };
        in_range("chain_id length", id_len, 1, CHAIN_ID_BYTES_MAX as u64)?;
        in_range("block_interval_ms", self.block_interval_ms, 10, 60_000)?;
        in_range("delta_ms", self.delta_ms, 10, 60_000)?;
        in_range("execution_budget_ms", self.execution_budget_ms, 0, 60_000)?;
        in_range("block_txs_max", self.block_txs_max, 1, crate::BLOCK_TXS_MAX as u64)?;
        in_range("block_bytes_max", self.block_bytes_max, BLOCK_BYTES_MAX_MIN as u64, crate::BLOCK_BYTES_MAX as u64)?;
        in_range("block_gas_max", self.block_gas_max, 1_000_000, 1_000_000_000_000)?;
        in_range("tx_gas_max", self.tx_gas_max, 100_000, self.block_gas_max)?;
        in_range("checkpoint_interval", self.checkpoint_interval, 2, 1_000_000)?;
        in_range("inflation_basis_points", self.inflation_basis_points, 0, 10_000)?;
        in_range("validators_max", self.validators_max, 1, VALIDATORS_MAX as u64)?;
        in_range("validator_deposit_min", self.validator_deposit_min, 1, u64::MAX)?;
        in_range("guardian_deposit_min", self.guardian_deposit_min, 1, u64::MAX)?;
        in_range("return_locking_period", self.return_locking_period, 1, 100_000_000)?;
        if self.guardian_stake_max != 0 {
            in_range("guardian_stake_max", self.guardian_stake_max, self.guardian_deposit_min, u64::MAX)?;
        }
        if !matches!(self.bls_scheme.as_str(), "augmented" | "proof-of-possession") {
            let must = "augmented or proof-of-possession".into();
            return Err(GenesisError::Param { key: "bls_scheme", got: self.bls_scheme.clone(), must });
        }
        if !EVM_FORKS.contains(&self.evm_fork.as_str()) {
            let must = format!("one of {}", EVM_FORKS.join(", "));
            return Err(GenesisError::Param { key: "evm_fork", got: self.evm_fork.clone(), must });
        }
        Ok(())
    }
}

/// The number that Ethereum tools see for a chain at `height` (`spec/ledger.md` §1.5; `sky` and `allaudio`: DESIGN §4).
///
/// ```
/// use vigil_primitives::{Forks, U256, chain_id_number};
/// let newest = Forks::default();
/// assert_eq!(chain_id_number("privatenet", 0, &newest), U256::from(366));
/// assert_eq!(chain_id_number("sky", 0, &newest), U256::from(3661));
/// assert_eq!(chain_id_number("allaudio", 0, &newest), U256::from(3662));
/// ```
pub fn chain_id_number(chain_id: &str, height: Height, forks: &Forks) -> U256 {
    if height >= forks.metachain
        && let Some(id) = subchain_number(chain_id)
    {
        return U256::from(id);
    }
    let base = match chain_id {
        "mainnet" => U256::from(1),
        "testnet_sapphire" => U256::from(3),
        "testnet_amber" => U256::from(4),
        "testnet" => U256::from(5),
        "privatenet" => U256::from(6),
        "sky" => U256::from(3_301),
        "allaudio" => U256::from(3_302),
        other => U256::from_be_bytes(keccak256(other.as_bytes()).0),
    };
    if height < forks.rpc_compatibility { base } else { base.wrapping_add(U256::from(360)) }
}

/// The number in `tsub<number>`, if it is the id of a subchain.
fn subchain_number(chain_id: &str) -> Option<u64> {
    let digits = chain_id.strip_prefix("tsub")?;
    if digits.starts_with('0') {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    u64::try_from(number).ok().filter(|n| *n >= 1_000)
}
