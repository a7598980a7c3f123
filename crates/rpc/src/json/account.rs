//! Accounts and split rules (`spec/rpc.md` §3).

use super::scalars::{CoinsJson, U64s, null_if_empty};
use super::tx::{ServicePaymentJson, SplitJson};
use serde::Serialize;
use vigil_primitives::{Account, Address, Hash, ReservedFund, SplitRule, TransferRecord};

/// An account, with the address as it was asked for (**not** in the reference, harmless: `spec/rpc.md` §3).
#[derive(Serialize)]
pub(crate) struct AccountJson<'a> {
    sequence: U64s,
    coins: CoinsJson,
    #[serde(serialize_with = "null_if_empty")]
    reserved_funds: Vec<FundJson<'a>>,
    last_updated_block_height: U64s,
    root: Hash,
    code: Hash,
    address: &'a str,
}

impl<'a> AccountJson<'a> {
    /// The form of `account`; `asked` is the argument of the request.
    pub(crate) fn new(account: &'a Account, asked: &'a str) -> Self {
        Self {
            sequence: U64s(account.sequence),
            coins: (&account.balance).into(),
            reserved_funds: account.reserved_funds.iter().map(FundJson::from).collect(),
            last_updated_block_height: U64s(account.last_updated_block_height),
            root: account.storage_root,
            code: account.code_hash,
            address: asked,
        }
    }
}

#[derive(Serialize)]
struct FundJson<'a> {
    collateral: CoinsJson,
    initial_fund: CoinsJson,
    used_fund: CoinsJson,
    resource_ids: &'a [String],
    end_block_height: U64s,
    reserve_sequence: U64s,
    #[serde(serialize_with = "null_if_empty")]
    transfer_records: Vec<TransferJson<'a>>,
}

impl<'a> From<&'a ReservedFund> for FundJson<'a> {
    fn from(fund: &'a ReservedFund) -> Self {
        Self {
            collateral: (&fund.collateral).into(),
            initial_fund: (&fund.initial_fund).into(),
            used_fund: (&fund.used_fund).into(),
            resource_ids: &fund.resource_ids,
            end_block_height: U64s(fund.end_block_height),
            reserve_sequence: U64s(fund.reserve_sequence),
            transfer_records: fund.transfer_records.iter().map(TransferJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct TransferJson<'a> {
    service_payment: ServicePaymentJson<'a>,
}

impl<'a> From<&'a TransferRecord> for TransferJson<'a> {
    fn from(record: &'a TransferRecord) -> Self {
        Self { service_payment: (&record.service_payment).into() }
    }
}

/// A split rule.
#[derive(Serialize)]
pub(crate) struct SplitRuleJson<'a> {
    initiator_address: Address,
    resource_id: &'a str,
    splits: Vec<SplitJson>,
    end_block_height: U64s,
}

impl<'a> From<&'a SplitRule> for SplitRuleJson<'a> {
    fn from(rule: &'a SplitRule) -> Self {
        Self {
            initiator_address: rule.initiator,
            resource_id: &rule.resource_id,
            splits: rule.splits.iter().map(SplitJson::from).collect(),
            end_block_height: U64s(rule.end_block_height),
        }
    }
}
