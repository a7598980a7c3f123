//! Copies to and from the card, by hand.

use crate::gpu::card::{Buffer, Card, Fault, Lane};
use crate::gpu::cuda::open_all;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
/// Words of 60 MiB: the card has room for two buffers of this size, not for three.
const LARGE: usize = 15 << 20;

/// Runs in a process of its own.
pub(super) fn copy() {
    let card = open_all().pop().expect("a card").expect("that opens");
    let [mut lane, mut other] = [(); 2].map(|()| Arc::clone(&card).lane().expect("a lane"));
    large_ones(&card, &mut *lane);
    small_ones(&card, &mut *lane, &mut *other);
    beyond_the_end(&card, &mut *lane);
    released_ones(&card, &mut *lane, &mut *other);
}

/// Runs in a process of its own, in which pinned memory is short.
pub(super) fn few_pieces() {
    const PART: usize = 4_000;
    let card = open_all().pop().expect("a card").expect("that opens");
    let mut lane = Arc::clone(&card).lane().expect("a lane");
    for round in 0..3 {
        let text = words(6 << 20, round);
        let buffer = buffer(&card, text.len()).expect("memory");
        lane.write(&buffer, 0, &text).expect("through the pieces that there are");
        for at in (0..text.len()).step_by(PART * 37) {
            let range = at..(at + PART).min(text.len());
            assert_eq!(lane.read(&buffer, range.clone(), LIMIT).as_deref(), Ok(&text[range]), "round {round}");
        }
    }
    let mut other = Arc::clone(&card).lane().expect("a lane");
    let buffer = buffer(&card, 1).expect("memory");
    assert!(matches!(other.write(&buffer, 0, &[1]), Err(Fault::OutOfMemory { .. })), "no first piece");
    // Which is not the card's trouble.
    lane.write(&buffer, 0, &[5]).expect("written");
    assert_eq!(lane.read(&buffer, 0..1, LIMIT), Ok(vec![5]));
    assert_eq!(other.read(&buffer, 0..1, LIMIT), Ok(vec![5]));
}

fn buffer(card: &Arc<dyn Card>, words: usize) -> Result<Buffer, Fault> {
    Buffer::new(card, words)
}

fn words(count: usize, seed: u32) -> Vec<u32> {
    (0..count as u32).map(|at| (at ^ seed).wrapping_mul(0x9e37_79b1)).collect()
}

/// More than the memory through which they go holds, before the card did anything.
fn large_ones(card: &Arc<dyn Card>, lane: &mut dyn Lane) {
    for round in 0..2 {
        let texts = [words(LARGE, round), words(LARGE - 77_777, round + 10)];
        let buffers = texts.each_ref().map(|text| buffer(card, text.len()).expect("memory"));
        for (buffer, text) in buffers.iter().zip(&texts) {
            lane.write(buffer, 0, text).expect("written");
        }
        for (buffer, text) in buffers.iter().zip(&texts) {
            let read = lane.read(buffer, 0..text.len(), LIMIT).expect("read");
            assert!(read == *text, "round {round}");
        }
    }
}

/// Parts of buffers, in order, on two lanes.
fn small_ones(card: &Arc<dyn Card>, lane: &mut dyn Lane, other: &mut dyn Lane) {
    let (shared, mut right) = (buffer(card, 5_000).expect("memory"), words(5_000, 3));
    lane.write(&shared, 0, &right).expect("written");
    for at in 0..400 {
        let part = words(at % 37, at as u32);
        lane.write(&shared, at * 12, &part).expect("written");
        right[at * 12..at * 12 + part.len()].copy_from_slice(&part);
    }
    assert_eq!(lane.read(&shared, 0..5_000, LIMIT), Ok(right.clone()));
    assert_eq!(other.read(&shared, 4_321..4_400, LIMIT).as_deref(), Ok(&right[4_321..4_400]));
    assert_eq!(other.read(&shared, 7..7, LIMIT), Ok(vec![]));
    lane.write(&buffer(card, 0).expect("memory"), 0, &[]).expect("nothing");
}

fn beyond_the_end(card: &Arc<dyn Card>, lane: &mut dyn Lane) {
    let small = buffer(card, 10).expect("memory");
    for (at, count) in [(0, 11), (10, 1), (11, 0), (usize::MAX, 2)] {
        assert!(matches!(lane.write(&small, at, &words(count, 0)), Err(Fault::Driver(_))), "{at} {count}");
    }
    assert!(matches!(lane.read(&small, 3..11, LIMIT), Err(Fault::Driver(_))));
    assert!(matches!(buffer(card, 1 << 40), Err(Fault::OutOfMemory { .. })));
    // None of that is the card's trouble.
    lane.write(&small, 9, &[5]).expect("written");
    assert_eq!(lane.read(&small, 9..10, LIMIT), Ok(vec![5]));
}

/// What is released while a lane may use it is freed when that lane is done, not before.
fn released_ones(card: &Arc<dyn Card>, lane: &mut dyn Lane, other: &mut dyn Lane) {
    let [first, second] = [(); 2].map(|()| buffer(card, LARGE).expect("memory"));
    lane.write(&first, 5, &[1, 2, 3]).expect("written");
    other.write(&first, 50, &[4]).expect("written");
    drop(first);
    assert!(matches!(buffer(card, LARGE), Err(Fault::OutOfMemory { .. })), "two lanes use it");
    lane.read(&second, 0..1, LIMIT).expect("read");
    assert!(matches!(buffer(card, LARGE), Err(Fault::OutOfMemory { .. })), "a lane uses it");
    other.read(&second, 0..1, LIMIT).expect("read");
    let third = buffer(card, LARGE).expect("it was freed");
    lane.write(&third, 0, &[6]).expect("written");
    assert_eq!(lane.read(&third, 0..1, LIMIT), Ok(vec![6]));
}
