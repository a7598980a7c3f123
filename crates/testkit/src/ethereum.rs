//! Ethereum transactions, written down independently of the code that reads them.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{Encodable, Header};

/// A legacy transaction (EIP-155), one of EIP-2930 or of EIP-1559, without its signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EthTx {
    /// 0, 1 or 2.
    pub eth_type: u8,
    /// Number of the chain.
    pub chain_id: U256,
    /// Of the sender.
    pub nonce: u64,
    /// Type 2 only.
    pub max_priority_fee_per_gas: U256,
    /// The gas price of types 0 and 1.
    pub max_fee_per_gas: U256,
    /// Most gas.
    pub gas_limit: u64,
    /// `None`: creation.
    pub to: Option<Address>,
    /// In wei.
    pub value: U256,
    /// Input.
    pub data: Bytes,
    /// Types 1 and 2 only.
    pub access_list: Vec<(Address, Vec<B256>)>,
}

impl EthTx {
    /// What is hashed and signed.
    pub fn unsigned(&self) -> Vec<u8> {
        match self.eth_type {
            0 => self.with_tail(&[self.chain_id, U256::ZERO, U256::ZERO]),
            _ => self.with_tail(&[]),
        }
    }

    /// What a client sends; `signature` is `r || s || v`, v 0 or 1.
    pub fn signed(&self, signature: &[u8; 65]) -> Vec<u8> {
        let (r, s) = (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..64]));
        let parity = U256::from(signature[64]);
        match self.eth_type {
            0 => self.with_tail(&[self.chain_id * U256::from(2) + U256::from(35) + parity, r, s]),
            _ => self.with_tail(&[parity, r, s]),
        }
    }

    /// The encoding with these items at its end.
    pub fn with_tail(&self, tail: &[U256]) -> Vec<u8> {
        let mut payload = Vec::new();
        if self.eth_type > 0 {
            self.chain_id.encode(&mut payload);
        }
        self.nonce.encode(&mut payload);
        if self.eth_type == 2 {
            self.max_priority_fee_per_gas.encode(&mut payload);
        }
        self.max_fee_per_gas.encode(&mut payload);
        self.gas_limit.encode(&mut payload);
        self.to.as_ref().map_or(&[][..], |to| to.as_slice()).encode(&mut payload);
        self.value.encode(&mut payload);
        self.data.encode(&mut payload);
        if self.eth_type > 0 {
            let items: Vec<Vec<u8>> = self.access_list.iter().map(access_item).collect();
            payload.extend(list(&items.concat()));
        }
        tail.iter().for_each(|item| item.encode(&mut payload));
        let mut out = if self.eth_type > 0 { vec![self.eth_type] } else { Vec::new() };
        out.extend(list(&payload));
        out
    }
}

fn access_item((address, keys): &(Address, Vec<B256>)) -> Vec<u8> {
    let mut item = alloy_rlp::encode(address);
    keys.encode(&mut item);
    list(&item)
}

/// `payload` as the payload of a list.
pub fn list(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 9);
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(payload);
    out
}

/// The envelope of a type 12 around the bytes of a typed transaction.
pub fn type_12(raw: &[u8]) -> Vec<u8> {
    [vec![12], list(&alloy_rlp::encode(raw))].concat()
}
