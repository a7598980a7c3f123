//! Buffers and lanes: what goes in comes out, and misuse is a fault.

use super::cards::on_all;
use super::work::Bench;
use crate::gpu::card::{Buffer, Card, Fault, Kernel, Launch, PARAMS};
use crate::gpu::wgpu::device::Wgpu;
use std::sync::Arc;
use std::time::Duration;
use vigil_crypto::SecretKey;

const LIMIT: Duration = Duration::from_secs(60);

/// Words that tell a round and a place.
fn pattern(round: u32, count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i ^ round << 16).wrapping_mul(0x9e37_79b1)).collect()
}

#[test]
fn what_is_written_is_read() {
    on_all(|card, _| {
        let card = Arc::clone(card) as Arc<dyn Card>;
        let mut lane = Arc::clone(&card).lane().expect("a lane");
        // Pieces of staging that fit, that do not, and that are larger than any is kept.
        for (round, count) in (0..).zip([1, 2, 300_000, 7, 262_144, 262_145, 3_000_000, 5, 300_000]) {
            let words = pattern(round, count);
            let buffer = Buffer::new(&card, count).expect("room");
            lane.write(&buffer, 0, &words).expect("written");
            assert_eq!(lane.read(&buffer, 0..count, LIMIT).expect("read"), words, "{count} words");
            let (from, to) = (count / 3, count - count / 4);
            lane.write(&buffer, from, &words[..to - from]).expect("written");
            lane.write(&buffer, count - 1, &[5]).expect("written");
            assert_eq!(
                lane.read(&buffer, from..to.min(count - 1), LIMIT).expect("read"),
                words[..to.min(count - 1) - from]
            );
            assert_eq!(lane.read(&buffer, count - 1..count, LIMIT).expect("read"), [5]);
            assert!(lane.read(&buffer, count..count, LIMIT).expect("read").is_empty());
        }
    });
}

#[test]
fn lanes_work_side_by_side() {
    on_all(|card, _| {
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                scope.spawn(move || {
                    let card = Arc::clone(card) as Arc<dyn Card>;
                    let mut lane = Arc::clone(&card).lane().expect("a lane");
                    for round in 0..20 {
                        let words = pattern(100 * thread + round, 10_000);
                        let buffer = Buffer::new(&card, words.len()).expect("room");
                        lane.write(&buffer, 0, &words).expect("written");
                        assert_eq!(lane.read(&buffer, 0..words.len(), LIMIT).expect("read"), words);
                    }
                });
            }
        });
    });
}

#[test]
fn misuse_is_a_fault() {
    on_all(|wgpu, _| {
        let card = Arc::clone(wgpu) as Arc<dyn Card>;
        let mut lane = Arc::clone(&card).lane().expect("a lane");
        let buffer = Buffer::new(&card, 100).expect("room");
        assert!(matches!(lane.write(&buffer, 99, &[1, 2]), Err(Fault::Driver(_))));
        assert!(matches!(lane.write(&buffer, usize::MAX, &[1]), Err(Fault::Driver(_))));
        assert!(matches!(lane.read(&buffer, 50..101, LIMIT), Err(Fault::Driver(_))));
        let mut launch = |threads, buffers: &[&Buffer]| {
            lane.launch(&Launch { kernel: Kernel::KeccakMessages, threads, buffers, params: [0; PARAMS] })
        };
        assert!(matches!(launch(1, &[&buffer]), Err(Fault::Driver(_))));
        assert!(matches!(launch(64 * 65_536, &[&buffer; 3]), Err(Fault::Driver(_))));
        assert!(launch(0, &[]).is_ok());

        let most = card.info().buffer_bytes_max as usize / 4;
        assert!(matches!(Buffer::new(&card, most + 1), Err(Fault::OutOfMemory { .. })));
        // Asked of the device itself, more than it has.
        assert!(card.allocate(1 << 40).is_err());
        // None of that was trouble.
        lane.write(&buffer, 0, &[7]).expect("written");
        assert_eq!(lane.read(&buffer, 0..1, LIMIT).expect("read"), [7]);
    });
}

/// Whether work with so little time was late. It need not be: this thread may sleep until it is done.
fn is_late(card: &Arc<Wgpu>) -> bool {
    let mut bench = Bench::new(card, &SecretKey::from_bytes(&[1; 32]).expect("a key"));
    let (messages, spans) = (bench.room(&vec![1; 50_000]), bench.room(&[0, 200_000].repeat(64)));
    let answers = bench.room(&vec![0; 64 * 8]);
    let mut params = [0; PARAMS];
    params[0] = 64;
    params[3] = 8;
    for _ in 0..20 {
        bench.launch(Kernel::KeccakMessages, 64, &[&messages, &spans, &answers], params);
    }
    let limit = Duration::from_micros(1);
    match bench.read_within(&answers, limit) {
        Err(fault) => {
            assert_eq!(fault, Fault::Late(limit));
            // The lane is as good as before.
            let small = bench.room(&[1, 2, 3]);
            assert_eq!(bench.read(&small), [1, 2, 3]);
            true
        }
        Ok(words) => {
            assert!(words[0] != 0 && words.chunks(8).all(|digest| digest == &words[..8]));
            false
        }
    }
}

#[test]
fn a_card_that_takes_too_long_is_late() {
    on_all(|card, _| {
        assert!((0..100).any(|_| is_late(card)), "never late");
        // So is the card.
        let mut bench = Bench::new(card, &SecretKey::from_bytes(&[1; 32]).expect("a key"));
        let buffer = bench.room(&[1, 2, 3]);
        assert_eq!(bench.read(&buffer), [1, 2, 3]);
    });
}
