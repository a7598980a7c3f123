//! Which items of a batch may be bad.
//!
//! Blocks of equations are summed. In one that does not hold, a second sum names the bad item if it is the only one; else
//! the block is cut into smaller ones. What a step costs is nearly the same for any number of bad items, and what it
//! leaves depends on how many there are: so the first blocks are as large as what is known of the batch before promises
//! them to hold, and the search stops where cutting does not pay.

use super::Items;
use super::batch::Batch;
use super::locate::{self, BadSums};
use super::msm::{Summing, Weights};
use crate::field::Packed;
use crate::secp::generator::Generator;
use crate::secp::machine::Machine;

/// Items of a block: of the first step, of the second and of the third. What the third leaves is decided one by one.
static SIZES: [usize; 3] = [super::BATCH_MAX, 128, 32];

/// Blocks with more bad items on average are not worth a sum: too many would not hold. (A sum of 32 costs about two
/// thirds of 32 decisions.)
const BAD_MAX: f64 = 0.33;

/// With more bad items in a block on average, most blocks that do not hold have several, and no second sum is made.
const NAMED_MAX: f64 = 1.0;

/// Blocks summed together: their lanes are full, and what is at work is in the caches.
const TOGETHER: usize = 32;

/// What a batch is searched with.
pub(super) struct Search<'a, M> {
    pub(super) machine: M,
    pub(super) generator: &'a Generator,
    pub(super) batch: &'a mut Batch,
    pub(super) summing: &'a mut Summing,
}

/// How a batch of so many items is searched if such a part of them is bad: the sizes of the blocks, none if it is not
/// worth a search. Of `few_keys`, each of many items, items are decided so fast that small blocks do not pay.
pub(super) fn steps(items: usize, bad_part: f64, few_keys: bool) -> &'static [usize] {
    let sizes = match &SIZES[..] {
        [all, ..] if few_keys => std::slice::from_ref(all),
        // All of them are one block of the second step.
        [_, smaller @ ..] if items <= smaller[0] => smaller,
        sizes => sizes,
    };
    let promising = |size: &usize| bad_part * items.min(*size) as f64 <= BAD_MAX;
    sizes.iter().position(promising).map_or(&[], |first| &sizes[first..])
}

impl<M: Machine> Search<'_, M> {
    /// Ranges that together hold every bad item.
    pub(super) fn doubtful(mut self, steps: &[usize]) -> Vec<Items> {
        self.search(self.batch.items.len(), steps, true)
    }

    /// Likewise, of the first so many items; `set_apart`: these are all, and claims of one nonce may be set apart.
    fn search(&mut self, items: usize, steps: &[usize], mut set_apart: bool) -> Vec<Items> {
        let mut named = Vec::new();
        let mut left: Vec<Items> = std::iter::once(0..items).collect();
        for (step, size) in steps.iter().enumerate() {
            let blocks: Vec<Items> = left.iter().flat_map(|items| cut(items, *size)).collect();
            let (bad, sums) = self.that_do_not_hold(&blocks);
            if set_apart && sums.contains(&None) {
                // Somebody signs with one nonce again and again: that is not to cost the others their sums.
                let others = self.batch.set_repeated_apart();
                if others < items {
                    let mut found = self.search(others, steps, false);
                    found.push(others..items);
                    return found;
                }
                set_apart = false;
            }
            let bad_part = bad_part(blocks.len(), bad.len(), *size);
            left = bad;
            if *size <= Weights::PLACES_MAX && bad_part * *size as f64 <= NAMED_MAX {
                let places = self.name(&left, &sums, *size);
                let at = |(items, place): (&Items, &Option<usize>)| place.map(|place| items.start + place);
                named.extend(left.iter().zip(&places).filter_map(at).map(|item| item..item + 1));
                left =
                    left.into_iter().zip(places).filter(|(_, place)| place.is_none()).map(|(items, _)| items).collect();
            }
            if left.is_empty() || steps.get(step + 1).is_some_and(|next| bad_part * *next as f64 > BAD_MAX) {
                break;
            }
        }
        named.extend(left);
        named
    }

    /// The blocks that do not hold, and their sums.
    fn that_do_not_hold(&mut self, blocks: &[Items]) -> (Vec<Items>, Vec<Option<Packed>>) {
        let sums = self.sums(blocks, Weights::One);
        let start = Some(self.generator.start_point);
        blocks.iter().cloned().zip(sums).filter(|(_, sum)| *sum != start).unzip()
    }

    fn sums(&mut self, blocks: &[Items], weights: Weights) -> Vec<Option<Packed>> {
        let Self { machine, generator, batch, summing } = self;
        let together = blocks.chunks(TOGETHER);
        together.flat_map(|blocks| summing.sums(*machine, generator, batch, blocks, weights)).collect()
    }

    /// The place of the only bad item of each block that does not hold, if so.
    fn name(&mut self, blocks: &[Items], sums: &[Option<Packed>], size: usize) -> Vec<Option<usize>> {
        let weighted = self.sums(blocks, Weights::Place);
        let of =
            |(once, weighted): (&Option<Packed>, Option<Packed>)| Some(BadSums { once: (*once)?, weighted: weighted? });
        let both: Vec<Option<BadSums>> = sums.iter().zip(weighted).map(of).collect();
        let known: Vec<BadSums> = both.iter().flatten().copied().collect();
        let mut places = locate::places(self.machine, &self.generator.start_point, &known, size).into_iter();
        both.iter().map(|sums| sums.as_ref().and_then(|_| places.next().flatten())).collect()
    }
}

fn cut(items: &Items, size: usize) -> impl Iterator<Item = Items> + use<> {
    let end = items.end;
    items.clone().step_by(size).map(move |start| start..end.min(start + size))
}

/// Which part of the items is bad if so many of all blocks do not hold. (As if one more held; a single block says nothing.)
fn bad_part(blocks: usize, bad: usize, size: usize) -> f64 {
    if blocks == 1 {
        return 0.0;
    }
    let holds = (blocks + 1 - bad) as f64 / (blocks + 1) as f64;
    -holds.ln() / size as f64
}
