//! Which items of a batch may be bad.

use super::Items;
use super::batch::Batch;
use super::msm::{Rest, Summing};
use crate::field::Packed;
use crate::secp::generator::Generator;
use crate::secp::machine::Machine;

/// Failed ranges of at most so many items are not halved any more.
const BLOCK: usize = 64;
/// To guess how many items are bad, so many ranges, each such a part of the batch, are summed first.
const SAMPLES: usize = 4;
const SAMPLE_PART: usize = 32;
/// If more of them do not hold, halving would cost about what it saves.
const SAMPLES_BAD: usize = 1;
/// In smaller batches there is no guess: ranges would be small, and small sums are dear.
const SAMPLED_MIN: usize = 4096;

/// The search of one batch.
pub(super) struct Search<'a, M> {
    machine: M,
    generator: &'a Generator,
    batch: &'a Batch,
    summing: &'a mut Summing,
    doubtful: Vec<Items>,
    /// Items that may still be summed: when they are used up, what is left is doubtful.
    budget: usize,
}

impl<'a, M: Machine> Search<'a, M> {
    pub(super) fn new(machine: M, generator: &'a Generator, batch: &'a Batch, summing: &'a mut Summing) -> Self {
        Self { machine, generator, batch, summing, doubtful: Vec::new(), budget: batch.items.len() }
    }

    /// Ranges that together hold every bad item.
    pub(super) fn doubtful(mut self) -> Vec<Items> {
        let all = 0..self.batch.items.len();
        match self.sum(&all) {
            Some(sum) if self.is_zero(&sum) => {}
            Some(sum) if self.few_are_bad() => self.descend(all, sum),
            _ => self.doubtful.push(all),
        }
        self.doubtful
    }

    /// A guess.
    fn few_are_bad(&mut self) -> bool {
        let items = self.batch.items.len();
        if items < SAMPLED_MIN {
            return true;
        }
        let mut bad = 0;
        for sample in 0..SAMPLES {
            let first = sample * (items / SAMPLES);
            let sum = self.sum(&(first..first + items / SAMPLE_PART));
            bad += usize::from(sum.is_none_or(|sum| !self.is_zero(&sum)));
        }
        bad <= SAMPLES_BAD
    }

    /// Halves a range whose sum is not 0.
    fn descend(&mut self, items: Items, sum: Packed) {
        let middle = items.start.midpoint(items.end);
        let (left, right) = (items.start..middle, middle..items.end);
        if items.len() <= BLOCK || left.len() > self.budget {
            self.doubtful.push(items);
            return;
        }
        self.budget -= left.len();
        match self.sum(&left) {
            Some(left_sum) if self.is_zero(&left_sum) => self.descend(right, sum),
            Some(left_sum) if left_sum == sum => self.descend(left, sum),
            Some(left_sum) => match self.rest(&sum, &left_sum) {
                Some(right_sum) => {
                    self.descend(left, left_sum);
                    self.descend(right, right_sum);
                }
                None => self.doubtful.push(items),
            },
            None => self.doubtful.push(items),
        }
    }

    /// The sum of the equations, plus the generator's start (so that it is a finite point if all hold). `None` if it met
    /// points that the formulas cannot add.
    fn sum(&mut self, items: &Items) -> Option<Packed> {
        self.summing.sum(self.machine, self.generator, self.batch, items.clone())
    }

    fn is_zero(&self, sum: &Packed) -> bool {
        *sum == self.generator.start_point
    }

    /// Of the right half, from the sum of both and that of the left.
    fn rest(&self, both: &Packed, left: &Packed) -> Option<Packed> {
        self.machine.call(Rest { both, left, start: &self.generator.start_point })
    }
}
