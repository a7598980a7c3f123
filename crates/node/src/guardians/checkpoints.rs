//! Settled checkpoints, out of the chain.

use crate::chain::{Chain, ChainError};
use std::sync::Arc;
use vigil_consensus::finality::{CHECKPOINTS_KEPT, SETS_KEPT, SettledCheckpoint};
use vigil_ledger::queries;
use vigil_primitives::{BlockHeader, GuardianSet, Hash, Height};

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

/// The settled checkpoints from `from` to the head, ascending; at most as many as a machine remembers. Guardians are read
/// for the last ones only, as no others can be voted on.
pub(crate) fn recovered(chain: &Chain, from: Height) -> Result<Vec<SettledCheckpoint>, ChainError> {
    let interval = chain.params().checkpoint_interval;
    let last = chain.head().as_parent.height / interval;
    let first = (from / interval).max(1).max((last + 1).saturating_sub(CHECKPOINTS_KEPT as u64));
    let mut settled = Vec::new();
    for number in first..=last {
        let height = number * interval;
        let Some((hash, _)) = chain.settled_at(height)? else { continue };
        let with_set = number + SETS_KEPT as u64 > last;
        let found = match chain.block(&hash)? {
            Some(block) if with_set => settled_checkpoint(chain, hash, &block.header)?,
            _ => Some(SettledCheckpoint { height, block_hash: hash, set: Arc::new(GuardianSet::default()) }),
        };
        settled.extend(found);
    }
    Ok(settled)
}
