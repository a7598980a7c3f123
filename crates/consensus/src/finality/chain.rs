//! The settled checkpoints that matter, and the highest final one.

use super::{CHECKPOINTS_KEPT, SETS_KEPT, SettledCheckpoint};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Checkpoint, FinalityCert, GuardianSet, Hash, Height};

/// Settled blocks at checkpoint heights, by height.
#[derive(Default)]
pub(crate) struct Chain {
    settled: BTreeMap<Height, (Hash, Option<Arc<GuardianSet>>)>,
    finalized: Option<Arc<FinalityCert>>,
}

impl Chain {
    pub(super) fn new(finalized: Option<Arc<FinalityCert>>) -> Self {
        Self { settled: BTreeMap::new(), finalized }
    }

    /// Adds a checkpoint above all others. `voted` is the height of our last vote, which is remembered.
    pub(super) fn push(&mut self, settled: &SettledCheckpoint, voted: Option<Height>) {
        self.settled.insert(settled.height, (settled.block_hash, Some(Arc::clone(&settled.set))));
        let old_sets = self.settled.values_mut().rev().skip(SETS_KEPT);
        old_sets.for_each(|(_, set)| *set = None);
        while self.settled.len() > CHECKPOINTS_KEPT {
            let first = self.settled.keys().copied().find(|height| Some(*height) != voted);
            let Some(first) = first else { break };
            self.settled.remove(&first);
        }
    }

    /// The highest settled checkpoint; 0: none.
    pub(super) fn top(&self) -> Height {
        self.settled.keys().next_back().copied().unwrap_or(0)
    }

    /// The settled block at a checkpoint height, if it is remembered.
    pub(super) fn block_at(&self, height: Height) -> Option<Hash> {
        self.settled.get(&height).map(|(hash, _)| *hash)
    }

    /// The guardians of a settled checkpoint, if they are remembered.
    pub(super) fn set_at(&self, height: Height) -> Option<&Arc<GuardianSet>> {
        self.settled.get(&height)?.1.as_ref()
    }

    /// The highest checkpoint known to be final.
    pub(super) fn finalized(&self) -> Option<&Arc<FinalityCert>> {
        self.finalized.as_ref()
    }

    /// Its height; 0: none.
    pub(super) fn finalized_height(&self) -> Height {
        self.finalized.as_ref().map_or(0, |cert| cert.checkpoint.height)
    }

    /// Takes a certificate that holds. False if a higher one, or this one, is known.
    pub(super) fn finalize(&mut self, cert: &Arc<FinalityCert>) -> bool {
        let Checkpoint { height, .. } = cert.checkpoint;
        let news = height > self.finalized_height();
        if news {
            self.finalized = Some(Arc::clone(cert));
        }
        news
    }
}
