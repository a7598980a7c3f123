//! Strict RLP at the edges: one value, all bytes used, size bounded.
//!
//! The item rules are those of `alloy_rlp` (no leading zeros, no long form for short lengths, exact fixed arrays,
//! lists used to the last byte), which are the rules of `spec/ledger.md` §1.1 with trailing bytes refused
//! (DESIGN §4, "strict RLP").

use alloy_rlp::Header;
pub use alloy_rlp::{Decodable, Encodable};

/// Bytes that are not the one valid encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RlpError {
    /// An item breaks a rule of RLP or has the wrong shape.
    #[error("{what} is not valid RLP: {source}")]
    Item {
        /// What was decoded.
        what: &'static str,
        /// The rule that was broken.
        source: alloy_rlp::Error,
    },
    /// Bytes stand after the value.
    #[error("{what} is followed by {left} bytes that belong to nothing")]
    Trailing {
        /// What was decoded.
        what: &'static str,
        /// Bytes left.
        left: usize,
    },
    /// The input is longer than the limit for this value.
    #[error("{what} has {got} bytes, the limit is {max}")]
    TooLong {
        /// What was decoded.
        what: &'static str,
        /// Bytes given.
        got: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A list has more elements than its limit.
    #[error("{what} has {got} elements, the limit is {max}")]
    TooMany {
        /// What was decoded.
        what: &'static str,
        /// Elements given.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// No transaction has this type number.
    #[error("transaction type {0} does not exist")]
    UnknownTxType(u64),
    /// An Ethereum transaction of a type that does not travel here: what its first byte says.
    #[error("{} does not travel here: only those of type 1 (EIP-2930) and 2 (EIP-1559)", ethereum_type(*.0))]
    EthereumType(u8),
    /// The nonce of an Ethereum transaction is the largest number, after which there is no sequence (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
}

fn ethereum_type(first: u8) -> String {
    match first {
        3 => "a blob transaction (type 3)".into(),
        4 => "a set-code transaction (type 4)".into(),
        0xc0.. => "a legacy Ethereum transaction".into(),
        other => format!("an Ethereum transaction of type {other}"),
    }
}

/// Encodes one value.
pub fn encode<T: Encodable + ?Sized>(value: &T) -> Vec<u8> {
    alloy_rlp::encode(value)
}

/// Decodes a structure of hand-written fields: a list that `fields` uses to the last byte.
pub(crate) fn decode_struct<T>(
    buf: &mut &[u8],
    fields: impl FnOnce(&mut &[u8]) -> alloy_rlp::Result<T>,
) -> alloy_rlp::Result<T> {
    let mut payload = Header::decode_bytes(buf, true)?;
    let expected = payload.len();
    let value = fields(&mut payload)?;
    if payload.is_empty() {
        Ok(value)
    } else {
        Err(alloy_rlp::Error::ListLengthMismatch { expected, got: expected - payload.len() })
    }
}

/// Decodes a list of at most `max` elements. One element more ends it, so that a list of many tiny elements costs no
/// more memory than a legal one.
pub(crate) fn decode_list<T: Decodable>(buf: &mut &[u8], max: usize) -> alloy_rlp::Result<Vec<T>> {
    let mut payload = Header::decode_bytes(buf, true)?;
    let mut elements = Vec::new();
    while !payload.is_empty() {
        if elements.len() == max {
            return Err(alloy_rlp::Error::Custom("a list has more elements than its limit"));
        }
        elements.push(T::decode(&mut payload)?);
    }
    Ok(elements)
}

/// Decodes exactly one value from all of `bytes`.
///
/// # Errors
/// [`RlpError::TooLong`] above `max` bytes, [`RlpError::Item`] for a broken item, [`RlpError::Trailing`] if bytes are left.
pub fn decode_exact<T: Decodable>(what: &'static str, bytes: &[u8], max: usize) -> Result<T, RlpError> {
    if bytes.len() > max {
        return Err(RlpError::TooLong { what, got: bytes.len(), max });
    }
    let mut rest = bytes;
    let value = T::decode(&mut rest).map_err(|source| RlpError::Item { what, source })?;
    if rest.is_empty() { Ok(value) } else { Err(RlpError::Trailing { what, left: rest.len() }) }
}
