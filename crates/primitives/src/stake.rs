//! Stakes and the pools that hold them (`spec/ledger.md` §3.6).

use crate::{Address, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// `return_height` of stake that is not being withdrawn.
pub const ACTIVE_RETURN_HEIGHT: u64 = u64::MAX;

/// What stake is for; the number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StakePurpose {
    /// Settles blocks; staked in the stake token.
    Validator = 0,
    /// Finalizes checkpoints; staked in the stake token.
    Guardian = 1,
    /// Elite edge node; staked in the operational token. Holds stake, does nothing else here (DESIGN §4).
    EdgeNode = 2,
}

impl TryFrom<u8> for StakePurpose {
    type Error = u8;

    fn try_from(purpose: u8) -> Result<Self, u8> {
        match purpose {
            0 => Ok(Self::Validator),
            1 => Ok(Self::Guardian),
            2 => Ok(Self::EdgeNode),
            other => Err(other),
        }
    }
}

/// The stake of one source with one holder.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Stake {
    /// Whose money.
    pub source: Address,
    /// In wei.
    pub amount: U256,
    /// True once its return has begun.
    pub withdrawn: bool,
    /// Parent height at which it returns; [`ACTIVE_RETURN_HEIGHT`] while active.
    pub return_height: u64,
}

/// A node and the stakes on it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct StakeHolder {
    /// The node.
    pub holder: Address,
    /// In order of deposit; at most one a source.
    pub stakes: Vec<Stake>,
}

impl StakeHolder {
    /// Sum of the stakes that are not withdrawn, in wei. `None` above 256 bits.
    pub fn total_stake(&self) -> Option<U256> {
        self.stakes.iter().filter(|s| !s.withdrawn).try_fold(U256::ZERO, |sum, s| sum.checked_add(s.amount))
    }
}

/// Candidates for the validator committee, in the reference's order. RLP: `[[StakeHolder...]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ValidatorPool {
    /// Largest total stake first; ties by EIP-55 text, descending.
    pub sorted_candidates: Vec<StakeHolder>,
}

/// A guardian: stakes and the BLS key it votes with.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Guardian {
    /// The node and its stakes.
    pub holder: StakeHolder,
    /// Compressed G1 point, 48 bytes.
    pub bls_pubkey: Bytes,
}

/// The guardians, by address ascending. RLP: `[[Guardian...]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct GuardianPool {
    /// By raw holder address, ascending.
    pub sorted_guardians: Vec<Guardian>,
}

/// An elite edge node.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct EdgeNode {
    /// The node and its stakes.
    pub holder: StakeHolder,
    /// Compressed G1 point, 48 bytes.
    pub bls_pubkey: Bytes,
}

/// Where part of a holder's rewards goes.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct RewardDistribution {
    /// Whose rewards.
    pub stake_holder: Address,
    /// Who gets the share.
    pub beneficiary: Address,
    /// In hundredths of a per cent.
    pub split_basis_point: u64,
}
