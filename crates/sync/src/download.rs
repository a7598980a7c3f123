//! The part of the chain that is being fetched: consecutive ranges, each wanted, asked for, or held.

use crate::answer::Chunk;
use crate::{Millis, Peer};
use std::collections::BTreeMap;
use vigil_primitives::Height;

/// How far a range has come.
#[derive(Clone, Debug)]
pub(crate) enum Progress {
    /// To be asked for, not before `after`, rather not of `tried`.
    Wanted { tried: Vec<Peer>, after: Millis },
    /// Asked for.
    Asked { id: u64, tried: Vec<Peer> },
    /// Here, waiting to be delivered.
    Held { peer: Peer, chunk: Chunk },
}

/// Heights `from..=to`, `from` being its key.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) to: Height,
    pub(crate) progress: Progress,
}

/// A request without answer yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) peer: Peer,
    pub(crate) from: Height,
    pub(crate) to: Height,
    pub(crate) deadline: Millis,
}

/// Ranges in order, and the questions that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Download {
    pub(crate) ranges: BTreeMap<Height, Range>,
    pub(crate) open: BTreeMap<u64, Question>,
    last_id: u64,
}

impl Download {
    pub(crate) fn wanted(tried: Vec<Peer>, after: Millis) -> Progress {
        Progress::Wanted { tried, after }
    }

    /// Numbers a new question and marks its range as asked for.
    pub(crate) fn ask(&mut self, question: Question) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        if let Some(range) = self.ranges.get_mut(&question.from) {
            let tried = match std::mem::replace(&mut range.progress, Self::wanted(Vec::new(), 0)) {
                Progress::Wanted { tried, .. } | Progress::Asked { tried, .. } => tried,
                Progress::Held { .. } => Vec::new(),
            };
            range.progress = Progress::Asked { id, tried };
        }
        self.open.insert(id, question);
        id
    }

    /// True if the range at `from` still waits for the answer `id`.
    pub(crate) fn waits_for(&self, from: Height, id: u64) -> bool {
        self.ranges
            .get(&from)
            .is_some_and(|range| matches!(range.progress, Progress::Asked { id: asked, .. } if asked == id))
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let held = self.ranges.values().filter_map(|range| match &range.progress {
            Progress::Held { chunk, .. } => Some(chunk.blocks.iter().map(|held| held.bytes).sum::<usize>()),
            _ => None,
        });
        held.sum()
    }

    /// First height above all ranges, if there are any.
    pub(crate) fn end(&self) -> Option<Height> {
        self.ranges.last_key_value().map(|(_, range)| range.to.saturating_add(1))
    }

    /// Drops what lies at or below `height`.
    pub(crate) fn drop_through(&mut self, height: Height) {
        while let Some(first) = self.ranges.first_entry() {
            if first.get().to > height {
                break;
            }
            first.remove();
        }
        let Some((from, range)) = self.ranges.first_key_value().map(|(from, range)| (*from, range.clone())) else {
            return;
        };
        if from > height {
            return;
        }
        // The first range is cut in two. One that is asked for stays whole: its answer is cut when it comes.
        if let Progress::Asked { .. } = range.progress {
            return;
        }
        let mut rest = range;
        if let Progress::Held { chunk, .. } = &mut rest.progress {
            chunk.blocks.retain(|held| held.block.header.height > height);
        }
        self.ranges.remove(&from);
        self.ranges.insert(height + 1, rest);
    }
}

impl Download {
    /// Drops ranges at the end that nobody has been asked for and that begin above `height`.
    pub(crate) fn drop_wanted_above(&mut self, height: Height) {
        while let Some(last) = self.ranges.last_entry() {
            if *last.key() <= height || !matches!(last.get().progress, Progress::Wanted { .. }) {
                break;
            }
            last.remove();
        }
    }

    /// True if some range waits to be asked for.
    pub(crate) fn has_wanted(&self) -> bool {
        self.ranges.values().any(|range| matches!(range.progress, Progress::Wanted { .. }))
    }
}
