//! What is known of each neighbour, bounded.

use super::{MESSAGES_SLACK, PARKED_PER_PEER_MAX, PARKED_ROUNDS};
use crate::{Millis, Peer};
use std::collections::{BTreeMap, VecDeque};
use vigil_primitives::{AggregatedVotes, Height};

/// The neighbours that are connected.
pub(crate) type Peers = BTreeMap<Peer, Neighbour>;

/// A neighbour.
#[derive(Default)]
pub(crate) struct Neighbour {
    /// The checkpoint that the rest is about.
    height: Height,
    /// Aggregates that came.
    received: u64,
    /// It was heard in the round under way.
    pub(super) heard: bool,
    /// It has a quorum.
    pub(super) has_quorum: bool,
    /// It sent votes that do not hold, or a flood: nothing of it is looked at until the next checkpoint.
    pub(super) ignored: bool,
    /// Votes on another block that were looked at.
    pub(super) others: usize,
    /// Votes on another block that were taken from it to be judged: some, and some that were a quorum.
    pub(super) judged: [bool; 2],
    /// Version and round of the aggregate that was sent last.
    pub(super) sent: Option<(u64, u32)>,
    /// When a certificate was last sent in answer to old votes.
    answered: Option<Millis>,
    parked: VecDeque<(Millis, AggregatedVotes)>,
}

impl Neighbour {
    /// Forgets what was about an earlier checkpoint.
    pub(super) fn turn_to(&mut self, height: Height) {
        if self.height != height {
            let parked = std::mem::take(&mut self.parked);
            *self = Self { height, parked, answered: self.answered, ..Self::default() };
        }
    }

    /// Counts an aggregate on the checkpoint under way. False if there were more than rounds.
    pub(super) fn count(&mut self, rounds: u64) -> bool {
        self.received += 1;
        self.received <= rounds + MESSAGES_SLACK
    }

    /// Keeps votes on a checkpoint that is not settled here yet: one a height, the latest heights.
    pub(super) fn park(&mut self, now: Millis, votes: AggregatedVotes) {
        self.parked.retain(|(_, old)| old.checkpoint.height != votes.checkpoint.height);
        if self.parked.len() == PARKED_PER_PEER_MAX {
            self.parked.pop_front();
        }
        self.parked.push_back((now, votes));
    }

    /// Takes out the parked votes up to a height that are not too old.
    pub(super) fn unpark(&mut self, height: Height, now: Millis, round: Millis) -> Vec<AggregatedVotes> {
        self.parked.retain(|(at, _)| now.saturating_sub(*at) <= PARKED_ROUNDS * round);
        let due = |(_, votes): &(Millis, AggregatedVotes)| votes.checkpoint.height <= height;
        let (due, rest) = std::mem::take(&mut self.parked).into_iter().partition(due);
        self.parked = rest;
        let due: VecDeque<(Millis, AggregatedVotes)> = due;
        due.into_iter().map(|(_, votes)| votes).collect()
    }

    /// Parked votes.
    pub(super) fn parked(&self) -> usize {
        self.parked.len()
    }

    /// True at most once a round: old votes may be answered with a certificate.
    pub(super) fn may_answer(&mut self, now: Millis, round: Millis) -> bool {
        let due = self.answered.is_none_or(|at| now >= at + round);
        if due {
            self.answered = Some(now);
        }
        due
    }
}
