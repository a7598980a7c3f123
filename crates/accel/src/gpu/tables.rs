//! Which tables of hot keys lie where in a card's memory: those of the CPU's cache, as they are used.
//!
//! A batch borrows the places of its tables, which stay as they are until it gives them back; nothing is locked meanwhile. Tables
//! that are not there are copied in the background, a few at a time, for batches to come: a card verifies without a table in a
//! fraction of the time that copying one takes.

use super::card::{Buffer, Card, Fault};
use super::start::words_of_points;
use crate::comb::Comb;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Most memory of tables, and most of a card's memory.
const BYTES_MAX: u64 = 4 << 30;
const SHARE_OF_MEMORY: u64 = 8;
/// Where the card does not tell how much it has.
const USUAL_BYTES: u64 = 128 << 20;
/// The canaries' table and one other.
const COUNT_MIN: usize = 2;
/// Most tables that are copied at once. Each is waited for, behind what other lanes do, and all of them have the time of one job
/// ([`super::post`]): that is twenty times what waits.
const UPLOADS: usize = 16;
/// A table stays for so many batches after the last that used it, while the CPU's cache has it. So tables that do not all fit
/// do not push out each other all day.
const STAYS: u64 = 64;

/// The places.
#[derive(Debug)]
pub(crate) struct Tables {
    places: Vec<Place>,
    by_comb: HashMap<usize, u32>,
    /// Counts batches.
    clock: u64,
}

#[derive(Debug, Default)]
struct Place {
    /// Of the table's comb: nobody holds it once the CPU's cache has dropped it.
    comb: Weak<()>,
    /// When it was used last.
    used: u64,
    /// Claims under way that use it, and who copies a table there.
    users: u32,
    is_there: bool,
}

/// Shared by batches and by who copies.
pub(crate) type Shared = Arc<Mutex<Tables>>;

/// Room on a card for as many tables as it should have, in so many bytes at most beside the canaries'; half as many where there
/// is no room, and so on.
pub(crate) fn room(card: &Arc<dyn Card>, most: u64) -> Result<(Buffer, usize), Fault> {
    let info = card.info();
    let share = info.memory_bytes.map_or(USUAL_BYTES, |bytes| bytes / SHARE_OF_MEMORY);
    let bytes = share.min(BYTES_MAX).min(info.buffer_bytes_max).min(most.saturating_add(Comb::BYTES as u64));
    let mut count = (usize::try_from(bytes).unwrap_or(usize::MAX) / Comb::BYTES).max(COUNT_MIN);
    loop {
        match Buffer::new(card, count * Comb::BYTES / 4) {
            Err(Fault::OutOfMemory { .. }) if count > COUNT_MIN => count = (count / 2).max(COUNT_MIN),
            buffer => return Ok((buffer?, count)),
        }
    }
}

impl Tables {
    /// So many places, the first for the canaries' table.
    pub(crate) fn new(count: usize) -> Self {
        let mut places: Vec<Place> = (0..count).map(|_| Place::default()).collect();
        places[super::canaries::TABLE as usize].users = 1;
        Self { places, by_comb: HashMap::new(), clock: 0 }
    }

    /// How many places there are.
    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }

    /// Nothing is there; what is under way goes on.
    pub(crate) fn forget(&mut self) {
        self.by_comb.clear();
        for place in &mut self.places {
            (place.comb, place.is_there) = (Weak::new(), false);
        }
    }

    /// Places that are free: first those of tables that nobody has, then those used longest ago.
    fn free(&self) -> Vec<u32> {
        let mut free: Vec<(bool, u64, u32)> = (0..)
            .zip(&self.places)
            .map(|(at, place)| (place, (place.comb.strong_count() > 0, place.used, at)))
            .filter(|(place, (is_held, used, _))| place.users == 0 && (!is_held || used + STAYS < self.clock))
            .map(|(_, rank)| rank)
            .collect();
        free.sort_unstable();
        free.into_iter().map(|(_, _, at)| at).collect()
    }

    fn give(&mut self, place: u32, comb: &Comb) {
        let of = &mut self.places[place as usize];
        self.by_comb.remove(&(of.comb.as_ptr() as usize));
        *of = Place { comb: comb.alive(), used: self.clock, users: 1, is_there: false };
        self.by_comb.insert(comb.identity(), place);
    }

    /// A table was copied to its place, or could not be.
    fn came(&mut self, place: u32, comb: &Comb, is_there: bool) {
        let of = &mut self.places[place as usize];
        of.users -= 1;
        let is_its = self.by_comb.get(&comb.identity()) == Some(&place);
        of.is_there = is_there && is_its;
        if is_its && !is_there {
            self.by_comb.remove(&comb.identity());
            of.comb = Weak::new();
        }
    }
}

/// The tables of a batch.
pub(crate) struct Loan {
    tables: Shared,
    /// Of each claim: where its table is, if it is there.
    pub(crate) places: Vec<Option<u32>>,
}

impl Loan {
    /// Borrows what is there.
    pub(crate) fn of<'c>(tables: &Shared, combs: impl IntoIterator<Item = &'c Comb>) -> Self {
        let mut lent = lock(tables);
        lent.clock += 1;
        let clock = lent.clock;
        let Tables { places, by_comb, .. } = &mut *lent;
        let borrow = |comb: &Comb| {
            let at = *by_comb.get(&comb.identity())?;
            let place = &mut places[at as usize];
            place.used = clock;
            place.users += u32::from(place.is_there);
            place.is_there.then_some(at)
        };
        let places = combs.into_iter().map(borrow).collect();
        drop(lent);
        Self { tables: Arc::clone(tables), places }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut tables = lock(&self.tables);
        self.places.iter().flatten().for_each(|place| tables.places[*place as usize].users -= 1);
    }
}

/// Tables on their way to the card.
pub(crate) struct Upload {
    tables: Shared,
    newcomers: Vec<(u32, Comb)>,
    is_done: bool,
}

impl Upload {
    /// Of some of these, those that have no place and for which there is one; `None` if there are none.
    pub(crate) fn of<'c>(tables: &Shared, combs: impl IntoIterator<Item = &'c Comb>) -> Option<Self> {
        let mut places = lock(tables);
        let mut seen = HashSet::new();
        let is_new = |comb: &&Comb| !places.by_comb.contains_key(&comb.identity()) && seen.insert(comb.identity());
        let wanted: Vec<&Comb> = combs.into_iter().filter(is_new).take(UPLOADS).collect();
        if wanted.is_empty() {
            return None;
        }
        let pairs = places.free().into_iter().zip(wanted);
        let newcomers: Vec<(u32, Comb)> = pairs.map(|(place, comb)| (place, comb.clone())).collect();
        newcomers.iter().for_each(|(place, comb)| places.give(*place, comb));
        drop(places);
        (!newcomers.is_empty()).then(|| Self { tables: Arc::clone(tables), newcomers, is_done: false })
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.newcomers.len()
    }

    /// Their places and words.
    pub(crate) fn words(&self) -> impl Iterator<Item = (u32, Vec<u32>)> {
        self.newcomers.iter().map(|(place, comb)| (*place, words_of_points(comb.points())))
    }

    /// All are there.
    pub(crate) fn arrived(mut self) {
        self.is_done = true;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut tables = lock(&self.tables);
        self.newcomers.iter().for_each(|(place, comb)| tables.came(*place, comb, self.is_done));
    }
}

pub(crate) fn lock(tables: &Shared) -> MutexGuard<'_, Tables> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
