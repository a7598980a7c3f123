//! Contract transactions in Ethereum's form.

use super::blocks::{BlockCache, native_hashes};
use super::{Answer, internal};
use crate::backend::NodeBackend;
use alloy_rpc_types_eth::{AccessList, AccessListItem};
use std::sync::Arc;
use vigil_primitives::{Address, ContractCall, Hash, Tx, U256};
use vigil_rpc::eth::{EthAt, EthFees, EthFound, EthPlace, EthTx};

/// A transaction as Ethereum's tools know it; `None` if it is no contract transaction. `from`: its sender, where it is known
/// better than by the transaction itself (type 12 from a block). `number`: the chain's.
pub(crate) fn eth_tx(tx: &Tx, native: Hash, from: Option<Address>, number: U256) -> Option<EthTx> {
    let call = tx.contract_call()?;
    let eth_hash = tx.eth_hash(number);
    let (v, r, s) = signature(tx, number);
    Some(EthTx {
        hash: eth_hash.unwrap_or(native),
        from: from.unwrap_or(call.from),
        to: call.to,
        nonce: call.sequence.saturating_sub(1),
        value: call.value,
        gas_limit: call.gas_limit,
        fees: fees(&call),
        input: call.data.clone(),
        chain_id: eth_hash.map(|_| number),
        v,
        r,
        s,
    })
}

fn fees(call: &ContractCall<'_>) -> EthFees {
    let item = |item: &vigil_primitives::AccessListItem| AccessListItem {
        address: item.address,
        storage_keys: item.storage_keys.to_vec(),
    };
    let access_list = || AccessList(call.access_list.iter().map(item).collect());
    match (call.eth_type, call.max_priority_fee_per_gas) {
        (0, _) => EthFees::Legacy { gas_price: call.max_fee_per_gas },
        (_, None) => EthFees::Priced { gas_price: call.max_fee_per_gas, access_list: access_list() },
        (_, Some(max_priority_fee)) => {
            EthFees::Dynamic { max_fee: call.max_fee_per_gas, max_priority_fee, access_list: access_list() }
        }
    }
}

/// v, r and s as they stand in the Ethereum transaction, or in the native one.
fn signature(tx: &Tx, number: U256) -> (U256, U256, U256) {
    match tx {
        Tx::Ethereum(tx) => {
            let fields = tx.fields();
            (U256::from(u8::from(fields.y_parity)), fields.r, fields.s)
        }
        Tx::SmartContract(tx) => {
            let Some(signature) = tx.from.signature.as_array() else { return Default::default() };
            let (r, s) = (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..64]));
            let v = U256::from(signature[64]);
            let is_ethereum = signature[64] >= 27;
            let of_eip155 = number.wrapping_mul(U256::from(2)).wrapping_add(v + U256::from(8));
            (if is_ethereum { of_eip155 } else { v }, r, s)
        }
        _ => Default::default(),
    }
}

/// A transaction by its Ethereum or its native hash.
pub(super) fn find(node: &NodeBackend, cache: &BlockCache, hash: &Hash) -> Answer<Option<EthFound>> {
    let number = node.chain.tx_domain().eth_number().0;
    if let Some((block_hash, height, _)) = node.chain.settled_tx(hash).map_err(internal)? {
        let Some(block) = cache.block(node, EthAt::Hash(block_hash))? else { return Ok(None) };
        let mut at = block.txs.iter().position(|info| info.tx.hash == *hash);
        if at.is_none() {
            // By the native hash of one that is signed the Ethereum way.
            let native = node.chain.block(&block_hash).map_err(internal)?;
            at = native.and_then(|native| native_hashes(&native).iter().position(|native| native == hash));
        }
        let Some(index) = at else { return Ok(None) };
        let first_log = block.txs[..index].iter().map(|tx| tx.receipt.logs.len() as u64).sum();
        let timestamp = block.header.timestamp;
        let place = EthPlace { block_hash, number: height, timestamp, index: index as u64, first_log };
        return Ok(Some(EthFound::Settled(Box::new(block.txs[index].clone()), place)));
    }
    let pending = node.pool.pending_by_any_hash(hash);
    let pending = pending.and_then(|tx| eth_tx(tx.tx(), tx.hash(), None, number));
    Ok(pending.map(|tx| EthFound::Pending(Arc::new(tx))))
}
