//! The sponge: messages in, digests out, a message a lane.

use super::permutation::{State, Word, permute, permute_to_digest};
use super::{LAST_BIT, RATE, RATE_WORDS};
use vigil_primitives::Hash;

/// States that take in messages, one a lane.
pub(super) trait Lanes<const L: usize>: Word {
    /// Adds the first block of each rest to the state, padded where the rest is shorter than a block.
    fn absorb(state: &mut State<Self>, rests: &[&[u8]; L]);
    /// Writes the first four words of each lane.
    fn squeeze(state: &State<Self>, digests: &mut [Hash; L]);
}

/// Writes the digest of each message. They should have as many blocks: the longest sets the time.
#[inline(always)]
pub(super) fn digests<W: Lanes<L>, const L: usize>(messages: &[&[u8]; L], digests: &mut [Hash; L]) {
    let mut rests = *messages;
    let mut state = [W::splat(0); 25];
    let mut ended = [None; L]; // digests of messages with fewer blocks than the longest
    loop {
        W::absorb(&mut state, &rests);
        let mut ending = 0;
        for rest in &rests {
            ending += usize::from(rest.len() < RATE);
        }
        if ending == L {
            break;
        }
        permute(&mut state);
        if ending > 0 {
            W::squeeze(&state, digests);
            for lane in 0..L {
                // A lane that has ended goes on with empty messages; only its first end counts.
                if rests[lane].len() < RATE && ended[lane].is_none() {
                    ended[lane] = Some(digests[lane]);
                }
            }
        }
        for rest in &mut rests {
            *rest = rest.get(RATE..).unwrap_or(&[]);
        }
    }
    permute_to_digest(&mut state);
    W::squeeze(&state, digests);
    for lane in 0..L {
        if let Some(digest) = ended[lane] {
            digests[lane] = digest;
        }
    }
}

/// The digest words of a message of 64 bytes in each lane, from its words.
#[inline(always)]
pub(super) fn digest_of_64<W: Word>([w0, w1, w2, w3, w4, w5, w6, w7]: [W; 8]) -> [W; 4] {
    let mut state = [W::splat(0); 25];
    [state[0], state[1], state[2], state[3]] = [w0, w1, w2, w3];
    [state[4], state[5], state[6], state[7]] = [w4, w5, w6, w7];
    state[8] = W::splat(1);
    state[RATE_WORDS - 1] = W::splat(LAST_BIT);
    permute_to_digest(&mut state);
    [state[0], state[1], state[2], state[3]]
}
