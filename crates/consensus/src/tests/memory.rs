//! What is remembered of a voter: its highest votes, whatever others repeat and whatever it invents.

use super::bench::*;
use super::lies::changed;
use super::net::*;
use crate::*;
use vigil_primitives::*;

const ME: usize = 3;
/// Blocks of a chain with more votes than are remembered of a voter.
const LONG: u64 = VOTES_PER_VOTER as u64 + 6;

/// A chain of [`LONG`] certified blocks by height, all but the last settled; and a proposal above it.
fn long_chain(me: Option<usize>) -> (Bench, Vec<Hash>, Hash) {
    let mut bench = Bench::with(4, me, Rules::default(), Disk::default());
    let mut chain = vec![bench.genesis()];
    for epoch in 1..=LONG {
        let prev = chain[chain.len() - 1];
        let block = bench.block(epoch, prev, prev);
        bench.propose(&block);
        bench.certify(&block);
        chain.push(block);
    }
    assert_eq!(bench.machine.settled().0, LONG - 1);
    let next = bench.block(LONG + 1, chain[chain.len() - 1], chain[chain.len() - 1]);
    bench.propose(&next);
    (bench, chain, next)
}

/// Repeats the certificates of all settled blocks, which are public.
fn replay(bench: &mut Bench, chain: &[Hash]) {
    for old in &chain[1..chain.len() - 1] {
        let effects = bench.certify(old);
        assert_eq!((penalties(&effects), evidence(&effects)), (Vec::new(), Vec::new()));
    }
}

/// A vote of member 0 for an unknown block.
fn invented(bench: &Bench, like: &Hash, source_height: Height, height: Height) -> Vote {
    changed(&bench.vote(0, like), |vote| {
        (vote.height, vote.block_hash) = (height, Hash::from(U256::from(height)));
        (vote.block_epoch, vote.source_height) = (height + 2, source_height);
    })
}

#[test]
fn repeated_certificates_do_not_push_out_votes_that_count() {
    let (mut bench, chain, next) = long_chain(Some(ME));
    bench.give(Message::Vote(bench.vote(0, &next)));
    replay(&mut bench, &chain);
    assert!(bench.machine.cert(&next).is_none(), "ours and one other");
    bench.give(Message::Vote(bench.vote(1, &next)));
    assert!(bench.machine.cert(&next).is_some(), "three of four");
}

#[test]
fn repeated_certificates_hide_no_surround_vote() {
    let (mut bench, chain, next) = long_chain(None);
    bench.give(Message::Vote(bench.vote(0, &next)));
    replay(&mut bench, &chain);
    let around = invented(&bench, &next, LONG - 1, LONG + 3);
    assert!(matches!(evidence(&bench.give(Message::Vote(around)))[..], [Evidence::SurroundVote(..)]));
}

#[test]
fn votes_for_invented_blocks_hide_no_surround_vote() {
    let (mut bench, _, next) = long_chain(None);
    bench.give(Message::Vote(bench.vote(0, &next)));
    for height in LONG + 10..LONG + 10 + 2 * LONG {
        let lie = invented(&bench, &next, height - 1, height);
        assert_eq!(evidence(&bench.give(Message::Vote(lie))), [], "it contradicts nothing");
    }
    let around = invented(&bench, &next, LONG - 1, LONG + 3);
    let found = evidence(&bench.give(Message::Vote(around)));
    assert!(matches!(found[..], [Evidence::SurroundVote(..)]), "{found:?}");
}

#[test]
fn what_is_too_low_to_be_kept_is_compared() {
    let mut bench = Bench::with(4, None, Rules::default(), Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    for height in 3..=HEIGHT_WINDOW {
        let high = invented(&bench, &a, 0, height);
        let other = changed(&high, |vote| vote.block_epoch += 1);
        bench.give(Message::Vote(high));
        bench.give(Message::Vote(other));
    }
    let full = bench.machine.view().buffered.votes;
    assert_eq!(full, VOTES_PER_VOTER);
    let effects = bench.give(Message::Vote(bench.vote(0, &b)));
    assert!(matches!(evidence(&effects)[..], [Evidence::SurroundVote(..), ..]), "1 to 2 is within 0 to the top");
    assert_eq!(bench.machine.view().buffered.votes, full);
}

#[test]
fn of_votes_above_the_window_only_our_own_is_kept() {
    let mut other = Bench::new(4, ME);
    let g = other.genesis();
    let a = other.block(1, g, g);
    let high = |voter, height| {
        changed(&other.vote(voter, &a), |vote| (vote.height, vote.source_height) = (height, height - 1))
    };
    let lock = Lock { hash: g, ..Lock::default() };
    let journal = vec![JournalRecord::Vote { vote: high(ME, 2 * HEIGHT_WINDOW), lock }];
    let mut bench = Bench::with(4, Some(ME), Rules::default(), Disk { journal, ..Disk::default() });
    let remembered = [HEIGHT_WINDOW, HEIGHT_WINDOW + 1].map(|height| {
        bench.give(Message::Vote(high(0, height)));
        bench.machine.view().buffered.votes
    });
    assert_eq!(remembered, [2, 2], "ours and one");
}
