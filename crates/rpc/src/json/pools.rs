//! Stakes and their holders (`spec/rpc.md` §3).

use super::scalars::{Big, null_if_empty};
use crate::StakeReturn;
use serde::Serialize;
use vigil_primitives::{Address, Stake, StakeHolder, U256};

/// A stake; its holder is not part of it.
#[derive(Serialize)]
pub(crate) struct StakeJson {
    source: Address,
    amount: Big,
    withdrawn: bool,
    return_height: Big,
}

impl From<&Stake> for StakeJson {
    fn from(stake: &Stake) -> Self {
        Self {
            source: stake.source,
            amount: Big(stake.amount),
            withdrawn: stake.withdrawn,
            return_height: Big(U256::from(stake.return_height)),
        }
    }
}

/// A stake holder: validators, guardians and elite edge nodes alike.
#[derive(Serialize)]
pub(crate) struct HolderJson {
    #[serde(rename = "Holder")]
    holder: Address,
    #[serde(rename = "Stakes", serialize_with = "null_if_empty")]
    stakes: Vec<StakeJson>,
}

impl From<&StakeHolder> for HolderJson {
    fn from(holder: &StakeHolder) -> Self {
        Self { holder: holder.holder, stakes: holder.stakes.iter().map(StakeJson::from).collect() }
    }
}

/// A stake on its way back.
#[derive(Serialize)]
pub(crate) struct ReturnJson {
    #[serde(rename = "Holder")]
    holder: Address,
    #[serde(rename = "Stake")]
    stake: StakeJson,
}

impl From<&StakeReturn> for ReturnJson {
    fn from(r: &StakeReturn) -> Self {
        Self { holder: r.holder, stake: (&r.stake).into() }
    }
}
