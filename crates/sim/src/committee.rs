//! Committees and whose turn it is: the simulator's own reading of `spec/consensus.md` §1.2, kept apart from the machine's.

use std::sync::Arc;
use vigil_primitives::{Address, Epoch};

/// A validator of a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Number of its node.
    pub node: usize,
    /// Its address.
    pub address: Address,
    /// Its stake.
    pub weight: u64,
}

/// Validators by address ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee(Arc<[Member]>);

impl Committee {
    /// Sorts the members by address.
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by_key(|member| member.address);
        Self(members.into())
    }

    /// The members, by address ascending.
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Weight of all.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|member| member.weight).sum()
    }

    /// Weight of an address; 0 for a non-member.
    pub fn weight_of(&self, address: &Address) -> u64 {
        self.0.binary_search_by_key(address, |member| member.address).map_or(0, |at| self.0[at].weight)
    }

    /// Weight of some nodes.
    pub fn weight_of_nodes(&self, nodes: &[usize]) -> u64 {
        self.0.iter().filter(|member| nodes.contains(&member.node)).map(|member| member.weight).sum()
    }

    /// Strictly more than two thirds.
    pub fn is_quorum(&self, weight: u64) -> bool {
        3 * weight > 2 * self.total()
    }

    /// True if these nodes are too few to break the rules' promises: strictly less than a third.
    pub fn tolerates(&self, nodes: &[usize]) -> bool {
        3 * self.weight_of_nodes(nodes) < self.total()
    }
}

/// Smooth weighted round robin, stepped from the epoch of the block that made the committee.
#[derive(Clone, Debug)]
pub struct Rotation {
    start: Epoch,
    committee: Committee,
    priorities: Vec<i64>,
    picks: Vec<usize>,
}

/// Epochs a rotation is willing to step ahead (a liar may name any epoch).
const STEPS_MAX: u64 = 100_000;

impl Rotation {
    /// All priorities 0 at `start`.
    pub fn new(committee: Committee, start: Epoch) -> Self {
        let priorities = vec![0; committee.members().len()];
        Self { start, committee, priorities, picks: Vec::new() }
    }

    /// Whose turn `epoch` is: with equal stakes that of member `(epoch - start) mod m`. `None`: before the start, or
    /// absurdly far.
    pub fn proposer(&mut self, epoch: Epoch) -> Option<&Member> {
        let step = epoch.checked_sub(self.start).filter(|step| *step < STEPS_MAX)? as usize;
        while self.picks.len() <= step {
            self.advance();
        }
        Some(&self.committee.members()[self.picks[step]])
    }

    fn advance(&mut self) {
        let members = self.committee.members();
        for (priority, member) in self.priorities.iter_mut().zip(members) {
            *priority += member.weight as i64;
        }
        // the first of the largest: members are by address ascending
        let mut best = 0;
        for (i, priority) in self.priorities.iter().enumerate() {
            if *priority > self.priorities[best] {
                best = i;
            }
        }
        self.priorities[best] -= self.committee.total() as i64;
        self.picks.push(best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committee(weights: &[u64]) -> Committee {
        let member = |(node, weight): (usize, &u64)| Member {
            node,
            address: Address::repeat_byte(node as u8 + 1),
            weight: *weight,
        };
        Committee::new(weights.iter().enumerate().map(member).collect())
    }

    #[test]
    fn equal_weights_take_turns() {
        let mut rotation = Rotation::new(committee(&[1, 1, 1]), 4);
        let turns: Vec<_> = (4..10).map(|epoch| rotation.proposer(epoch).unwrap().node).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
        assert!(rotation.proposer(3).is_none() && rotation.proposer(u64::MAX).is_none());
    }

    #[test]
    fn turns_are_in_proportion_to_weight() {
        let mut rotation = Rotation::new(committee(&[5, 1, 1]), 0);
        let turns: Vec<_> = (0..7).map(|epoch| rotation.proposer(epoch).unwrap().node).collect();
        assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn thresholds_are_strict() {
        let three = committee(&[1, 1, 1]);
        assert!(!three.is_quorum(2) && three.is_quorum(3));
        assert!(!three.tolerates(&[0]) && committee(&[1, 1, 1, 1]).tolerates(&[0]));
    }
}
