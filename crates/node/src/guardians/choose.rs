//! Whom a guardian takes as its neighbours (`spec/consensus.md` §2.2, §8: about 20, not all).

use super::neighbours::Place;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use vigil_primitives::Address;

/// Those who may be chosen at one place.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    /// Where.
    pub(super) place: Place,
    /// Who is there.
    pub(super) who: &'a [Address],
    /// So many of them at most.
    pub(super) most: usize,
}

impl Choice<'_> {
    /// Somebody of whom `is_open` holds. The list is walked from a position drawn by lot: while most are open, what that
    /// costs does not grow with its length.
    fn draw(&mut self, is_open: impl Fn(&Address) -> bool, rng: &mut impl rand::Rng) -> Option<Address> {
        if self.most == 0 || self.who.is_empty() {
            return None;
        }
        self.most -= 1;
        let (before, first) = self.who.split_at(rng.random_range(0..self.who.len()));
        first.iter().chain(before).find(|who| is_open(who)).copied()
    }
}

/// Chooses up to `wanted` of those that are open, always of the place that has the fewest neighbours so far (`have`), so
/// that no place has more than its share where others have somebody to offer.
pub(super) fn choose(
    mut from: Vec<Choice<'_>>,
    wanted: usize,
    mut have: BTreeMap<Place, usize>,
    is_open: impl Fn(Place, &Address) -> bool,
    rng: &mut impl rand::Rng,
) -> Vec<(Place, Address)> {
    from.shuffle(rng);
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let count = |at: &usize| have.get(&from[*at].place).copied().unwrap_or(0);
        let Some(at) = (0..from.len()).min_by_key(count) else { break };
        let place = from[at].place;
        match from[at].draw(|who| is_open(place, who) && !chosen.contains(&(place, *who)), rng) {
            Some(who) => {
                *have.entry(place).or_default() += 1;
                chosen.push((place, who));
            }
            None => {
                from.swap_remove(at);
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::cell::Cell;
    use vigil_net::Peer;

    const OWN_MAX: usize = 5;

    fn known(hosts: &[(Place, usize)]) -> Vec<(Place, Vec<Address>)> {
        let who = |host: usize, n: usize| (0..n).map(|i| Address::left_padding_from(&[host as u8, i as u8])).collect();
        hosts.iter().enumerate().map(|(host, (place, n))| (*place, who(host, *n))).collect()
    }

    fn choices(known: &[(Place, Vec<Address>)]) -> Vec<Choice<'_>> {
        let most = |place: &Place| if *place == Place::Here { OWN_MAX } else { usize::MAX };
        known.iter().map(|(place, who)| Choice { place: *place, who, most: most(place) }).collect()
    }

    fn counts(chosen: &[(Place, Address)]) -> BTreeMap<Place, usize> {
        chosen.iter().fold(BTreeMap::new(), |mut counts, (place, _)| {
            *counts.entry(*place).or_default() += 1;
            counts
        })
    }

    #[test]
    fn hosts_are_taken_in_turn() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let there = |n| Place::There(Peer(n));
        let known = known(&[(Place::Here, 24), (there(1), 25), (there(2), 25), (there(3), 2)]);
        for _ in 0..50 {
            let chosen = choose(choices(&known), 20, BTreeMap::new(), |_, _| true, &mut rng);
            let counts = counts(&chosen);
            assert_eq!(chosen.len(), 20);
            assert_eq!((counts[&Place::Here], counts[&there(3)]), (OWN_MAX, 2));
            assert!(counts[&there(1)].abs_diff(counts[&there(2)]) <= 1, "{counts:?}");
            let different: std::collections::BTreeSet<_> = chosen.iter().collect();
            assert_eq!(different.len(), chosen.len());
        }
        let have = BTreeMap::from([(there(1), 7)]);
        let counts = counts(&choose(choices(&known[1..]), 8, have, |_, _| true, &mut rng));
        assert_eq!(counts.get(&there(1)), None, "it has its share");
        assert_eq!((counts[&there(2)], counts[&there(3)]), (6, 2));
    }

    #[test]
    fn few_are_enough() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let three = known(&[(Place::There(Peer(1)), 3)]);
        let chosen = |wanted, rng: &mut _| choose(choices(&three), wanted, BTreeMap::new(), |_, _| true, rng);
        assert_eq!(chosen(20, &mut rng).len(), 3);
        assert_eq!(choose(Vec::new(), 20, BTreeMap::new(), |_, _| true, &mut rng), []);
        let last = three[0].1[2];
        assert_eq!(
            choose(choices(&three), 9, BTreeMap::new(), |_, who| *who == last, &mut rng),
            [(three[0].0, last)],
            "found wherever the walk begins"
        );
    }

    #[test]
    fn a_thousand_names_are_not_read_to_find_one() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let known = known(&[(Place::There(Peer(1)), 256), (Place::There(Peer(2)), 256), (Place::There(Peer(3)), 256)]);
        let asked = Cell::new(0);
        let is_open = |_: Place, _: &Address| {
            asked.set(asked.get() + 1);
            true
        };
        assert_eq!(choose(choices(&known), 10, BTreeMap::new(), is_open, &mut rng).len(), 10);
        assert!(asked.get() <= 20, "{} of 768", asked.get());
    }
}
