//! Votes: a bounded memory of each voter's, ordered by block; faults show when a vote is added.

use crate::limits::VOTES_PER_VOTER;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use vigil_primitives::{Address, Epoch, Evidence, Hash, Height, Vote, VoteBody};

/// Votes whose signatures were checked.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    /// By ascending height.
    by_voter: BTreeMap<Address, VecDeque<Vote>>,
    by_block: BTreeMap<Hash, BTreeMap<(Address, VoteBody), Vote>>,
    reported: BTreeSet<(Address, Height, bool)>,
}

/// Votes of one voter, block and height that say different things.
const BODIES_MAX: usize = 2;

/// Faults are reported once a voter, height and kind; the memory of that is bounded.
const REPORTED_MAX: usize = 1024;

impl Tally {
    /// True if there is nothing to learn from a vote: what it says is remembered, or two other things that the voter said
    /// of this block and height. The first may be a lie that hides the true vote, so a second is listened to; two prove a
    /// fault, and a third counts as silence.
    pub(crate) fn contains(&self, vote: &Vote) -> bool {
        let Some(memory) = self.by_voter.get(&vote.voter) else { return false };
        let same_height = memory.range(memory.partition_point(|old| old.height < vote.height)..);
        let same_height = same_height.take_while(|old| old.height == vote.height);
        let mut same_block = same_height.filter(|old| old.block_hash == vote.block_hash);
        same_block.clone().count() >= BODIES_MAX || same_block.any(|old| old.body() == vote.body())
    }

    /// Looks at a vote unless there is nothing to learn from it. Returns the faults it proves. With `keep` it is remembered,
    /// unless there is no room and all that is remembered of the voter is higher: whoever repeats old votes, which are
    /// public, makes nobody forget the ones that count.
    pub(crate) fn add(&mut self, vote: &Vote, settled: Height, keep: bool) -> Vec<Evidence> {
        if self.contains(vote) {
            return Vec::new();
        }
        let memory = self.by_voter.get(&vote.voter).into_iter().flatten();
        let faults: Vec<Evidence> = memory.filter_map(|old| fault(old, vote)).collect();
        if keep {
            self.keep(vote, settled);
        }
        faults.into_iter().filter(|fault| self.report(fault)).collect()
    }

    fn keep(&mut self, vote: &Vote, settled: Height) {
        if vote.height > settled {
            let votes = self.by_block.entry(vote.block_hash).or_default();
            votes.insert((vote.voter, vote.body()), vote.clone());
        }
        let memory = self.by_voter.entry(vote.voter).or_default();
        memory.insert(memory.partition_point(|old| old.height <= vote.height), vote.clone());
        if memory.len() > VOTES_PER_VOTER
            && let Some(lowest) = memory.pop_front()
        {
            self.forget(&lowest);
        }
    }

    fn forget(&mut self, vote: &Vote) {
        if let Some(votes) = self.by_block.get_mut(&vote.block_hash) {
            votes.remove(&(vote.voter, vote.body()));
            if votes.is_empty() {
                self.by_block.remove(&vote.block_hash);
            }
        }
    }

    fn report(&mut self, fault: &Evidence) -> bool {
        let key = match fault {
            Evidence::DoubleVote(a, _) => (a.voter, a.height, false),
            Evidence::SurroundVote(a, _) => (a.voter, a.height, true),
            Evidence::DoubleProposal(..) | Evidence::SourceLie(..) | Evidence::GuardianDoubleVote(..) => return true,
        };
        if self.reported.len() >= REPORTED_MAX {
            self.reported.pop_first();
        }
        self.reported.insert(key)
    }

    /// Votes for a block, by voter. A liar may have more than one, each with a body of its own.
    pub(crate) fn votes(&self, block: &Hash) -> impl Iterator<Item = &Vote> {
        self.by_block.get(block).into_iter().flat_map(BTreeMap::values)
    }

    /// Blocks that have votes.
    pub(crate) fn blocks(&self) -> Vec<Hash> {
        self.by_block.keys().copied().collect()
    }

    /// The vote of the latest epoch.
    pub(crate) fn newest(&self, voter: &Address) -> Option<&Vote> {
        self.by_voter.get(voter).into_iter().flatten().max_by_key(|vote| vote.block_epoch)
    }

    /// The latest epoch a voter voted in.
    pub(crate) fn last_epoch(&self, voter: &Address) -> Epoch {
        self.newest(voter).map_or(0, |vote| vote.block_epoch)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_voter.values().map(VecDeque::len).sum()
    }

    /// Votes up to the settled height can certify nothing new; each voter's highest stay for evidence. Voters that are
    /// in no set any more are forgotten.
    pub(crate) fn prune(&mut self, settled: Height, is_member: impl Fn(&Address) -> bool) {
        self.by_block.retain(|_, votes| {
            votes.retain(|(voter, _), vote| vote.height > settled && is_member(voter));
            !votes.is_empty()
        });
        self.by_voter.retain(|voter, _| is_member(voter));
    }
}

fn fault(a: &Vote, b: &Vote) -> Option<Evidence> {
    if a.height == b.height && a.body() != b.body() {
        return Some(Evidence::DoubleVote(a.clone(), b.clone()));
    }
    if a.surrounds(b) {
        return Some(Evidence::SurroundVote(a.clone(), b.clone()));
    }
    b.surrounds(a).then(|| Evidence::SurroundVote(b.clone(), a.clone()))
}
