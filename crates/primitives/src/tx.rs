//! Transactions: the twelve types of `spec/ledger.md` §2 and their envelope.

use crate::rlp::{self, RlpError};
use crate::{
    Address, Bytes, Coins, Hash, RESOURCE_ID_BYTES_MAX, RESOURCE_IDS_MAX, SIGNATURE_BYTES, TX_BYTES_MAX, U256,
    keccak256,
};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpDecodableWrapper, RlpEncodable, RlpEncodableWrapper};

/// A signature as it travels: 65 bytes `r || s || v`, or empty for "not signed".
///
/// Any length decodes, as on the reference; only 65 bytes can ever verify.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, RlpEncodableWrapper, RlpDecodableWrapper)]
pub struct Signature(pub Bytes);

impl Signature {
    /// The absent signature; encodes as `80`.
    pub const fn none() -> Self {
        Self(Bytes::new())
    }

    /// True if nothing was signed.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The 65 bytes `r || s || v`, if it has that length.
    pub fn as_array(&self) -> Option<&[u8; SIGNATURE_BYTES]> {
        self.0.as_ref().try_into().ok()
    }
}

impl From<[u8; SIGNATURE_BYTES]> for Signature {
    fn from(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(Bytes::copy_from_slice(&bytes))
    }
}

/// Who pays, how much, and the signature that allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct TxInput {
    /// The account.
    pub address: Address,
    /// What leaves it, in wei.
    pub coins: Coins,
    /// The account's sequence after this transaction.
    pub sequence: u64,
    /// Over the sign bytes of the transaction.
    pub signature: Signature,
}

/// Who receives, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct TxOutput {
    /// The account.
    pub address: Address,
    /// What arrives, in wei.
    pub coins: Coins,
}

/// A share of a service payment.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Split {
    /// Who gets the share.
    pub address: Address,
    /// In per cent, 0 to 100.
    pub percentage: u64,
}

/// Pays the rewards of a block; made by its proposer (type 0).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Coinbase {
    /// The proposer; coins zero, sequence 0.
    pub proposer: TxInput,
    /// The rewards.
    pub outputs: Vec<TxOutput>,
    /// Height of the **parent** block (`spec/ledger.md` §2.14).
    pub block_height: u64,
}

/// Reports a fault of a validator or guardian (type 1; `docs/decisions/0011-slashing.md`). The reference's form of it,
/// for overspent pools, is not used: overspending slashes by itself (DESIGN §4).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Slash {
    /// The reporter: any account; coins zero.
    pub proposer: TxInput,
    /// The accused.
    pub slashed_address: Address,
    /// 0.
    pub reserve_sequence: u64,
    /// [`crate::Evidence`], encoded.
    pub slash_proof: Bytes,
}

/// Moves coins (type 2).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Send {
    /// Burned; operational token only.
    pub fee: Coins,
    /// Payers; their coins include the fee.
    pub inputs: Vec<TxInput>,
    /// Receivers.
    pub outputs: Vec<TxOutput>,
}

/// Opens a micropayment pool (type 3).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ReserveFund {
    /// Burned.
    pub fee: Coins,
    /// The payer; coins are the deposit.
    pub source: TxInput,
    /// Lost if the pool is overspent.
    pub collateral: Coins,
    /// What the pool may pay for.
    pub resource_ids: Vec<String>,
    /// In blocks.
    pub duration: u64,
}

/// Closes an expired pool (type 4).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ReleaseFund {
    /// Burned.
    pub fee: Coins,
    /// The owner.
    pub source: TxInput,
    /// Which pool.
    pub reserve_sequence: u64,
}

/// Settles an off-chain payment (type 5).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ServicePayment {
    /// Burned, paid by the target.
    pub fee: Coins,
    /// The payer; coins are the amount.
    pub source: TxInput,
    /// The receiver.
    pub target: TxInput,
    /// Number of the payment to this target.
    pub payment_sequence: u64,
    /// Which pool of the payer.
    pub reserve_sequence: u64,
    /// What was paid for.
    pub resource_id: String,
}

/// Sets how payments for a resource are shared (type 6).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SplitRuleTx {
    /// Burned.
    pub fee: Coins,
    /// The resource.
    pub resource_id: String,
    /// Who sets the rule.
    pub initiator: TxInput,
    /// The shares.
    pub splits: Vec<Split>,
    /// In blocks.
    pub duration: u64,
}

/// Runs or creates a contract (type 7).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SmartContract {
    /// The caller; coins are the value.
    pub from: TxInput,
    /// The contract; the zero address creates one.
    pub to: TxOutput,
    /// Most gas to burn.
    pub gas_limit: u64,
    /// In wei of the operational token.
    pub gas_price: U256,
    /// Input, or the creation code.
    pub data: Bytes,
}

/// Locks stake for a node (type 8).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct DepositStake {
    /// Burned.
    pub fee: Coins,
    /// Who stakes; coins are the stake.
    pub source: TxInput,
    /// The node.
    pub holder: TxOutput,
    /// See [`crate::StakePurpose`].
    pub purpose: u8,
}

/// Begins the return of stake (type 9).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct WithdrawStake {
    /// Burned.
    pub fee: Coins,
    /// Who staked.
    pub source: TxInput,
    /// The node.
    pub holder: TxOutput,
    /// See [`crate::StakePurpose`].
    pub purpose: u8,
}

/// Locks stake and registers a BLS key (type 10).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct DepositStakeV2 {
    /// Burned.
    pub fee: Coins,
    /// Who stakes; coins are the stake.
    pub source: TxInput,
    /// The node.
    pub holder: TxOutput,
    /// See [`crate::StakePurpose`].
    pub purpose: u8,
    /// Compressed G1 point, 48 bytes, or empty.
    pub bls_pubkey: Bytes,
    /// Proof of possession, compressed G2 point, 96 bytes, or empty.
    pub bls_pop: Bytes,
    /// The holder's signature over the proof.
    pub holder_sig: Signature,
}

/// Sends part of a holder's rewards elsewhere (type 11).
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct StakeRewardDistribution {
    /// Burned.
    pub fee: Coins,
    /// The stake holder.
    pub holder: TxInput,
    /// Who gets the share.
    pub beneficiary: TxOutput,
    /// In hundredths of a per cent, 0 to 1000.
    pub split_basis_point: u64,
}

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
    /// resource ids over [`RESOURCE_IDS_MAX`] or [`RESOURCE_ID_BYTES_MAX`].
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
    /// reporter. `None` for a coinbase. A service payment is ordered by its target.
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
        };
        Some((input.address, input.sequence))
    }
}

fn body_of<T: Decodable>(what: &'static str, body: &[u8]) -> Result<T, RlpError> {
    rlp::decode_exact(what, body, TX_BYTES_MAX)
}
