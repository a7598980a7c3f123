//! What is known of each neighbour, bounded.

use super::subject::Topic;
use super::{MESSAGES_SLACK, PARKED_PER_PEER_MAX, PARKED_ROUNDS};
use crate::{Millis, Peer};
use std::collections::{BTreeMap, VecDeque};
use vigil_primitives::{AggregatedVotes, Height};

/// The neighbours that are connected.
pub(crate) type Peers = BTreeMap<Peer, Neighbour>;

/// A neighbour.
#[derive(Default)]
pub(crate) struct Neighbour {
    /// The ballot that the rest is about.
    topic: Topic,
    /// Aggregates that came.
    received: u64,
    /// It was heard in the round under way.
    pub(super) heard: bool,
    /// It has a quorum.
    pub(super) has_quorum: bool,
    /// It sent votes that do not hold, or a flood: nothing of it is looked at until the next ballot.
    pub(super) ignored: bool,
    /// Votes on another block that were looked at.
    pub(super) others: usize,
    /// Votes on another block that were taken from it to be judged: some, and some that were a quorum.
    pub(super) judged: [bool; 2],
    /// Version and round of the aggregate that was sent last.
    pub(super) sent: Option<(u64, u32)>,
    /// When a certificate was last sent in answer to old votes.
    answered: Option<Millis>,
    /// When a quorum that it claims for a reset was last taken to be judged.
    claimed: Option<Millis>,
    parked: VecDeque<(Millis, AggregatedVotes)>,
}

impl Neighbour {
    /// Forgets what was about an earlier ballot.
    pub(super) fn turn_to(&mut self, topic: Topic) {
        if self.topic != topic {
            let parked = std::mem::take(&mut self.parked);
            *self = Self { topic, parked, answered: self.answered, claimed: self.claimed, ..Self::default() };
        }
    }

    /// Counts an aggregate of the ballot under way. False if there were more than rounds.
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
        once_a_round(&mut self.answered, now, round)
    }

    /// True at most once a round: a quorum that it claims for a reset may be judged.
    pub(super) fn may_judge(&mut self, now: Millis, round: Millis) -> bool {
        once_a_round(&mut self.claimed, now, round)
    }
}

fn once_a_round(last: &mut Option<Millis>, now: Millis, round: Millis) -> bool {
    let due = last.is_none_or(|at| now >= at + round);
    if due {
        *last = Some(now);
    }
    due
}
