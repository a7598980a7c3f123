//! Whom a guardian takes as its neighbours (`spec/consensus.md` §2.2, §8: about 20, not all).

use super::neighbours::Place;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use vigil_consensus::finality::NEIGHBOURS;
use vigil_primitives::Address;

/// Of those that a guardian looks for so many may be of its own process: the others keep processes connected.
const OWN_MAX: usize = NEIGHBOURS / 4;

/// Chooses up to `wanted` of those who are known, taking hosts in turn, so that no host has more than its share where
/// others have somebody to offer. `own`: how many of our own process are neighbours already.
pub(crate) fn choose(
    known: &BTreeMap<Place, Vec<Address>>,
    wanted: usize,
    own: usize,
    rng: &mut impl rand::Rng,
) -> Vec<(Place, Address)> {
    let mut hosts: Vec<(Place, Vec<Address>)> = known.iter().map(|(place, who)| (*place, who.clone())).collect();
    hosts.shuffle(rng);
    for (place, who) in &mut hosts {
        who.shuffle(rng);
        if *place == Place::Here {
            who.truncate(OWN_MAX.saturating_sub(own));
        }
    }
    let mut chosen = Vec::new();
    while chosen.len() < wanted && hosts.iter().any(|(_, who)| !who.is_empty()) {
        for (place, who) in &mut hosts {
            if chosen.len() < wanted
                && let Some(next) = who.pop()
            {
                chosen.push((*place, next));
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardians::links::OUTGOING;
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
            let chosen = choose(&known, OUTGOING, 0, &mut rng);
            let counts = counts(&chosen);
            assert_eq!(chosen.len(), OUTGOING);
            assert_eq!((counts[&Place::Here], counts[&there(3)]), (OWN_MAX, 2));
            assert!(counts[&there(1)].abs_diff(counts[&there(2)]) <= 1, "{counts:?}");
            let different: std::collections::BTreeSet<_> = chosen.iter().collect();
            assert_eq!(different.len(), chosen.len());
        }
        assert_eq!(counts(&choose(&known, OUTGOING, OWN_MAX, &mut rng)).get(&Place::Here), None);
    }

    #[test]
    fn few_are_enough() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        assert_eq!(choose(&known(&[(Place::There(Peer(1)), 3)]), OUTGOING, 0, &mut rng).len(), 3);
        assert_eq!(choose(&BTreeMap::new(), OUTGOING, 0, &mut rng), []);
    }
}
