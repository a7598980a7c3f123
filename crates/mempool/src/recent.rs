//! A bounded memory of hashes.

use crate::Millis;
use std::collections::{HashMap, VecDeque};
use vigil_primitives::Hash;

/// Hashes with the time until which they are remembered; the oldest leave first.
#[derive(Debug)]
pub(crate) struct Recent {
    max: usize,
    until: HashMap<Hash, Millis>,
    order: VecDeque<(Millis, Hash)>,
}

impl Recent {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, until: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers a hash until `until`, which must not decrease from call to call.
    pub(crate) fn add(&mut self, hash: Hash, until: Millis) {
        self.until.insert(hash, until);
        self.order.push_back((until, hash));
        while self.order.len() > self.max {
            self.pop();
        }
    }

    pub(crate) fn contains(&self, hash: &Hash) -> bool {
        self.until.contains_key(hash)
    }

    pub(crate) fn remove(&mut self, hash: &Hash) {
        self.until.remove(hash);
    }

    /// Forgets what was remembered until `now` or less.
    pub(crate) fn expire(&mut self, now: Millis) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.pop();
        }
    }

    /// The oldest leaves, unless it was added again since.
    fn pop(&mut self) {
        if let Some((until, hash)) = self.order.pop_front()
            && self.until.get(&hash) == Some(&until)
        {
            self.until.remove(&hash);
        }
    }
}
