//! What types 7 and 12 have in common: a call of a contract.

use super::{AccessListItem, SmartContract, Tx};
use crate::{Address, Bytes, Hash, U256, keccak256};

/// A transaction that calls or creates a contract, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractCall<'a> {
    /// The caller; of a type 12 zero until it is recovered.
    pub from: Address,
    /// Wei of the stake token that goes along; only type 7 has some.
    pub theta: U256,
    /// Wei of the operational token that goes along.
    pub value: U256,
    /// The caller's sequence after this transaction.
    pub sequence: u64,
    /// The contract; `None` creates one.
    pub to: Option<Address>,
    /// Most gas to burn.
    pub gas_limit: u64,
    /// Most wei a unit of gas.
    pub max_fee_per_gas: U256,
    /// Most of it above the base fee; `None` where the price is fixed (type 7, EIP-2930).
    pub max_priority_fee_per_gas: Option<U256>,
    /// Input, or the creation code.
    pub data: &'a Bytes,
    /// What it says it will touch; empty in type 7.
    pub access_list: &'a [AccessListItem],
    /// Ethereum's number of its type: 0 (type 7), 1 or 2.
    pub eth_type: u8,
}

impl Tx {
    /// The call of a contract, if it is one (types 7 and 12).
    pub fn contract_call(&self) -> Option<ContractCall<'_>> {
        match self {
            Self::SmartContract(tx) => Some(tx.call()),
            Self::Ethereum(tx) => Some(tx.call()),
            _ => None,
        }
    }

    /// The hash that Ethereum clients know it by, if it carries an Ethereum signature; `chain_number` of the chain.
    pub fn eth_hash(&self, chain_number: U256) -> Option<Hash> {
        match self {
            Self::SmartContract(tx) => tx.eth_raw(chain_number).map(keccak256),
            Self::Ethereum(tx) => Some(tx.eth_hash()),
            _ => None,
        }
    }
}

impl SmartContract {
    /// The call.
    pub fn call(&self) -> ContractCall<'_> {
        let to = self.to.address;
        ContractCall {
            from: self.from.address,
            theta: self.from.coins.theta,
            value: self.from.coins.tfuel,
            sequence: self.from.sequence,
            to: (!to.is_zero()).then_some(to),
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.gas_price,
            max_priority_fee_per_gas: None,
            data: &self.data,
            access_list: &[],
            eth_type: 0,
        }
    }
}
