//! Which messages share a vector.

use super::RATE;
use vigil_primitives::Hash;

/// Messages of up to that many blocks are put together by their number of blocks; longer ones are sorted.
const BUCKETS: usize = 16;

/// Messages lie all over the memory: those of this many groups ahead are fetched, the front of long ones.
const AHEAD: usize = 8;
const AHEAD_BYTES: usize = 1024;

/// Hashes all messages, `L` at a time by `group`, whose time the longest of its messages sets. Of the messages that are
/// left over, fewer than `group_min` go one by one to `single`.
///
/// # Panics
/// If `out` has another length than `messages`.
pub(super) fn in_groups<const L: usize>(
    messages: &[&[u8]],
    out: &mut [Hash],
    group_min: usize,
    group: impl Fn(&[&[u8]; L], &mut [Hash; L]),
    single: impl Fn(&[u8]) -> Hash,
) {
    assert_eq!(messages.len(), out.len(), "one digest a message");
    let mut buckets = [Bucket::<L>::EMPTY; BUCKETS];
    let mut left = Vec::new();
    let (groups, rest) = messages.as_chunks::<L>();
    for (g, lanes) in groups.iter().enumerate() {
        for message in groups.get(g + AHEAD).into_iter().flatten() {
            crate::prefetch(message.as_ptr(), message.len().min(AHEAD_BYTES));
        }
        let first = g * L;
        let blocks = lanes[0].len() / RATE;
        if lanes.iter().all(|message| message.len() / RATE == blocks) {
            let digests = out[first..].first_chunk_mut().expect("as many as messages");
            group(lanes, digests);
            continue;
        }
        for (lane, message) in lanes.iter().enumerate() {
            let Some(bucket) = buckets.get_mut(message.len() / RATE) else {
                left.push(first + lane);
                continue;
            };
            if bucket.push(first + lane) {
                gather(messages, out, &bucket.indices, &group);
                bucket.len = 0;
            }
        }
    }
    left.extend(messages.len() - rest.len()..messages.len());
    left.extend(buckets.iter().flat_map(|bucket| &bucket.indices[..bucket.len]));
    left.sort_unstable_by_key(|&i| messages[i].len() / RATE);
    for indices in left.chunks(L) {
        if indices.len() < group_min {
            indices.iter().for_each(|&i| out[i] = single(messages[i]));
        } else {
            gather(messages, out, indices, &group);
        }
    }
}

/// Hashes the messages at these places, `L` or fewer.
fn gather<const L: usize>(
    messages: &[&[u8]],
    out: &mut [Hash],
    indices: &[usize],
    group: impl Fn(&[&[u8]; L], &mut [Hash; L]),
) {
    let lanes = std::array::from_fn(|lane| indices.get(lane).map_or(&[][..], |&i| messages[i]));
    let mut digests = [Hash::ZERO; L];
    group(&lanes, &mut digests);
    for (&i, digest) in indices.iter().zip(digests) {
        out[i] = digest;
    }
}

/// Messages of one number of blocks that wait for others.
#[derive(Clone, Copy)]
struct Bucket<const L: usize> {
    indices: [usize; L],
    len: usize,
}

impl<const L: usize> Bucket<L> {
    const EMPTY: Self = Self { indices: [0; L], len: 0 };

    /// Adds one; true if it was the last for which there is room.
    fn push(&mut self, index: usize) -> bool {
        self.indices[self.len] = index;
        self.len += 1;
        self.len == L
    }
}
