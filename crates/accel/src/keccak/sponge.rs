//! The sponge: messages in, digests out, a message a lane.

use super::permutation::{Word, permute, permute_to_digest};
use super::{LAST_BIT, RATE, RATE_WORDS};
use vigil_primitives::Hash;

/// Words that come from and go to memory, a message a lane.
pub(super) trait Lanes<const L: usize>: Word {
    /// The first block of each rest, padded where the rest is shorter than a block.
    fn load(rests: &[&[u8]; L]) -> [Self; RATE_WORDS];
    /// Digests from their words.
    fn store(words: [Self; 4]) -> [Hash; L];
}

/// The digest of each message. They should have as many blocks: the longest sets the time.
#[inline(always)]
pub(super) fn digests<W: Lanes<L>, const L: usize>(messages: &[&[u8]; L]) -> [Hash; L] {
    if messages.iter().all(|message| message.len() < RATE) {
        return W::store(permute_to_digest(initial(W::load(messages))));
    }
    digests_of_long::<W, L>(messages)
}

#[inline(always)]
fn digests_of_long<W: Lanes<L>, const L: usize>(messages: &[&[u8]; L]) -> [Hash; L] {
    let mut rests = *messages;
    let mut state = initial(W::load(&rests));
    let mut done = [None; L];
    loop {
        if rests.iter().all(|rest| rest.len() < RATE) {
            let last = W::store(permute_to_digest(state));
            return std::array::from_fn(|lane| done[lane].unwrap_or(last[lane]));
        }
        permute(&mut state);
        if rests.iter().any(|rest| rest.len() < RATE) {
            let digests = W::store([state[0], state[1], state[2], state[3]]);
            for lane in 0..L {
                if rests[lane].len() < RATE && done[lane].is_none() {
                    done[lane] = Some(digests[lane]);
                }
            }
        }
        // A lane that is done goes on with an empty message: nobody looks at it any more.
        rests = rests.map(|rest| rest.get(RATE..).unwrap_or(&[]));
        let block = W::load(&rests);
        for i in 0..RATE_WORDS {
            state[i] = state[i].xor(block[i]);
        }
    }
}

/// The digest words of a message of 64 bytes in each lane, from its words.
#[inline(always)]
pub(super) fn digest_of_64<W: Word>(words: [W; 8]) -> [W; 4] {
    let mut block = [W::splat(0); RATE_WORDS];
    block[..8].copy_from_slice(&words);
    block[8] = W::splat(1);
    block[RATE_WORDS - 1] = W::splat(LAST_BIT);
    permute_to_digest(initial(block))
}

#[inline(always)]
fn initial<W: Word>(block: [W; RATE_WORDS]) -> [W; 25] {
    let mut state = [W::splat(0); 25];
    state[..RATE_WORDS].copy_from_slice(&block);
    state
}
