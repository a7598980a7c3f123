//! Tables of hot keys in a card's memory: those of the CPU's cache, as they are used.

use super::card::{Buffer, Card, Fault};
use super::start::words_of_points;
use crate::comb::Comb;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Most memory of tables, and most of a card's memory.
const BYTES_MAX: u64 = 2 << 30;
const SHARE_OF_MEMORY: u64 = 8;
/// Where the card does not tell how much it has.
const USUAL_BYTES: u64 = 128 << 20;

/// Which tables lie where. Place [`super::canaries::TABLE`] is the canaries'.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) buffer: Arc<Buffer>,
    places: Vec<Place>,
    by_comb: HashMap<usize, u32>,
    clock: u64,
}

#[derive(Debug, Default)]
struct Place {
    /// Of the table's comb: nobody holds it once the CPU's cache has dropped it.
    comb: Weak<()>,
    used: u64,
}

/// Tables that must be copied to the card, and their places.
pub(crate) type Uploads = Vec<(u32, Vec<u32>)>;

impl Tables {
    /// Room on a card; the canaries' table is not there yet.
    pub(crate) fn new(card: &Arc<dyn Card>) -> Result<Self, Fault> {
        let info = card.info();
        let share = info.memory_bytes.map_or(USUAL_BYTES, |bytes| bytes / SHARE_OF_MEMORY);
        let bytes = share.min(BYTES_MAX).min(info.buffer_bytes_max);
        let count = (usize::try_from(bytes).unwrap_or(usize::MAX) / Comb::BYTES).max(2);
        let buffer = Arc::new(Buffer::new(card, count * Comb::BYTES / 4)?);
        Ok(Self { buffer, places: (0..count).map(|_| Place::default()).collect(), by_comb: HashMap::new(), clock: 0 })
    }

    /// How many different ones a batch may have.
    pub(crate) fn room(&self) -> usize {
        self.places.len() - 1
    }

    /// The places of some tables, for a batch, and what must be copied there first. Tables that the CPU's cache dropped make
    /// room, then those used longest ago.
    ///
    /// # Panics
    /// If these are more than [`Tables::room`] different tables.
    pub(crate) fn place(&mut self, combs: &[&Comb]) -> (Vec<u32>, Uploads) {
        self.clock += 1;
        let mut uploads = Uploads::new();
        let mut of_each = Vec::with_capacity(combs.len());
        for comb in combs {
            let place = match self.by_comb.get(&comb.identity()) {
                Some(place) => *place,
                None => {
                    let place = self.free_place();
                    self.take(place, comb);
                    uploads.push((place, words_of_points(comb.points())));
                    place
                }
            };
            self.places[place as usize].used = self.clock;
            of_each.push(place);
        }
        (of_each, uploads)
    }

    /// Nothing is there: what was to be copied may not have been.
    pub(crate) fn forget(&mut self) {
        self.by_comb.clear();
        self.places.iter_mut().for_each(|place| *place = Place::default());
    }

    /// Never the canaries', nor one that this batch uses.
    fn free_place(&self) -> u32 {
        let places = self.places.iter().enumerate().skip(1).filter(|(_, place)| place.used < self.clock);
        let oldest = places.min_by_key(|(_, place)| (place.comb.strong_count() > 0, place.used));
        let (at, _) = oldest.expect("no more tables than there is room");
        u32::try_from(at).expect("few places")
    }

    fn take(&mut self, place: u32, comb: &Comb) {
        let of = &mut self.places[place as usize];
        self.by_comb.remove(&(of.comb.as_ptr() as usize));
        of.comb = comb.alive();
        self.by_comb.insert(comb.identity(), place);
    }
}
