//! The bodies of transactions: items in RLP order (`spec/ledger.md` §2.2).

use crate::{Address, Bytes, Coins, SIGNATURE_BYTES, U256};
use alloy_rlp::{RlpDecodable, RlpDecodableWrapper, RlpEncodable, RlpEncodableWrapper};

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
