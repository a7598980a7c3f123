//! Who contradicts itself in a heap of votes: what an operator has to show for a reset (`spec/consensus.md` §3.4, §A.1).

use std::collections::BTreeMap;
use vigil_primitives::{Address, Evidence, Vote, VoteBody};

/// One piece of evidence against each voter that said two things of a height ([`Vote::body`]) or voted around another of
/// its votes. Whoever collects the votes of two chains that were both settled finds more than a third of the weight (I14).
/// Signatures are not looked at: give votes that are good.
pub fn offences<'a>(votes: impl IntoIterator<Item = &'a Vote>) -> Vec<Evidence> {
    let mut voters: BTreeMap<Address, BTreeMap<VoteBody, &Vote>> = BTreeMap::new();
    for vote in votes {
        voters.entry(vote.voter).or_default().entry(vote.body()).or_insert(vote);
    }
    voters.values().filter_map(|votes| double(votes).or_else(|| surround(votes))).collect()
}

fn double(votes: &BTreeMap<VoteBody, &Vote>) -> Option<Evidence> {
    let pairs = votes.values().zip(votes.values().skip(1));
    let (a, b) = pairs.into_iter().find(|(a, b)| a.height == b.height)?;
    Some(Evidence::DoubleVote((*a).clone(), (*b).clone()))
}

/// From the highest vote down; the vote above with the lowest source is the one that may surround.
fn surround(votes: &BTreeMap<VoteBody, &Vote>) -> Option<Evidence> {
    let mut widest: Option<&Vote> = None;
    for vote in votes.values().rev() {
        match widest {
            Some(above) if above.surrounds(vote) => {
                return Some(Evidence::SurroundVote(above.clone(), (*vote).clone()));
            }
            Some(above) if above.source_rank() <= vote.source_rank() => {}
            _ => widest = Some(vote),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{Hash, Height, SignDomain, Signature};

    fn vote(voter: u8, height: Height, block: u8, source: Height) -> Vote {
        Vote {
            height,
            block_hash: Hash::repeat_byte(block),
            block_epoch: height,
            source_set: 0,
            source_height: source,
            source_hash: Hash::repeat_byte(source as u8),
            voter: Address::repeat_byte(voter),
            signature: Signature::none(),
        }
    }

    #[test]
    fn only_who_contradicts_itself_is_accused() {
        let honest = [vote(1, 1, 1, 0), vote(1, 2, 2, 1), vote(1, 4, 4, 1), vote(1, 5, 5, 4)];
        let twice = [vote(2, 3, 1, 2), vote(2, 3, 2, 1), vote(2, 3, 1, 2)];
        // For one block over two sources: each alone contradicts nothing.
        let lie = [vote(6, 5, 5, 4), vote(6, 7, 6, 1), vote(6, 7, 6, 5)];
        let around = [vote(3, 9, 1, 2), vote(3, 5, 2, 3), vote(3, 4, 3, 2), vote(3, 3, 4, 1)];
        // The old set's source is higher; that of the new set ranks above it.
        let handover = [vote(4, 5, 1, 4), Vote { source_set: 1, ..vote(4, 6, 2, 3) }];
        let back = [Vote { source_set: 1, ..vote(5, 5, 1, 3) }, vote(5, 6, 2, 4)];
        let all: Vec<&Vote> =
            honest.iter().chain(&twice).chain(&around).chain(&handover).chain(&back).chain(&lie).collect();
        let found = offences(all);
        let wanted = [
            Evidence::DoubleVote(twice[0].clone(), twice[1].clone()),
            Evidence::SurroundVote(around[0].clone(), around[1].clone()),
            Evidence::SurroundVote(back[1].clone(), back[0].clone()),
            Evidence::DoubleVote(lie[1].clone(), lie[2].clone()),
        ];
        assert_eq!(found, wanted);
        let domain = SignDomain { chain_id: "a".into(), genesis_hash: Hash::ZERO };
        assert!(found.iter().all(|evidence| evidence.check_contradiction(&domain).is_ok()));
        assert_eq!(offences(&honest), []);
    }
}
