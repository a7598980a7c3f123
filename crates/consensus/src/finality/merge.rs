//! Which aggregates to add up (`spec/consensus.md` §2.4): greedy by new stake, entries never above 255.

use std::collections::BinaryHeap;
use std::sync::Arc;
use vigil_crypto::checkpoint::Aggregate;
use vigil_primitives::GuardianSet;

/// An aggregate, with who is in it.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) votes: Arc<Aggregate>,
    /// Guardian i in bit `i % 64` of word `i / 64`.
    support: Vec<u64>,
    /// What they weigh, in wei.
    pub(crate) weight: u128,
}

impl Tally {
    pub(crate) fn new(set: &GuardianSet, votes: Aggregate) -> Self {
        let words = votes.signers.chunks(64);
        let support = words.map(|word| word.iter().rev().fold(0, |bits, entry| bits << 1 | u64::from(*entry > 0)));
        let support: Vec<u64> = support.collect();
        let weight = Coverage::nobody(set).gain(&support);
        Self { votes: Arc::new(votes), support, weight }
    }

    /// What those weigh that are in it and not in `other`.
    pub(crate) fn gain_over(&self, set: &GuardianSet, other: Option<&Self>) -> u128 {
        match other {
            Some(other) => Coverage { set, support: other.support.clone() }.gain(&self.support),
            None => self.weight,
        }
    }
}

/// Who is in a sum.
struct Coverage<'a> {
    set: &'a GuardianSet,
    support: Vec<u64>,
}

impl<'a> Coverage<'a> {
    fn nobody(set: &'a GuardianSet) -> Self {
        Self { set, support: vec![0; set.len().div_ceil(64)] }
    }

    /// What those weigh that would be new.
    fn gain(&self, support: &[u64]) -> u128 {
        let members = self.set.members().chunks(64);
        let words = support.iter().zip(&self.support).map(|(theirs, ours)| theirs & !ours);
        words.zip(members).map(|(new, members)| bits(new).map(|bit| members[bit].weight).sum::<u128>()).sum()
    }

    fn add(&mut self, support: &[u64]) {
        self.support.iter_mut().zip(support).for_each(|(ours, theirs)| *ours |= theirs);
    }
}

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros() as usize;
        word &= word.checked_sub(1)?;
        Some(bit)
    })
}

/// What to add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Places in the list of items.
    pub(crate) chosen: Vec<usize>,
    /// Weight of the sum, in wei.
    pub(crate) weight: u128,
    /// Its largest entry.
    largest: u8,
}

/// The best of the sums that start from each of `bases`. Our own share, if there is one, comes next wherever it is
/// missing; then whatever adds most. One bad start (its entries near 255, say) so costs nothing.
pub(crate) fn best_plan(set: &GuardianSet, items: &[&Tally], share: Option<usize>, bases: &[usize]) -> Option<Plan> {
    let plans = bases.iter().map(|base| plan(set, items, share, *base));
    plans.reduce(|best, other| if other.is_better_than(&best) { other } else { best })
}

impl Plan {
    fn is_better_than(&self, other: &Self) -> bool {
        (self.weight, std::cmp::Reverse(self.largest)) > (other.weight, std::cmp::Reverse(other.largest))
    }
}

fn plan(set: &GuardianSet, items: &[&Tally], share: Option<usize>, base: usize) -> Plan {
    let mut sum = Sum { chosen: Vec::new(), entries: vec![0; set.len()], coverage: Coverage::nobody(set), weight: 0 };
    sum.try_add(items, base);
    if let Some(share) = share {
        sum.try_add(items, share);
    }
    // The gain of an item only falls while others are added, so an old gain is a bound: the item on top whose gain is
    // still what it was is the best.
    let mut queue: BinaryHeap<(u128, std::cmp::Reverse<usize>)> =
        items.iter().enumerate().map(|(i, item)| (item.weight, std::cmp::Reverse(i))).collect();
    while let Some((_, std::cmp::Reverse(i))) = queue.pop() {
        let gain = sum.coverage.gain(&items[i].support);
        let entry = (gain, std::cmp::Reverse(i));
        if gain == 0 {
            continue;
        }
        if queue.peek().is_some_and(|next| entry < *next) {
            queue.push(entry);
        } else {
            sum.try_add(items, i);
        }
    }
    let largest = sum.entries.iter().max().copied().unwrap_or(0);
    Plan { chosen: sum.chosen, weight: sum.weight, largest }
}

struct Sum<'a> {
    chosen: Vec<usize>,
    entries: Vec<u8>,
    coverage: Coverage<'a>,
    weight: u128,
}

impl Sum<'_> {
    /// Adds an item if it brings somebody new and no entry passes 255. Entries only grow: what does not fit never will.
    fn try_add(&mut self, items: &[&Tally], i: usize) {
        let gain = self.coverage.gain(&items[i].support);
        let signers = &items[i].votes.signers;
        if gain == 0 || self.entries.iter().zip(signers).any(|(a, b)| a.wrapping_add(*b) < *a) {
            return;
        }
        self.entries.iter_mut().zip(signers).for_each(|(sum, entry)| *sum += entry);
        self.coverage.add(&items[i].support);
        self.weight += gain;
        self.chosen.push(i);
    }
}
