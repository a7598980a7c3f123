//! Transactions: the types of `spec/ledger.md` §2, Ethereum's typed ones, and their envelope.

mod access_list;
mod bodies;
mod call;
mod ethereum;
mod legacy;

use crate::rlp::{self, RlpError};
use crate::{Address, Bytes, Hash, RESOURCE_ID_BYTES_MAX, RESOURCE_IDS_MAX, TX_BYTES_MAX, keccak256};
pub use access_list::AccessListItem;
use alloy_rlp::{Decodable, Encodable, RlpDecodable};
pub use bodies::*;
pub use call::ContractCall;
pub use ethereum::{EthereumFields, EthereumTx};
pub use legacy::LegacyTx;

/// Numbers of the transaction types on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TxType {
    Coinbase = 0,
    Slash = 1,
    Send = 2,
    ReserveFund = 3,
    ReleaseFund = 4,
    ServicePayment = 5,
    SplitRule = 6,
    SmartContract = 7,
    DepositStake = 8,
    WithdrawStake = 9,
    DepositStakeV2 = 10,
    StakeRewardDistribution = 11,
    Ethereum = 12,
}

/// A transaction of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tx {
    Coinbase(Coinbase),
    Slash(Slash),
    Send(Send),
    ReserveFund(ReserveFund),
    ReleaseFund(ReleaseFund),
    ServicePayment(ServicePayment),
    SplitRule(SplitRuleTx),
    SmartContract(SmartContract),
    DepositStake(DepositStake),
    WithdrawStake(WithdrawStake),
    DepositStakeV2(DepositStakeV2),
    StakeRewardDistribution(StakeRewardDistribution),
    Ethereum(EthereumTx),
}

/// Runs one expression on the body of whichever type it is.
macro_rules! on_body {
    ($tx:expr, $body:ident => $e:expr) => {
        match $tx {
            Tx::Coinbase($body) => $e,
            Tx::Slash($body) => $e,
            Tx::Send($body) => $e,
            Tx::ReserveFund($body) => $e,
            Tx::ReleaseFund($body) => $e,
            Tx::ServicePayment($body) => $e,
            Tx::SplitRule($body) => $e,
            Tx::SmartContract($body) => $e,
            Tx::DepositStake($body) => $e,
            Tx::WithdrawStake($body) => $e,
            Tx::DepositStakeV2($body) => $e,
            Tx::StakeRewardDistribution($body) => $e,
            Tx::Ethereum($body) => $e,
        }
    };
}

impl Tx {
    /// Its number on the wire.
    pub fn tx_type(&self) -> TxType {
        match self {
            Self::Coinbase(_) => TxType::Coinbase,
            Self::Slash(_) => TxType::Slash,
            Self::Send(_) => TxType::Send,
            Self::ReserveFund(_) => TxType::ReserveFund,
            Self::ReleaseFund(_) => TxType::ReleaseFund,
            Self::ServicePayment(_) => TxType::ServicePayment,
            Self::SplitRule(_) => TxType::SplitRule,
            Self::SmartContract(_) => TxType::SmartContract,
            Self::DepositStake(_) => TxType::DepositStake,
            Self::WithdrawStake(_) => TxType::WithdrawStake,
            Self::DepositStakeV2(_) => TxType::DepositStakeV2,
            Self::StakeRewardDistribution(_) => TxType::StakeRewardDistribution,
            Self::Ethereum(_) => TxType::Ethereum,
        }
    }

    /// The envelope: `rlp(type) || rlp(body)`, two items in a row (`spec/ledger.md` §1.2).
    pub fn to_raw(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        (self.tx_type() as u8).encode(&mut out);
        on_body!(self, body => body.encode(&mut out));
        out
    }

    /// Decodes an envelope strictly.
    ///
    /// # Errors
    /// [`RlpError`]: over [`TX_BYTES_MAX`], unknown type, a broken item, bytes left over (which the reference accepts),
    /// resource ids over [`RESOURCE_IDS_MAX`] or [`RESOURCE_ID_BYTES_MAX`]; and those of [`EthereumTx::from_raw`].
    pub fn from_raw(raw: &[u8]) -> Result<Self, RlpError> {
        if raw.len() > TX_BYTES_MAX {
            return Err(RlpError::TooLong { what: "transaction", got: raw.len(), max: TX_BYTES_MAX });
        }
        let mut rest = raw;
        let tx_type = u16::decode(&mut rest).map_err(|source| RlpError::Item { what: "transaction type", source })?;
        let left = raw.len() - rest.len();
        let body = &raw[left..];
        let tx = match tx_type {
            0 => Self::Coinbase(body_of("coinbase", body)?),
            1 => Self::Slash(body_of("slash", body)?),
            2 => Self::Send(body_of("send", body)?),
            3 => Self::ReserveFund(body_of("reserve fund", body)?),
            4 => Self::ReleaseFund(body_of("release fund", body)?),
            5 => Self::ServicePayment(body_of("service payment", body)?),
            6 => Self::SplitRule(body_of("split rule", body)?),
            7 => Self::SmartContract(body_of("smart contract", body)?),
            8 => Self::DepositStake(body_of("deposit stake", body)?),
            9 => Self::WithdrawStake(body_of("withdraw stake", body)?),
            10 => Self::DepositStakeV2(body_of("deposit stake v2", body)?),
            11 => Self::StakeRewardDistribution(body_of("stake reward distribution", body)?),
            12 => Self::Ethereum(ethereum_of(body)?),
            other => return Err(RlpError::UnknownTxType(other.into())),
        };
        tx.check_resource_ids()?;
        Ok(tx)
    }

    /// Resource ids are keys of the state and are kept in accounts, so their number and length have limits.
    fn check_resource_ids(&self) -> Result<(), RlpError> {
        let ids = match self {
            Self::ReserveFund(t) => t.resource_ids.as_slice(),
            Self::ServicePayment(t) => std::slice::from_ref(&t.resource_id),
            Self::SplitRule(t) => std::slice::from_ref(&t.resource_id),
            _ => &[],
        };
        if ids.len() > RESOURCE_IDS_MAX {
            return Err(RlpError::TooMany { what: "list of resource ids", got: ids.len(), max: RESOURCE_IDS_MAX });
        }
        match ids.iter().map(String::len).max() {
            Some(got) if got > RESOURCE_ID_BYTES_MAX => {
                Err(RlpError::TooLong { what: "resource id", got, max: RESOURCE_ID_BYTES_MAX })
            }
            _ => Ok(()),
        }
    }

    /// Keccak-256 of the envelope, signatures included: the hash that clients see.
    pub fn hash(&self) -> Hash {
        keccak256(self.to_raw())
    }

    /// The account whose sequence orders this transaction, with the sequence it claims: first input, source, initiator,
    /// holder, caller or
    /// reporter. `None` for a coinbase. A service payment is ordered by its target, an Ethereum transaction by the sender that
    /// was recovered, before that by the zero address.
    pub fn sender(&self) -> Option<(Address, u64)> {
        let input = match self {
            Self::Coinbase(_) => return None,
            Self::Slash(t) => &t.proposer,
            Self::Send(t) => t.inputs.first()?,
            Self::ReserveFund(t) => &t.source,
            Self::ReleaseFund(t) => &t.source,
            Self::ServicePayment(t) => &t.target,
            Self::SplitRule(t) => &t.initiator,
            Self::SmartContract(t) => &t.from,
            Self::DepositStake(t) => &t.source,
            Self::WithdrawStake(t) => &t.source,
            Self::DepositStakeV2(t) => &t.source,
            Self::StakeRewardDistribution(t) => &t.holder,
            Self::Ethereum(t) => return Some((t.from(), t.sequence())),
        };
        Some((input.address, input.sequence))
    }
}

fn body_of<T: Decodable>(what: &'static str, body: &[u8]) -> Result<T, RlpError> {
    rlp::decode_exact(what, body, TX_BYTES_MAX)
}

/// `[raw]`.
fn ethereum_of(body: &[u8]) -> Result<EthereumTx, RlpError> {
    #[derive(RlpDecodable)]
    struct Body {
        raw: Bytes,
    }
    let Body { raw } = body_of("Ethereum transaction", body)?;
    EthereumTx::from_raw(raw)
}
