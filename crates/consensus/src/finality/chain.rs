//! The settled checkpoints that matter, and the highest final one.

use super::{CHECKPOINTS_KEPT, SETS_KEPT, SettledCheckpoint};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Checkpoint, FinalityCert, GuardianSet, Hash, Height};

/// A settled block at a checkpoint height, and its guardians, of whom the hash alone stays of old ones.
struct Settled {
    block: Hash,
    set_hash: Hash,
    set: Option<Arc<GuardianSet>>,
}

impl Settled {
    fn new(block: Hash, set: &Arc<GuardianSet>) -> Self {
        Self { block, set_hash: set.hash(), set: Some(Arc::clone(set)) }
    }
}

/// Settled blocks at checkpoint heights, by height.
#[derive(Default)]
pub(crate) struct Chain {
    settled: BTreeMap<Height, Settled>,
    finalized: Option<Arc<FinalityCert>>,
    /// Where the last reset went on from: final, whether we have its certificate or not.
    base: Option<Checkpoint>,
}

impl Chain {
    pub(super) fn new(finalized: Option<Arc<FinalityCert>>, base: Option<Checkpoint>) -> Self {
        Self { settled: BTreeMap::new(), finalized, base }
    }

    /// Adds a checkpoint above all others. `voted` is the height of our last vote, which is remembered; so are
    /// what is final and what the last reset went on from, with their sets.
    pub(super) fn push(&mut self, settled: &SettledCheckpoint, voted: Option<Height>) {
        self.settled.insert(settled.height, Settled::new(settled.block_hash, &settled.set));
        let last_final = self.finalized_height();
        let base = self.base.map(|base| base.height);
        let is_old = |height: &Height| *height != last_final && Some(*height) != base;
        let old_sets = self.settled.iter_mut().rev().skip(SETS_KEPT).filter(|(height, _)| is_old(height));
        old_sets.for_each(|(_, old)| old.set = None);
        while self.settled.len() > CHECKPOINTS_KEPT {
            let first = self.settled.keys().copied().find(|height| Some(*height) != voted && is_old(height));
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
        self.settled.get(&height).map(|settled| settled.block)
    }

    /// The guardians of a settled checkpoint, if they are remembered.
    pub(super) fn set_at(&self, height: Height) -> Option<&Arc<GuardianSet>> {
        self.settled.get(&height)?.set.as_ref()
    }

    /// The guardians that a checkpoint names, if they are those of its height here. The block may be another than ours: who
    /// settled another one still knows whose word counts. Of an old checkpoint the set is remembered if a newer one has it, too.
    pub(super) fn set_of(&self, checkpoint: &Checkpoint) -> Option<&Arc<GuardianSet>> {
        let wanted = checkpoint.set_hash;
        let is_of_height = self.settled.get(&checkpoint.height)?.set_hash == wanted;
        let same = self.settled.values().filter(|settled| is_of_height && settled.set_hash == wanted);
        same.rev().find_map(|settled| settled.set.as_ref())
    }

    /// The certificate of the highest final checkpoint that we have one of.
    pub(super) fn finalized(&self) -> Option<&Arc<FinalityCert>> {
        self.finalized.as_ref()
    }

    /// The highest checkpoint known to be final.
    pub(super) fn final_checkpoint(&self) -> Option<&Checkpoint> {
        let certified = self.finalized.as_ref().map(|cert| &cert.checkpoint);
        certified.into_iter().chain(&self.base).max_by_key(|checkpoint| (checkpoint.height, checkpoint.resets))
    }

    /// Its height; 0: none.
    pub(super) fn finalized_height(&self) -> Height {
        self.final_checkpoint().map_or(0, |checkpoint| checkpoint.height)
    }

    /// A reset goes on from `base`, whose guardians are `set`: what was settled above is void. So is what is below, down to
    /// what we know to be final, if we had settled another block there.
    pub(super) fn restart_from(&mut self, base: &Checkpoint, set: &Arc<GuardianSet>) {
        let is_ours = base.height == 0 || self.block_at(base.height) == Some(base.block_hash);
        let agreed = if is_ours { base.height } else { self.finalized_height() };
        self.settled.retain(|height, _| *height <= agreed);
        if base.height > 0 {
            self.settled.insert(base.height, Settled::new(base.block_hash, set));
        }
        self.base = Some(*base);
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
