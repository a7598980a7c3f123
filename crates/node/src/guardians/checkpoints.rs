//! Settled checkpoints, out of the chain.

use crate::chain::{Chain, ChainError};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_consensus::finality::{CHECKPOINTS_KEPT, SETS_KEPT, SettledCheckpoint};
use vigil_ledger::queries;
use vigil_primitives::{BlockHeader, Checkpoint, GuardianSet, Hash, Height};

/// The checkpoint that a settled block is; `None` if its height is none.
///
/// # Errors
/// Its state cannot be read.
pub fn settled_checkpoint(
    chain: &Chain,
    hash: Hash,
    header: &BlockHeader,
) -> Result<Option<SettledCheckpoint>, ChainError> {
    if header.height == 0 || !header.height.is_multiple_of(chain.params().checkpoint_interval) {
        return Ok(None);
    }
    let set = Arc::new(queries::guardians(&chain.state_of(header))?);
    Ok(Some(SettledCheckpoint { height: header.height, block_hash: hash, set }))
}

/// The guardians of the settled head.
///
/// # Errors
/// Its state cannot be read.
pub fn newest_set(chain: &Chain) -> Result<Arc<GuardianSet>, ChainError> {
    Ok(Arc::new(queries::guardians(&chain.head().as_parent.state)?))
}

/// The settled checkpoints that machines start with, ascending, if their last votes are at `voted` and what is final is at
/// `finalized` (0: nothing). Guardians are read where they are needed.
pub(super) fn recovered(
    chain: &Chain,
    voted: &[Height],
    finalized: Height,
) -> Result<Vec<SettledCheckpoint>, ChainError> {
    let interval = chain.params().checkpoint_interval;
    let last = chain.head().as_parent.height / interval;
    let needed = needed(last, interval, voted, finalized);
    let read = needed.into_iter().map(|(height, with_set)| settled_at(chain, height, with_set));
    read.filter_map(Result::transpose).collect()
}

/// The highest settled checkpoint. `None`: there is none yet.
pub(super) fn highest(chain: &Chain) -> Result<Option<Checkpoint>, ChainError> {
    let interval = chain.params().checkpoint_interval;
    let height = chain.head().as_parent.height / interval * interval;
    let settled = if height == 0 { None } else { settled_at(chain, height, true)? };
    Ok(settled.map(|settled| settled.checkpoint(0)))
}

/// Heights, and whether the guardians there are needed: checkpoints from the lowest of these heights to the number `last`, no more
/// than a machine remembers. But what was voted on last is needed however old it is (what is above must descend from it), and
/// what is final too, with its guardians.
fn needed(last: u64, interval: Height, voted: &[Height], finalized: Height) -> BTreeMap<Height, bool> {
    let named = || voted.iter().copied().chain([finalized]);
    let lowest = named().min().unwrap_or(0) / interval;
    let first = lowest.max((last + 1).saturating_sub(CHECKPOINTS_KEPT as u64));
    let heights = (first..=last).map(|number| number * interval).chain(named());
    let settled = heights.filter(|height| *height > 0 && *height <= last * interval);
    settled.map(|height| (height, height == finalized || height / interval + SETS_KEPT as u64 > last)).collect()
}

fn settled_at(chain: &Chain, height: Height, with_set: bool) -> Result<Option<SettledCheckpoint>, ChainError> {
    let Some((block_hash, _)) = chain.settled_at(height)? else { return Ok(None) };
    if with_set && let Some(block) = chain.block(&block_hash)? {
        return settled_checkpoint(chain, block_hash, &block.header);
    }
    Ok(Some(SettledCheckpoint { height, block_hash, set: Arc::new(GuardianSet::default()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Height = 100;
    const KEPT: u64 = CHECKPOINTS_KEPT as u64;

    fn heights(last: u64, voted: &[Height], finalized: Height) -> Vec<Height> {
        needed(last, T, voted, finalized).into_keys().collect()
    }

    #[test]
    fn the_last_vote_is_found_however_long_ago_it_was() {
        let last = 3 * KEPT;
        let recent: Vec<Height> = (last - KEPT + 1..=last).map(|number| number * T).collect();
        assert_eq!(heights(last, &[5 * T, 9 * T], 7 * T), [&[5 * T, 7 * T, 9 * T], &recent[..]].concat());
        let with_sets: Vec<Height> =
            needed(last, T, &[5 * T], 7 * T).into_iter().filter_map(|(height, with)| with.then_some(height)).collect();
        let newest = (last + 1 - SETS_KEPT as u64..=last).map(|number| number * T);
        assert_eq!(with_sets, [7 * T].into_iter().chain(newest).collect::<Vec<_>>(), "of what is final, too");
    }

    #[test]
    fn what_is_settled_since_the_last_vote_and_no_more() {
        assert_eq!(heights(9, &[7 * T], 8 * T), [7 * T, 8 * T, 9 * T]);
        assert_eq!(heights(9, &[], 8 * T), [8 * T, 9 * T]);
        assert_eq!(heights(3, &[], 0), [T, 2 * T, 3 * T]);
        assert!(heights(0, &[], 0).is_empty());
        assert_eq!(heights(3, &[5 * T], 2 * T), [2 * T, 3 * T], "the chain is behind the vote");
    }
}
