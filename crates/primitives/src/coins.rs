//! The two coins of the ledger, in wei.

use crate::{U256, WEI};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// An amount of both coins, in wei (10^18 to a token). RLP: `[theta, tfuel]` (`spec/ledger.md` §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct Coins {
    /// The stake token (THETA, SKY, Allaudio).
    pub theta: U256,
    /// The operational token (TFUEL, Gamma, Tansen).
    pub tfuel: U256,
}

/// An amount left its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinsError {
    /// A sum is over 2^256 - 1.
    #[error("amount overflows 256 bits")]
    Overflow,
    /// A difference is below zero.
    #[error("amount is below zero")]
    Underflow,
}

impl Coins {
    /// No coins.
    pub const ZERO: Self = Self { theta: U256::ZERO, tfuel: U256::ZERO };

    /// Both parts in wei.
    pub const fn new(theta: U256, tfuel: U256) -> Self {
        Self { theta, tfuel }
    }

    /// Only the stake token, in wei.
    pub const fn theta(wei: U256) -> Self {
        Self { theta: wei, tfuel: U256::ZERO }
    }

    /// Only the operational token, in wei.
    pub const fn tfuel(wei: U256) -> Self {
        Self { theta: U256::ZERO, tfuel: wei }
    }

    /// Whole tokens of each coin.
    pub fn tokens(theta: u64, tfuel: u64) -> Self {
        let wei = U256::from(WEI);
        Self { theta: U256::from(theta) * wei, tfuel: U256::from(tfuel) * wei }
    }

    /// True if both parts are zero.
    pub fn is_zero(&self) -> bool {
        self.theta.is_zero() && self.tfuel.is_zero()
    }

    /// True if each part is at least the other's.
    pub fn covers(&self, other: &Self) -> bool {
        self.theta >= other.theta && self.tfuel >= other.tfuel
    }

    /// Sum of both parts.
    ///
    /// # Errors
    /// [`CoinsError::Overflow`] if a part passes 2^256 - 1.
    pub fn checked_add(&self, other: &Self) -> Result<Self, CoinsError> {
        Ok(Self {
            theta: self.theta.checked_add(other.theta).ok_or(CoinsError::Overflow)?,
            tfuel: self.tfuel.checked_add(other.tfuel).ok_or(CoinsError::Overflow)?,
        })
    }

    /// Difference of both parts.
    ///
    /// # Errors
    /// [`CoinsError::Underflow`] if `other` is larger in a part.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, CoinsError> {
        Ok(Self {
            theta: self.theta.checked_sub(other.theta).ok_or(CoinsError::Underflow)?,
            tfuel: self.tfuel.checked_sub(other.tfuel).ok_or(CoinsError::Underflow)?,
        })
    }
}
