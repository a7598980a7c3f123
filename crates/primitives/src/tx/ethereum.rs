//! Ethereum's typed transactions as our type 12 (DESIGN §4, "EVM").

use super::access_list;
use super::{AccessListItem, ContractCall};
use crate::rlp::RlpError;
use crate::{Address, Bytes, Hash, SIGNATURE_BYTES, TX_BYTES_MAX, U256, keccak256};
use alloy_rlp::{Decodable, Encodable, Error, Header};

const WHAT: &str = "Ethereum transaction";

/// An Ethereum transaction of type 1 (EIP-2930) or 2 (EIP-1559) as it was signed (type 12). On the wire `[raw]`, raw the
/// bytes of EIP-2718; they are kept, so that hash and signature are always those of the bytes that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthereumTx {
    from: Address,
    raw: Bytes,
    /// Of the payload's items without the signature, in bytes.
    unsigned_length: usize,
    fields: EthereumFields,
}

/// What an [`EthereumTx`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthereumFields {
    /// 1 (EIP-2930) or 2 (EIP-1559).
    pub eth_type: u8,
    /// Number of the chain.
    pub chain_id: U256,
    /// Transactions of the sender before this one; below the largest number (EIP-2681).
    pub nonce: u64,
    /// Type 2 only: most wei a unit of gas above the base fee.
    pub max_priority_fee_per_gas: Option<U256>,
    /// Most wei a unit of gas; in type 1 the gas price.
    pub max_fee_per_gas: U256,
    /// Most gas to burn.
    pub gas_limit: u64,
    /// The contract; `None` creates one.
    pub to: Option<Address>,
    /// In wei of the operational token.
    pub value: U256,
    /// Input, or the creation code; shares the memory of the raw bytes.
    pub data: Bytes,
    /// What it says it will touch.
    pub access_list: Box<[AccessListItem]>,
    /// Of the y of the signature's point.
    pub y_parity: bool,
    /// Of the signature; any number.
    pub r: U256,
    /// Of the signature; any number.
    pub s: U256,
}

impl EthereumTx {
    /// Decodes the bytes of EIP-2718 strictly. The sender is not known yet; the signature is any numbers.
    ///
    /// # Errors
    /// [`RlpError`]: over [`TX_BYTES_MAX`], another type (legacy ones travel as type 7), a broken item, bytes left over,
    /// [`RlpError::NonceMax`].
    pub fn from_raw(raw: Bytes) -> Result<Self, RlpError> {
        if raw.len() > TX_BYTES_MAX {
            return Err(RlpError::TooLong { what: WHAT, got: raw.len(), max: TX_BYTES_MAX });
        }
        let item = |source| RlpError::Item { what: WHAT, source };
        let (&eth_type, mut rest) = raw.split_first().ok_or_else(|| item(Error::InputTooShort))?;
        if !(1..=2).contains(&eth_type) {
            return Err(RlpError::EthereumType(eth_type));
        }
        let mut payload = Header::decode_bytes(&mut rest, true).map_err(item)?;
        if !rest.is_empty() {
            return Err(RlpError::Trailing { what: WHAT, left: rest.len() });
        }
        let (fields, unsigned_length) = EthereumFields::decode(eth_type, &raw, &mut payload).map_err(item)?;
        if fields.nonce == u64::MAX {
            return Err(RlpError::NonceMax);
        }
        Ok(Self { from: Address::ZERO, raw, unsigned_length, fields })
    }

    /// Fills in the sender, for whom the caller vouches.
    pub fn set_sender(&mut self, from: Address) {
        self.from = from;
    }

    /// The sender: zero until it has been recovered from the signature.
    pub fn from(&self) -> Address {
        self.from
    }

    /// The bytes of EIP-2718.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// What they say.
    pub fn fields(&self) -> &EthereumFields {
        &self.fields
    }

    /// The hash that Ethereum clients know.
    pub fn eth_hash(&self) -> Hash {
        keccak256(&self.raw)
    }

    /// The sequence it claims: nonce + 1.
    pub fn sequence(&self) -> u64 {
        self.fields.nonce + 1
    }

    /// What is hashed and signed: the type and the list without the signature.
    pub fn eth_sign_bytes(&self) -> Vec<u8> {
        let mut list = &self.raw[1..];
        let payload = Header::decode_bytes(&mut list, true).expect("decoded before");
        let mut out = Vec::with_capacity(self.unsigned_length + 10);
        out.push(self.fields.eth_type);
        Header { list: true, payload_length: self.unsigned_length }.encode(&mut out);
        out.extend_from_slice(&payload[..self.unsigned_length]);
        out
    }

    /// The signature in the native form `r || s || v`, v 0 or 1.
    pub fn signature(&self) -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        signature[..32].copy_from_slice(&self.fields.r.to_be_bytes::<32>());
        signature[32..64].copy_from_slice(&self.fields.s.to_be_bytes::<32>());
        signature[64] = u8::from(self.fields.y_parity);
        signature
    }

    pub(super) fn call(&self) -> ContractCall<'_> {
        let fields = &self.fields;
        ContractCall {
            from: self.from,
            theta: U256::ZERO,
            value: fields.value,
            sequence: self.sequence(),
            to: fields.to,
            gas_limit: fields.gas_limit,
            max_fee_per_gas: fields.max_fee_per_gas,
            max_priority_fee_per_gas: fields.max_priority_fee_per_gas,
            data: &fields.data,
            access_list: &fields.access_list,
            eth_type: fields.eth_type,
        }
    }
}

impl Encodable for EthereumTx {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        Header { list: true, payload_length: self.raw.length() }.encode(out);
        self.raw.encode(out);
    }

    fn length(&self) -> usize {
        let payload_length = self.raw.length();
        Header { list: true, payload_length }.length() + payload_length
    }
}

impl EthereumFields {
    /// The fields of the list `payload`, which lies in `raw`; and how many bytes stand before the signature.
    fn decode(eth_type: u8, raw: &Bytes, payload: &mut &[u8]) -> alloy_rlp::Result<(Self, usize)> {
        let all = payload.len();
        let chain_id = U256::decode(payload)?;
        let nonce = u64::decode(payload)?;
        let max_priority_fee_per_gas = if eth_type == 2 { Some(U256::decode(payload)?) } else { None };
        let max_fee_per_gas = U256::decode(payload)?;
        let gas_limit = u64::decode(payload)?;
        let to = decode_recipient(payload)?;
        let value = U256::decode(payload)?;
        let data = Bytes(raw.0.slice_ref(Header::decode_bytes(payload, false)?));
        let access_list = access_list::decode(payload)?;
        let unsigned_length = all - payload.len();
        let y_parity = bool::decode(payload)?;
        let (r, s) = (U256::decode(payload)?, U256::decode(payload)?);
        if !payload.is_empty() {
            return Err(Error::ListLengthMismatch { expected: all, got: all - payload.len() });
        }
        let fields = Self {
            eth_type,
            chain_id,
            nonce,
            max_priority_fee_per_gas,
            max_fee_per_gas,
            gas_limit,
            to,
            value,
            data,
            access_list,
            y_parity,
            r,
            s,
        };
        Ok((fields, unsigned_length))
    }
}

/// 20 bytes, or none: creation.
pub(super) fn decode_recipient(buf: &mut &[u8]) -> alloy_rlp::Result<Option<Address>> {
    if buf.first() == Some(&alloy_rlp::EMPTY_STRING_CODE) {
        *buf = &buf[1..];
        return Ok(None);
    }
    Address::decode(buf).map(Some)
}
