//! Building genesis files: presets, balance and stake files, single rules by name.
//!
//! The result is the same for every operator who puts in the same data: accounts and stakes are sorted, and no clock is read.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_primitives::{
    Address, ChainParams, Genesis, GenesisAccount, GenesisError, GenesisGuardian, GenesisStake, U256,
};

/// Operational tokens that come with each stake token of a balance file.
pub const OPERATIONAL_PER_STAKE: u64 = 5;

/// Networks that differ only in data (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// THETA and TFUEL.
    Theta,
    /// SKY and Gamma; guardians stake 100,000 to 1,000,000 each.
    Sky,
    /// Allaudio and Tansen.
    AllAudio,
}

impl Preset {
    /// Every preset with its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("theta", Self::Theta), ("sky", Self::Sky), ("allaudio", Self::AllAudio)];

    /// The preset of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, preset)| *preset)
    }

    /// Its rules.
    pub fn params(self) -> ChainParams {
        let named = |chain_id: &str, stake: &str, operational: &str| ChainParams {
            chain_id: chain_id.to_owned(),
            stake_token: stake.to_owned(),
            operational_token: operational.to_owned(),
            ..ChainParams::default()
        };
        match self {
            Self::Theta => named("privatenet", "THETA", "TFUEL"),
            Self::AllAudio => named("allaudio", "Allaudio", "Tansen"),
            Self::Sky => ChainParams {
                guardian_deposit_min: 100_000,
                guardian_stake_max: 1_000_000,
                ..named("sky", "SKY", "Gamma")
            },
        }
    }
}

/// Input that makes no genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisInputError {
    /// A `--set` or `--genesis` argument without `=`.
    #[error("`{0}` is not KEY=VALUE")]
    NotAPair(String),
    /// A rule that does not exist.
    #[error("genesis has no key `{key}`; it has {known}")]
    UnknownKey {
        /// What was given.
        key: String,
        /// What there is.
        known: String,
    },
    /// A rule with a value of the wrong kind.
    #[error("genesis `{key}` cannot be `{got}`: {reason}")]
    Value {
        /// Which rule.
        key: String,
        /// What was given.
        got: String,
        /// Why not.
        reason: String,
    },
    /// A balance or stake file that cannot be read.
    #[error("{what}: {reason}")]
    File {
        /// Which of the two.
        what: &'static str,
        /// What is wrong and where.
        reason: String,
    },
    /// The whole breaks a rule.
    #[error(transparent)]
    Invalid(#[from] GenesisError),
}

/// Sets one rule from `KEY=VALUE`; a fork height is `forks.NAME=HEIGHT`.
///
/// # Errors
/// [`GenesisInputError`]: no such key, or a value of the wrong kind. Ranges are checked by [`Genesis::validate`].
pub fn set_param(params: &mut ChainParams, pair: &str) -> Result<(), GenesisInputError> {
    let (key, text) = pair.split_once('=').ok_or_else(|| GenesisInputError::NotAPair(pair.to_owned()))?;
    let mut json = serde_json::to_value(&*params).unwrap_or_default();
    let unknown = |known: &Value| GenesisInputError::UnknownKey {
        key: key.to_owned(),
        known: known.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default(),
    };
    let (holder, name) = match key.split_once('.') {
        Some(("forks", name)) => (&mut json["forks"], name),
        _ => (&mut json, key),
    };
    let Some(slot) = holder.get_mut(name).filter(|slot| !slot.is_object()) else { return Err(unknown(holder)) };
    *slot = match slot {
        Value::String(_) => Value::String(text.to_owned()),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    *params = serde_json::from_value(json).map_err(|e| GenesisInputError::Value {
        key: key.to_owned(),
        got: text.to_owned(),
        reason: e.to_string(),
    })?;
    Ok(())
}

/// Accounts of a balance file: `{"<address>": "<wei of the stake token>"}`, the address with or without `0x`. Each
/// stake token brings [`OPERATIONAL_PER_STAKE`] operational tokens.
///
/// # Errors
/// [`GenesisInputError::File`]: not such an object, an address or an amount that is none, an address given twice.
pub fn read_balances(json: &str) -> Result<Vec<GenesisAccount>, GenesisInputError> {
    let fail = |reason: String| GenesisInputError::File { what: "balance file", reason };
    let Pairs(pairs) = serde_json::from_str(json).map_err(|e| fail(e.to_string()))?;
    let mut accounts = BTreeMap::new();
    for (text, amount) in pairs {
        let address: Address = text.parse().map_err(|e| fail(format!("`{text}` is not an address: {e}")))?;
        let theta =
            decimal(&amount).ok_or_else(|| fail(format!("`{amount}` of {text} is not a decimal amount in wei")))?;
        let tfuel = theta
            .checked_mul(U256::from(OPERATIONAL_PER_STAKE))
            .ok_or_else(|| fail(format!("{amount} wei of {text}: the operational tokens pass 256 bits")))?;
        if accounts.insert(address, GenesisAccount { address, theta, tfuel }).is_some() {
            return Err(fail(format!("{text} is listed twice")));
        }
    }
    Ok(accounts.into_values().collect())
}

/// Stakes of a stake file: `[{"source", "holder", "amount"}]`, amounts in wei as decimal text.
///
/// # Errors
/// [`GenesisInputError::File`].
pub fn read_stakes(json: &str) -> Result<Vec<GenesisStake>, GenesisInputError> {
    let fail = |e: serde_json::Error| GenesisInputError::File { what: "stake file", reason: e.to_string() };
    serde_json::from_str(json).map_err(fail)
}

/// Puts a genesis together and checks it.
///
/// # Errors
/// [`GenesisInputError::Invalid`].
pub fn assemble(
    params: ChainParams,
    timestamp: u64,
    mut accounts: Vec<GenesisAccount>,
    mut stakes: Vec<GenesisStake>,
    mut guardians: Vec<GenesisGuardian>,
) -> Result<Genesis, GenesisInputError> {
    accounts.sort_by_key(|a| a.address);
    stakes.sort_by_key(|s| (s.holder, s.source));
    guardians.sort_by_key(|g| (g.holder, g.source));
    let genesis = Genesis { params, timestamp, accounts, stakes, guardians };
    genesis.validate()?;
    Ok(genesis)
}

/// Sums of the balances, in wei: stake token, operational token.
pub fn totals(genesis: &Genesis) -> (U256, U256) {
    let add = |sum: (U256, U256), a: &GenesisAccount| (sum.0.saturating_add(a.theta), sum.1.saturating_add(a.tfuel));
    genesis.accounts.iter().fold((U256::ZERO, U256::ZERO), add)
}

fn decimal(text: &str) -> Option<U256> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { U256::from_str_radix(text, 10).ok() } else { None }
}

/// A JSON object as pairs in order: a key given twice stays visible.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of \"<address>\": \"<wei>\"")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "2E833968E5bB786Ae419c4d13189fB081Cc43bab";
    const B: &str = "0x9F1233798E905E173560071255140b4A8aBd3Ec6";
    const STAKE: &str = "200000000000000000000000";

    fn build(balances: &str) -> Genesis {
        let stakes = format!(r#"[{{"source":"{B}","holder":"0x{A}","amount":"{STAKE}"}}]"#);
        let (accounts, stakes) = (read_balances(balances).expect("balances"), read_stakes(&stakes).expect("stakes"));
        assemble(Preset::Theta.params(), 0, accounts, stakes, Vec::new()).expect("valid")
    }

    #[test]
    fn operators_with_the_same_data_build_the_same_file() {
        let one = build(&format!(r#"{{"{A}": "7", "{B}": "{STAKE}"}}"#));
        let two = build(&format!(r#"{{"{}": "{STAKE}", "0x{}": "7"}}"#, B.to_lowercase(), A.to_lowercase()));
        assert_eq!(one, two);
        assert_eq!(one.accounts.iter().find(|a| a.theta == U256::from(7)).map(|a| a.tfuel), Some(U256::from(35)));
        let stake = U256::from_str_radix(STAKE, 10).expect("number");
        assert_eq!(totals(&one), (stake + U256::from(7), (stake + U256::from(7)) * U256::from(5)));
    }

    #[test]
    fn bad_files_name_the_entry() {
        let error = |text: &str| read_balances(text).expect_err("refused").to_string();
        assert!(error(r#"{"0x12": "1"}"#).contains("`0x12`"));
        assert!(error(&format!(r#"{{"{A}": "-1"}}"#)).contains("`-1`"));
        assert!(error(&format!(r#"{{"{A}": "1", "0x{A}": "1"}}"#)).contains("twice"));
        assert!(error("[]").contains("balance file"));
        assert!(read_stakes(r#"[{"source":"x"}]"#).is_err());
        assert!(read_stakes(&format!(r#"[{{"source":"{B}","holder":"{B}","amount":"1","more":1}}]"#)).is_err());
    }

    #[test]
    fn rules_are_set_by_name() {
        let mut params = Preset::Sky.params();
        set_param(&mut params, "checkpoint_interval=10").expect("number");
        set_param(&mut params, "bls_scheme=proof-of-possession").expect("text");
        set_param(&mut params, "chain_id=42").expect("text of digits");
        set_param(&mut params, "forks.theta2=9").expect("fork");
        assert_eq!((params.checkpoint_interval, params.forks.theta2, params.chain_id.as_str()), (10, 9, "42"));
        assert_eq!(params.bls_scheme, "proof-of-possession");
        let mut refused = |pair: &str| set_param(&mut params, pair).expect_err(pair).to_string();
        assert!(refused("checkpont_interval=10").contains("`checkpont_interval`"));
        assert!(refused("checkpoint_interval=soon").contains("`soon`"));
        assert!(refused("forks.theta9=1").contains("theta2"));
        assert!(refused("forks=1").contains("`forks`"));
        assert!(refused("checkpoint_interval").contains("KEY=VALUE"));
    }

    #[test]
    fn presets_have_their_own_tokens_and_chain_ids() {
        let ids: Vec<_> = Preset::ALL.iter().map(|(_, p)| p.params().chain_id).collect();
        assert_eq!(ids, ["privatenet", "sky", "allaudio"]);
        assert_eq!(Preset::named("sky"), Some(Preset::Sky));
        assert_eq!(Preset::named("nope"), None);
        assert_eq!(Preset::Sky.params().guardian_stake_max, 1_000_000);
    }
}
