//! What waits to be reported, as stored: keys and values of the Meta column.
//!
//! | key | value |
//! |---|---|
//! | `fault/1` + offender + role + height, u64 big endian | the evidence |
//! | `fault/2` + Keccak-256 of the value | RLP of two votes of guardians on one height |

use super::{CASES_MAX, Offence};
use vigil_primitives::{AggregatedVotes, Evidence, RlpError, keccak256, rlp};
use vigil_store::{Batch, Column, Store, StoreError};

const FAULT: &[u8] = b"fault/";
const PROVEN: u8 = b'1';
const GUARDIANS: u8 = b'2';

/// Writes what was found. It survives the process at once, and the machine with the next settlement.
pub(super) fn keep(store: &dyn Store, offence: &Offence) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    let (key, value) = entry(offence);
    batch.put(Column::Meta, key, value);
    store.write(batch, false)
}

/// It is punished, or never will be.
pub(super) fn forget(store: &dyn Store, offence: &Offence) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.delete(Column::Meta, entry(offence).0);
    store.write(batch, false)
}

/// All that is stored. What cannot be read was written by another version or is damaged, and proves nothing: it goes.
pub(super) fn load(store: &dyn Store) -> Result<Vec<Offence>, StoreError> {
    let mut batch = Batch::new();
    let mut found = Vec::new();
    for (key, value) in store.scan(Column::Meta, FAULT, &[], 2 * CASES_MAX)? {
        match decode(key.get(FAULT.len()).copied(), &value) {
            Ok(offence) => found.push(offence),
            Err(error) => {
                tracing::warn!(%error, "stored evidence of a fault cannot be read, and is dropped");
                batch.delete(Column::Meta, key);
            }
        }
    }
    store.write(batch, false)?;
    Ok(found)
}

fn entry(offence: &Offence) -> (Vec<u8>, Vec<u8>) {
    match offence {
        Offence::Proven(evidence) => {
            let (offender, role, height) = (evidence.offender(), evidence.role() as u8, evidence.height());
            let key = [FAULT, &[PROVEN], offender.as_slice(), &[role], &height.to_be_bytes()].concat();
            (key, evidence.to_bytes())
        }
        Offence::Guardians(votes) => {
            let value = rlp::encode(&vec![votes.0.clone(), votes.1.clone()]);
            ([FAULT, &[GUARDIANS], keccak256(&value).as_slice()].concat(), value)
        }
    }
}

fn decode(kind: Option<u8>, value: &[u8]) -> Result<Offence, RlpError> {
    const WHAT: &str = "stored fault";
    let unknown = |why| RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom(why) };
    match kind {
        Some(PROVEN) => Evidence::from_bytes(value).map(|evidence| Offence::Proven(Box::new(evidence))),
        Some(GUARDIANS) => {
            let votes: Vec<AggregatedVotes> = rlp::decode_exact(WHAT, value, usize::MAX)?;
            let [a, b] = <[_; 2]>::try_from(votes).map_err(|_| unknown("not two votes"))?;
            Ok(Offence::Guardians(Box::new((a, b))))
        }
        _ => Err(unknown("unknown kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{Address, BlsSignatureBytes, Checkpoint, Hash, Signature, Vote};
    use vigil_store::MemoryStore;

    fn double_vote(voter: u8, height: u64) -> Offence {
        let vote = |block| Vote {
            height,
            block_hash: Hash::repeat_byte(block),
            block_epoch: height,
            source_set: 0,
            source_height: 1,
            source_hash: Hash::ZERO,
            voter: Address::repeat_byte(voter),
            signature: Signature::none(),
        };
        Offence::Proven(Box::new(Evidence::DoubleVote(vote(1), vote(2))))
    }

    fn guardians(height: u64) -> Offence {
        let votes = |block| AggregatedVotes {
            checkpoint: Checkpoint { height, block_hash: Hash::repeat_byte(block), ..Checkpoint::default() },
            signers: vec![0, 0x80].into(),
            signature: BlsSignatureBytes::repeat_byte(block),
        };
        Offence::Guardians(Box::new((votes(1), votes(2))))
    }

    #[test]
    fn what_is_kept_is_there_until_it_is_forgotten() {
        let store = MemoryStore::default();
        let all = [double_vote(1, 5), double_vote(1, 6), double_vote(2, 5), guardians(10), guardians(20)];
        for offence in all.iter().chain(&all) {
            keep(&store, offence).expect("written");
        }
        let found = load(&store).expect("read");
        assert_eq!(found.len(), all.len());
        assert!(all.iter().all(|offence| found.contains(offence)), "{found:?}");
        for offence in [&all[1], &all[3]] {
            forget(&store, offence).expect("written");
        }
        let left = load(&store).expect("read");
        assert_eq!(left.len(), 3);
        assert!(!left.contains(&all[1]) && !left.contains(&all[3]), "{left:?}");
    }

    #[test]
    fn what_cannot_be_read_goes() {
        let store = MemoryStore::default();
        let mut batch = Batch::new();
        for (key, value) in [("fault/1x", "?"), ("fault/2x", "?"), ("fault/9x", "?"), ("fault/", "?")] {
            batch.put(Column::Meta, key.as_bytes(), value.as_bytes().to_vec());
        }
        store.write(batch, false).expect("written");
        keep(&store, &guardians(10)).expect("written");
        assert_eq!(load(&store).expect("read"), [guardians(10)]);
        assert_eq!(store.scan(Column::Meta, FAULT, &[], 9).expect("read").len(), 1);
    }
}
