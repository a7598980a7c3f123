//! The genesis file: rules, balances and stakes, and what must hold among them.

use super::{ChainParams, GenesisError};
use crate::{Address, BlsKeyBytes, BlsSignatureBytes, U256};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A balance at genesis. JSON amounts are decimal text in wei.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAccount {
    /// The account.
    pub address: Address,
    /// Stake token, in wei.
    #[serde(with = "decimal")]
    pub theta: U256,
    /// Operational token, in wei.
    #[serde(with = "decimal")]
    pub tfuel: U256,
}

/// A stake at genesis: `amount` leaves the balance of `source`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisStake {
    /// Whose money.
    pub source: Address,
    /// The validator.
    pub holder: Address,
    /// In wei of the stake token.
    #[serde(with = "decimal")]
    pub amount: U256,
}

/// A guardian's stake at genesis: `amount` leaves the balance of `source`. Each stake of one guardian names its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisGuardian {
    /// Whose money.
    pub source: Address,
    /// The guardian.
    pub holder: Address,
    /// In wei of the stake token.
    #[serde(with = "decimal")]
    pub amount: U256,
    /// The key it votes with.
    pub bls_pubkey: BlsKeyBytes,
    /// That key's proof of possession; whoever makes the state checks it.
    pub bls_pop: BlsSignatureBytes,
}

/// The genesis file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The rules.
    pub params: ChainParams,
    /// Unix seconds.
    pub timestamp: u64,
    /// Balances **before** the stakes are taken out.
    pub accounts: Vec<GenesisAccount>,
    /// Validator stakes.
    pub stakes: Vec<GenesisStake>,
    /// Guardian stakes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardians: Vec<GenesisGuardian>,
}

impl Genesis {
    /// Checks the file as a whole; [`ChainParams::validate`] first.
    ///
    /// # Errors
    /// [`GenesisError`] with the first fault.
    pub fn validate(&self) -> Result<(), GenesisError> {
        self.params.validate()?;
        let mut balances = BTreeMap::new();
        for account in &self.accounts {
            if balances.insert(account.address, account.theta).is_some() {
                return Err(GenesisError::DuplicateAccount(account.address));
            }
        }
        let validators = self.stakes.iter().map(|s| (s.source, s.holder, s.amount));
        let (min, max) = (self.params.validator_deposit_min, u64::MAX);
        check_pool("stakes.amount", validators, (min, max), "validator")?;
        let guardians = self.guardians.iter().map(|g| (g.source, g.holder, g.amount));
        let (min, max) = (self.params.guardian_deposit_min, self.params.guardian_stake_max);
        check_pool("guardians.amount", guardians, (min, if max == 0 { u64::MAX } else { max }), "guardian")?;
        self.check_guardian_keys()?;
        self.check_balances(&balances)?;
        if self.stakes.is_empty() { Err(GenesisError::NoValidators) } else { Ok(()) }
    }

    fn check_balances(&self, balances: &BTreeMap<Address, U256>) -> Result<(), GenesisError> {
        let mut staked: BTreeMap<Address, U256> = BTreeMap::new();
        let stakes = self.stakes.iter().map(|s| (s.source, s.amount));
        for (source_address, amount) in stakes.chain(self.guardians.iter().map(|g| (g.source, g.amount))) {
            let sum = staked.entry(source_address).or_default();
            *sum = sum.saturating_add(amount);
            let balance = balances.get(&source_address).copied().unwrap_or_default();
            if *sum > balance {
                return Err(GenesisError::Overstaked { source_address, staked: *sum, balance });
            }
        }
        Ok(())
    }

    /// One key a guardian, one guardian a key.
    fn check_guardian_keys(&self) -> Result<(), GenesisError> {
        let (mut keys, mut holders) = (BTreeMap::new(), BTreeMap::new());
        for GenesisGuardian { holder, bls_pubkey: key, .. } in &self.guardians {
            let other = *holders.entry(*key).or_insert(*holder);
            if other != *holder || *keys.entry(*holder).or_insert(*key) != *key {
                return Err(GenesisError::GuardianKey { one: *holder, other, key: *key });
            }
        }
        Ok(())
    }
}

/// Checks the stakes (source, holder, wei) of one pool: each pair once, each stake and each holder's sum within
/// `limits`, in whole tokens.
fn check_pool(
    key: &'static str,
    stakes: impl Iterator<Item = (Address, Address, U256)>,
    limits: (u64, u64),
    node: &str,
) -> Result<(), GenesisError> {
    let (min, max) = (tokens(limits.0), tokens(limits.1));
    let mut pairs = BTreeSet::new();
    let mut sums: BTreeMap<Address, U256> = BTreeMap::new();
    for (source_address, holder, amount) in stakes {
        if !pairs.insert((source_address, holder)) {
            return Err(GenesisError::DuplicateStake { source_address, holder });
        }
        if amount < min {
            let (got, must) = (amount.to_string(), format!("at least {min} wei ({node}_deposit_min)"));
            return Err(GenesisError::Param { key, got, must });
        }
        let sum = sums.entry(holder).or_default();
        *sum = sum.saturating_add(amount);
        if *sum > max {
            let (got, must) = (sum.to_string(), format!("at most {max} wei with {holder} ({node}_stake_max)"));
            return Err(GenesisError::Param { key, got, must });
        }
    }
    Ok(())
}

/// Whole tokens to wei.
fn tokens(count: u64) -> U256 {
    U256::from(count) * U256::from(crate::WEI)
}

/// Amounts as decimal text in JSON.
mod decimal {
    use crate::U256;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &U256, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<U256, D::Error> {
        let text = String::deserialize(d)?;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(D::Error::custom(format!("`{text}` is not a decimal amount in wei")));
        }
        U256::from_str_radix(&text, 10).map_err(|e| D::Error::custom(format!("`{text}`: {e}")))
    }
}
