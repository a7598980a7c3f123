//! What a header says of the receipts of its block.

use std::collections::HashMap;
use vigil_primitives::{Bloom, Hash, Receipt};
use vigil_trie::{BatchHasher, ordered_root_with};

/// Root of the trie of receipts, and their bloom filter.
pub(crate) fn receipts_digest(hasher: &dyn BatchHasher, receipts: &[Receipt]) -> (Hash, Bloom) {
    let blooms = blooms(hasher, receipts);
    let encoded = receipts.iter().zip(&blooms).map(|(receipt, bloom)| receipt.eth_encoding(bloom));
    let root = ordered_root_with(hasher, encoded.collect::<Vec<_>>());
    let mut all = Bloom::ZERO;
    blooms.iter().for_each(|bloom| all |= *bloom);
    (root, all)
}

/// [`Receipt::bloom`] of each. What several logs are about, as the contract, is hashed once, and all of it in one batch.
fn blooms(hasher: &dyn BatchHasher, receipts: &[Receipt]) -> Vec<Bloom> {
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let mut messages: Vec<&[u8]> = Vec::new();
    let mut of_receipt: Vec<Vec<usize>> = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        let mut parts = Vec::with_capacity(4 * receipt.logs.len());
        for log in &receipt.logs {
            let topics = log.data.topics().iter().map(|topic| topic.as_slice());
            for part in [log.address.as_slice()].into_iter().chain(topics) {
                let next = messages.len();
                let at = *known.entry(part).or_insert(next);
                if at == next {
                    messages.push(part);
                }
                parts.push(at);
            }
        }
        of_receipt.push(parts);
    }
    let hashes = hasher.keccak256_batch(&messages);
    let bloom = |parts: &Vec<usize>| {
        let mut bloom = Bloom::ZERO;
        parts.iter().for_each(|part| bloom.m3_2048_hashed(&hashes[*part]));
        bloom
    };
    of_receipt.iter().map(bloom).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, Log, LogData};
    use vigil_primitives::Bytes;
    use vigil_trie::ScalarHasher;

    /// A receipt with logs of these addresses and topics.
    fn receipt(logs: &[(u8, &[u8])]) -> Receipt {
        let log = |(address, topics): &(u8, &[u8])| Log {
            address: Address::repeat_byte(*address),
            data: LogData::new_unchecked(topics.iter().map(|topic| Hash::repeat_byte(*topic)).collect(), Bytes::new()),
        };
        Receipt {
            tx_hash: Hash::ZERO,
            from: Address::ZERO,
            eth_type: 2,
            success: true,
            gas_used: 1,
            cumulative_gas_used: 1,
            logs: logs.iter().map(log).collect(),
            output: Bytes::new(),
            contract: Address::ZERO,
            created: false,
            error: String::new(),
            balance_changes: Vec::new(),
        }
    }

    #[test]
    fn blooms_made_together_are_those_made_alone() {
        let receipts =
            [receipt(&[(1, &[7, 8, 9]), (1, &[7])]), receipt(&[]), receipt(&[(2, &[]), (1, &[7, 7, 7, 7]), (7, &[1])])];
        let together = blooms(&ScalarHasher, &receipts);
        let alone: Vec<Bloom> = receipts.iter().map(Receipt::bloom).collect();
        assert_eq!(together, alone);
        assert_eq!(together[1], Bloom::ZERO);
        let (_, all) = receipts_digest(&ScalarHasher, &receipts);
        assert_eq!(all, alone[0] | alone[2]);
    }
}
