//! Whom a guardian takes as its neighbours (`spec/consensus.md` §2.2, §8: about 20, not all).

use super::neighbours::Place;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::Address;

/// Of those that a guardian looks for so many may be of its own process: the others keep processes connected.
const OWN_MAX: usize = NEIGHBOURS / 4;

/// Chooses up to `wanted` of the `open`, always of the place that has the fewest neighbours so far (`have`), so that no
/// place has more than its share where others have somebody to offer.
pub(super) fn choose(
    open: BTreeMap<Place, Vec<Address>>,
    wanted: usize,
    mut have: BTreeMap<Place, usize>,
    rng: &mut impl rand::Rng,
) -> Vec<(Place, Address)> {
    let mut places: Vec<(Place, Vec<Address>)> = open.into_iter().collect();
    places.shuffle(rng);
    for (place, who) in &mut places {
        who.shuffle(rng);
        if *place == Place::Here {
            who.truncate(OWN_MAX.saturating_sub(have.get(place).copied().unwrap_or(0)));
        }
    }
    let next = || {
        let count = |place: &Place| have.get(place).copied().unwrap_or(0);
        let (place, who) = places.iter_mut().filter(|(_, who)| !who.is_empty()).min_by_key(|(p, _)| count(p))?;
        *have.entry(*place).or_default() += 1;
        Some((*place, who.pop()?))
    };
    std::iter::from_fn(next).take(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use vigil_net::Peer;

    fn known(hosts: &[(Place, usize)]) -> BTreeMap<Place, Vec<Address>> {
        let who = |host: usize, n: usize| (0..n).map(|i| Address::left_padding_from(&[host as u8, i as u8])).collect();
        hosts.iter().enumerate().map(|(host, (place, n))| (*place, who(host, *n))).collect()
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
            let chosen = choose(known.clone(), 20, BTreeMap::new(), &mut rng);
            let counts = counts(&chosen);
            assert_eq!(chosen.len(), 20);
            assert_eq!((counts[&Place::Here], counts[&there(3)]), (OWN_MAX, 2));
            assert!(counts[&there(1)].abs_diff(counts[&there(2)]) <= 1, "{counts:?}");
            let different: std::collections::BTreeSet<_> = chosen.iter().collect();
            assert_eq!(different.len(), chosen.len());
        }
        let have = BTreeMap::from([(Place::Here, OWN_MAX), (there(1), 7)]);
        let counts = counts(&choose(known, 8, have, &mut rng));
        assert_eq!((counts.get(&Place::Here), counts.get(&there(1))), (None, None), "they have their share");
        assert_eq!((counts[&there(2)], counts[&there(3)]), (6, 2));
    }

    #[test]
    fn few_are_enough() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let three = known(&[(Place::There(Peer(1)), 3)]);
        assert_eq!(choose(three, 20, BTreeMap::new(), &mut rng).len(), 3);
        assert_eq!(choose(BTreeMap::new(), 20, BTreeMap::new(), &mut rng), []);
    }
}
