//! Whose turn it is: smooth weighted round robin (`spec/consensus.md` §1.2 REC).

use crate::{SCHEDULE_STEPS_MAX, ValidatorSet};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::collections::VecDeque;
use vigil_primitives::{Address, Epoch};

/// The turns of one validator set.
///
/// The proposer of epoch `t` is the pick of step `t - e0`, where step 0 is the first. With equal stakes that is member
/// `(t - e0) mod m`. It can only be stepped, so it keeps a checkpoint and the picks made from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Epoch of the first pick in `picks`.
    base: Epoch,
    /// Priorities before the pick of `base`.
    at_base: Vec<i128>,
    /// Members picked for `base`, `base + 1`, ...
    picks: VecDeque<u8>,
    /// Priorities after the last of `picks`.
    at_end: Vec<i128>,
}

impl Schedule {
    /// The schedule of a set that was made by a block of epoch `e0` (genesis: 0).
    pub fn new(set: &ValidatorSet, e0: Epoch) -> Self {
        Self::from_checkpoint(e0, vec![0; set.members().len()])
    }

    fn from_checkpoint(base: Epoch, priorities: Vec<i128>) -> Self {
        Self { base, at_base: priorities.clone(), picks: VecDeque::new(), at_end: priorities }
    }

    /// The proposer of `epoch`. `None` before the checkpoint or more than [`SCHEDULE_STEPS_MAX`] after it.
    pub fn proposer(&mut self, set: &ValidatorSet, epoch: Epoch) -> Option<Address> {
        let steps = epoch.checked_sub(self.base).filter(|steps| *steps < SCHEDULE_STEPS_MAX)?;
        let steps = usize::try_from(steps).ok()?;
        while self.picks.len() <= steps {
            let pick = step(set, &mut self.at_end);
            self.picks.push_back(pick);
        }
        Some(set.members()[usize::from(self.picks[steps])].address)
    }

    /// Forgets the turns before `epoch` (as far as they have been computed).
    pub fn advance(&mut self, set: &ValidatorSet, epoch: Epoch) {
        while self.base < epoch && self.picks.pop_front().is_some() {
            step(set, &mut self.at_base);
            self.base += 1;
        }
    }

    /// What a restart needs: the checkpoint.
    pub(crate) fn checkpoint(&self) -> ScheduleCheckpoint {
        ScheduleCheckpoint { epoch: self.base, priorities: self.at_base.iter().map(|p| zigzag(*p)).collect() }
    }
}

/// A checkpoint of a [`Schedule`].
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct ScheduleCheckpoint {
    epoch: Epoch,
    priorities: Vec<u128>,
}

impl ScheduleCheckpoint {
    /// The schedule, if the checkpoint fits the set.
    pub(crate) fn restore(&self, set: &ValidatorSet) -> Option<Schedule> {
        let priorities: Vec<i128> = self.priorities.iter().map(|p| unzigzag(*p)).collect();
        (priorities.len() == set.members().len()).then(|| Schedule::from_checkpoint(self.epoch, priorities))
    }
}

/// Each gains its stake; the largest is picked (ties: the lowest address) and pays the total.
fn step(set: &ValidatorSet, priorities: &mut [i128]) -> u8 {
    let mut best = 0;
    for (i, member) in set.members().iter().enumerate() {
        priorities[i] += member.stake as i128;
        if priorities[i] > priorities[best] {
            best = i;
        }
    }
    priorities[best] -= set.total() as i128;
    best as u8
}

/// 0, -1, 1, -2, 2, ... as 0, 1, 2, 3, 4, ...; RLP has no negative numbers.
fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

fn unzigzag(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}
