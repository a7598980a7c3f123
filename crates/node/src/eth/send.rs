//! Transactions that Ethereum's tools send.

use super::{Answer, state_error};
use crate::backend::NodeBackend;
use crate::pool::Rejected;
use vigil_crypto::import_eth;
use vigil_ledger::{code, gas_price_min};
use vigil_mempool::Refused;
use vigil_primitives::{Bytes, Hash, Tx, U256};
use vigil_rpc::eth::EthError;

/// Admits a signed transaction; its Ethereum hash.
pub(super) async fn send_raw(node: &NodeBackend, bytes: Bytes) -> Answer<Hash> {
    let domain = node.chain.tx_domain();
    let native = import_eth(&domain, &bytes).map_err(EthError::new)?;
    let tx = vigil_crypto::tx_of_block(&native).map_err(EthError::new)?;
    let hash = tx.eth_hash(domain.eth_number().0).ok_or_else(|| EthError::new("invalid sender"))?;
    match node.admission.submit(native).await {
        Some(Ok(_)) => Ok(hash),
        Some(Err(rejected)) => Err(in_geths_words(node, &tx, rejected)?),
        None => Err(EthError::new("internal error: the transaction was not judged; send it again")),
    }
}

/// A refusal as tools for Ethereum know it.
fn in_geths_words(node: &NodeBackend, tx: &Tx, rejected: Rejected) -> Answer<EthError> {
    let refused = match rejected {
        Rejected::Decode(error) => return Ok(EthError::new(format!("rlp: {error}"))),
        Rejected::Refused(refused) => refused,
    };
    let Some(call) = tx.contract_call() else { return Ok(EthError::new(refused)) };
    let height = node.chain.head().as_parent.height;
    Ok(EthError::new(match refused {
        Refused::Seen => "already known".to_owned(),
        Refused::Underpriced { .. } => format!("replacement transaction underpriced: {refused}"),
        Refused::Full { .. } | Refused::Underbid { .. } => format!("txpool is full: {refused}"),
        Refused::Screened { code: code::INVALID_SEQUENCE, .. } => {
            let account = node.pool.account(&call.from).map_err(|error| state_error(error, height))?;
            let next = account.map_or(0, |account| account.sequence);
            let nonce = call.sequence.saturating_sub(1);
            let side = if nonce < next { "low" } else { "high" };
            format!("nonce too {side}: next nonce {next}, tx nonce {nonce}")
        }
        Refused::Screened { code: code::INSUFFICIENT_FUND, text } => {
            format!("insufficient funds for gas * price + value: {text}")
        }
        Refused::Screened { code: code::GENERIC, text } if text.contains("no Theta nor TFuel") => {
            let want = call.max_fee_per_gas.saturating_mul(U256::from(call.gas_limit)).saturating_add(call.value);
            format!("insufficient funds for gas * price + value: address {} have 0 want {want}", call.from)
        }
        Refused::Screened { code: code::GAS_PRICE, text } => {
            let min = gas_price_min(node.chain.params(), height + 1);
            if call.max_fee_per_gas < min {
                format!("transaction underpriced: gas price {}, minimum needed {min}", call.max_fee_per_gas)
            } else {
                text
            }
        }
        Refused::Screened { code: code::GAS_LIMIT, text } => match text.split_once("out of gas: ") {
            Some((_, intrinsic)) => intrinsic.to_owned(),
            None => format!("exceeds block gas limit: {text}"),
        },
        Refused::Screened { code: code::INVALID_SIGNATURE, .. } => "invalid sender".to_owned(),
        Refused::Screened { text, .. } => text,
        other => other.to_string(),
    }))
}
