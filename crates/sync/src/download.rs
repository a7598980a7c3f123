//! The blocks of proven headers that are being fetched: consecutive ranges, each wanted, asked for, or held.

use crate::answer::Body;
use crate::{Ask, Millis, Peer};
use std::collections::{BTreeMap, VecDeque};
use vigil_primitives::Height;

/// To whom a question was put in vain, and when it may be put again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tries {
    pub(crate) peers: Vec<Peer>,
    pub(crate) after: Millis,
}

/// How far a range has come.
#[derive(Clone, Debug)]
pub(crate) enum Progress {
    /// To be asked for.
    Wanted(Tries),
    /// Asked for.
    Asked { id: u64, tries: Tries },
    /// Here, waiting to be delivered.
    Held { peer: Peer, blocks: VecDeque<Body> },
}

/// Heights `from..=to`, `from` being its key.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) to: Height,
    pub(crate) progress: Progress,
}

/// A request without answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) peer: Peer,
    pub(crate) ask: Ask,
    /// Height of the first thing asked for.
    pub(crate) from: Height,
    pub(crate) deadline: Millis,
}

/// Ranges in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Download(BTreeMap<Height, Range>);

impl Tries {
    /// `peer` has failed. After `retries` others the question pauses until `again`.
    pub(crate) fn failed(&mut self, peer: Peer, retries: usize, again: Millis) {
        self.peers.push(peer);
        if self.peers.len() > retries {
            *self = Self { peers: Vec::new(), after: again };
        }
    }
}

impl Range {
    pub(crate) fn wanted(to: Height) -> Self {
        Self { to, progress: Progress::Wanted(Tries::default()) }
    }
}

impl Download {
    pub(crate) fn insert(&mut self, from: Height, range: Range) {
        self.0.insert(from, range);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Ranges that wait to be asked for at `now`, ascending.
    pub(crate) fn wanted(&self, now: Millis) -> impl Iterator<Item = (Height, Height, &Tries)> {
        self.0.iter().filter_map(move |(from, range)| match &range.progress {
            Progress::Wanted(tries) if tries.after <= now => Some((*from, range.to, tries)),
            _ => None,
        })
    }

    /// Marks the range at `from` as asked for.
    pub(crate) fn asked(&mut self, from: Height, id: u64) {
        if let Some(Range { progress, .. }) = self.0.get_mut(&from)
            && let Progress::Wanted(tries) = progress
        {
            *progress = Progress::Asked { id, tries: std::mem::take(tries) };
        }
    }

    /// True if the range at `from` still waits for the answer `id`.
    pub(crate) fn waits_for(&self, from: Height, id: u64) -> bool {
        let asked = |range: &Range| matches!(range.progress, Progress::Asked { id: asked, .. } if asked == id);
        self.0.get(&from).is_some_and(asked)
    }

    /// The question for the range at `from` has come to nothing; `note` says why.
    pub(crate) fn want_again(&mut self, from: Height, note: impl FnOnce(&mut Tries)) {
        if let Some(Range { progress, .. }) = self.0.get_mut(&from)
            && let Progress::Asked { tries, .. } = progress
        {
            note(tries);
            *progress = Progress::Wanted(std::mem::take(tries));
        }
    }

    /// Keeps blocks of the range at `from`, which are its first; the rest is wanted again.
    pub(crate) fn hold(&mut self, from: Height, peer: Peer, blocks: VecDeque<Body>) {
        let Some(asked) = self.0.remove(&from) else { return };
        let next = from + blocks.len() as Height;
        self.0.insert(from, Range { to: next - 1, progress: Progress::Held { peer, blocks } });
        if next <= asked.to {
            self.0.insert(next, Range::wanted(asked.to));
        }
    }

    /// Takes the block of height `next`, if it is held.
    pub(crate) fn take(&mut self, next: Height) -> Option<(Peer, Body)> {
        let mut first = self.0.first_entry()?;
        let Progress::Held { peer, blocks } = &mut first.get_mut().progress else { return None };
        if blocks.front()?.block.header.height != next {
            return None;
        }
        let taken = (*peer, blocks.pop_front()?);
        if blocks.is_empty() {
            first.remove();
        }
        Some(taken)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let held = self.0.values().filter_map(|range| match &range.progress {
            Progress::Held { blocks, .. } => Some(blocks.iter().map(|body| body.bytes).sum::<usize>()),
            _ => None,
        });
        held.sum()
    }

    /// First height above all ranges, if there are any.
    pub(crate) fn end(&self) -> Option<Height> {
        self.0.last_key_value().map(|(_, range)| range.to + 1)
    }

    /// Drops what lies at or below `height`. A range that is asked for stays whole: its answer is cut when it comes.
    pub(crate) fn drop_through(&mut self, height: Height) {
        while let Some(first) = self.0.first_entry().filter(|first| first.get().to <= height) {
            first.remove();
        }
        let Some((from, mut range)) = self.0.pop_first() else { return };
        if from > height || matches!(range.progress, Progress::Asked { .. }) {
            self.0.insert(from, range);
            return;
        }
        if let Progress::Held { blocks, .. } = &mut range.progress {
            blocks.retain(|body| body.block.header.height > height);
        }
        self.0.insert(height + 1, range);
    }
}
