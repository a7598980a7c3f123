//! What the node and the chain are.

use super::{EthMethods, Written};
use crate::eth::json::U64;
use crate::eth::values::EthSyncing;
use crate::jsonrpc::{Answer, Positional};
use serde::Serialize;
use vigil_primitives::keccak256;

/// There is no devp2p here; what the reference's server said (eth/65).
const PROTOCOL: u64 = 65;

pub(super) fn client_version(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&eth.backend.client_version())
}

pub(super) fn sha3(args: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&keccak256(args.bytes(0)?))
}

/// Decimal, as Ethereum says.
pub(super) fn net_version(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&eth.rules().chain_number.to_string())
}

pub(super) fn listening(_: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&true)
}

pub(super) fn peer_count(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&U64::from(eth.backend.peers()))
}

pub(super) fn modules(_: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    #[derive(Serialize)]
    struct Modules {
        debug: &'static str,
        eth: &'static str,
        net: &'static str,
        rpc: &'static str,
        txpool: &'static str,
        web3: &'static str,
    }
    let v = "1.0";
    out.write(&Modules { debug: v, eth: v, net: v, rpc: v, txpool: v, web3: v })
}

pub(super) fn chain_id(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&eth.rules().chain_number)
}

pub(super) fn protocol_version(_: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&U64::from(PROTOCOL))
}

pub(super) fn syncing(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    match eth.backend.syncing() {
        Some(syncing) => out.write(&SyncingJson::from(syncing)),
        None => out.write(&false),
    }
}

/// A node keeps no keys for others.
pub(super) fn accounts(_: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write::<[(); 0]>(&[])
}

pub(super) fn block_number(eth: &EthMethods, _: &Positional<'_>, out: &mut Answer<'_>) -> Written {
    out.write(&U64::from(eth.backend.heads().settled.0))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SyncingJson {
    starting_block: U64,
    current_block: U64,
    highest_block: U64,
}

impl From<EthSyncing> for SyncingJson {
    fn from(syncing: EthSyncing) -> Self {
        Self {
            starting_block: U64::from(syncing.starting),
            current_block: U64::from(syncing.current),
            highest_block: U64::from(syncing.highest),
        }
    }
}
