//! Ethereum's transactions without a type, which travel as type 7 (`spec/ledger.md` §1.6).

use super::ethereum::decode_recipient;
use crate::rlp::{self, RlpError};
use crate::{Address, Bytes, TX_BYTES_MAX, U256};
use alloy_rlp::Decodable;

/// A legacy Ethereum transaction as clients send it: `[nonce, gas price, gas limit, to, value, data, v, r, s]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyTx {
    /// Transactions of the sender before this one; below the largest number (EIP-2681).
    pub nonce: u64,
    /// In wei.
    pub gas_price: U256,
    /// Most gas to burn.
    pub gas_limit: u64,
    /// The contract; `None` creates one.
    pub to: Option<Address>,
    /// In wei.
    pub value: U256,
    /// Input, or the creation code.
    pub data: Bytes,
    /// 27 or 28, or with the chain's number in it (EIP-155); any number here.
    pub v: U256,
    /// Of the signature; any number.
    pub r: U256,
    /// Of the signature; any number.
    pub s: U256,
}

impl LegacyTx {
    /// Decodes it strictly.
    ///
    /// # Errors
    /// [`RlpError`]: over [`TX_BYTES_MAX`], a broken item, bytes left over, [`RlpError::NonceMax`].
    pub fn from_raw(raw: &[u8]) -> Result<Self, RlpError> {
        let tx: Self = rlp::decode_exact("legacy Ethereum transaction", raw, TX_BYTES_MAX)?;
        if tx.nonce == u64::MAX { Err(RlpError::NonceMax) } else { Ok(tx) }
    }
}

impl Decodable for LegacyTx {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        rlp::decode_struct(buf, |payload| {
            Ok(Self {
                nonce: u64::decode(payload)?,
                gas_price: U256::decode(payload)?,
                gas_limit: u64::decode(payload)?,
                to: decode_recipient(payload)?,
                value: U256::decode(payload)?,
                data: Bytes::decode(payload)?,
                v: U256::decode(payload)?,
                r: U256::decode(payload)?,
                s: U256::decode(payload)?,
            })
        })
    }
}
