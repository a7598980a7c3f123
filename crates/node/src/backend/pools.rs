//! Stake pools at a height, and peers' addresses.

use super::{Answer, NodeBackend, internal};
use std::collections::BTreeMap;
use vigil_ledger::{State, StateError, queries};
use vigil_net::Multiaddr;
use vigil_primitives::{Address, Height};
use vigil_rpc::{AtBlock, Read, StakeReturn, Validators};
use vigil_trie::TrieError;

/// Most edge nodes or distribution rules in one answer.
pub(super) const LIST_MAX: usize = 100_000;

impl NodeBackend {
    /// What `read` finds after each block known at `height`; 0 means now: the tip.
    pub(super) fn at_each_block<T>(
        &self,
        height: Height,
        read: impl Fn(&State) -> Result<T, StateError>,
    ) -> Answer<Read<Vec<AtBlock<T>>>> {
        let known = if height == 0 { vec![(self.observed().tip, false)] } else { self.known_at(height)? };
        let mut found = Vec::with_capacity(known.len());
        for (block_hash, _) in known {
            let Some(block) = self.chain.block(&block_hash).map_err(internal)? else { continue };
            match read(&self.chain.state_of(&block.header)) {
                Ok(value) => found.push(AtBlock { block_hash, value }),
                Err(StateError::Trie(TrieError::Missing { .. })) => return Ok(Read::Pruned),
                Err(error) => return Err(internal(error)),
            }
        }
        Ok(if found.is_empty() { Read::NoBlock } else { Read::Found(found) })
    }
}

pub(super) fn validators(state: &State) -> Result<Validators, StateError> {
    let pool = queries::validator_pool(state)?.unwrap_or_default();
    Ok(Validators { pool, heights: queries::stake_heights(state)? })
}

/// Edge node stakes on their way back, by height.
pub(super) fn stake_returns(state: &State) -> Result<Vec<(Height, Vec<StakeReturn>)>, StateError> {
    let mut returns: BTreeMap<Height, Vec<StakeReturn>> = BTreeMap::new();
    for node in queries::edge_nodes(state, &Address::ZERO, LIST_MAX)? {
        for stake in node.holder.stakes.into_iter().filter(|stake| stake.withdrawn) {
            let holder = node.holder.holder;
            returns.entry(stake.return_height).or_default().push(StakeReturn { holder, stake });
        }
    }
    Ok(returns.into_iter().collect())
}

/// `host:port` of `/ip4/<host>/tcp/<port>/...` and its like.
pub(super) fn host_and_port(address: &Multiaddr) -> Option<String> {
    let text = address.to_string();
    let mut parts = text.split('/').skip(1);
    let (kind, host, _transport, port) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(if kind == "ip6" { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_host_and_port() {
        let text = |address: &str| host_and_port(&address.parse().expect("a multiaddress"));
        assert_eq!(text("/ip4/1.2.3.4/tcp/30001").as_deref(), Some("1.2.3.4:30001"));
        assert_eq!(text("/ip6/::1/udp/7/quic-v1").as_deref(), Some("[::1]:7"));
        assert_eq!(text("/ip4/1.2.3.4"), None);
    }
}
