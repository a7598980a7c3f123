//! `keccak256`: many short messages.

use super::inputs::random;
use super::plan::{ENGINE, Plan};
use super::side::{Answers, Side, Workload};
use p3_keccak::Keccak256Hash;
use p3_symmetric::CryptographicHasher;
use rand::Rng;
use std::ops::{Range, RangeInclusive};
use tiny_keccak::Hasher;
use vigil_accel::{Backend, Engine, oracle};
use vigil_primitives::Hash;

/// Lengths in bytes, even over the range.
const CASES: [(&str, RangeInclusive<usize>); 7] = [
    ("len-32", 32..=32),
    ("len-64", 64..=64),
    ("len-100", 100..=100),
    ("len-135", 135..=135),
    ("len-136", 136..=136),
    ("len-532", 532..=532),
    ("mixed", 0..=600),
];
const ROUND_ITEMS: usize = 4096;

struct Messages {
    case: &'static str,
    messages: Vec<Vec<u8>>,
    expected: Vec<Hash>,
}

/// Cases `len-N` and `mixed` (without p3-keccak, which has no batches of mixed lengths).
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let count = plan.items(ROUND_ITEMS);
    let cases = CASES.map(|(case, lengths)| {
        let mut message = || {
            let mut bytes = vec![0; random.random_range(lengths.clone())];
            random.fill(bytes.as_mut_slice());
            bytes
        };
        let messages: Vec<Vec<u8>> = (0..count).map(|_| message()).collect();
        let expected = messages.iter().map(|message| oracle::digest(message)).collect();
        Messages { case, messages, expected }
    });
    body(&mut cases.iter().map(|messages| workload(messages, plan)).collect::<Vec<_>>());
}

fn workload<'a>(all: &'a Messages, plan: &Plan) -> Workload<'a> {
    let slices: Vec<&[u8]> = all.messages.iter().map(Vec::as_slice).collect();
    let right = |item: usize, digest: &Hash| *digest == all.expected[item];
    let backend = |backend: &&'static dyn Backend| {
        let (backend, slices) = (*backend, slices.clone());
        let work = move |batch: Range<usize>, digests: &mut Vec<Hash>| {
            let done = digests.len();
            digests.resize(done + batch.len(), Hash::ZERO);
            backend.keccak256(&slices[batch], &mut digests[done..]);
        };
        Side::ours(backend.name().as_str(), Answers::new(work, right))
    };
    let engine = |engine: Engine| {
        let slices = slices.clone();
        let work =
            move |batch: Range<usize>, digests: &mut Vec<_>| digests.append(&mut engine.keccak256(&slices[batch]));
        Side::ours(ENGINE, Answers::new(work, right))
    };
    let mut sides: Vec<Side<'_>> = plan.backends.iter().map(backend).chain(plan.engine().map(engine)).collect();
    sides.push(peer("keccak-asm", all, |message| Hash::new(keccak_asm::Keccak256::digest(message).into())));
    sides.push(peer("tiny-keccak", all, tiny));
    sides.extend(p3(all));
    Workload { case: all.case, round_items: ROUND_ITEMS, sides }
}

fn peer<'a>(name: &'static str, all: &'a Messages, digest: impl Fn(&[u8]) -> Hash + 'a) -> Side<'a> {
    let work = move |batch: Range<usize>, digests: &mut Vec<Hash>| {
        digests.extend(all.messages[batch].iter().map(|message| digest(message)));
    };
    Side::peer(name, usize::MAX, Answers::new(work, |item, digest| *digest == all.expected[item]))
}

fn tiny(message: &[u8]) -> Hash {
    let mut keccak = tiny_keccak::Keccak::v256();
    let mut digest = Hash::ZERO;
    keccak.update(message);
    keccak.finalize(&mut digest.0);
    digest
}

/// p3-keccak hashes several messages at a time, of the same length, which stand end to end. Its vectors are chosen when it
/// is compiled (`bench/run-engine.sh` gives it the widest that the machine has).
fn p3<'a>(all: &'a Messages) -> Option<Side<'a>> {
    let len = all.messages.first()?.len();
    if all.messages.iter().any(|message| message.len() != len) {
        return None;
    }
    let end_to_end = all.messages.concat();
    let work = move |batch: Range<usize>, digests: &mut Vec<[u8; 32]>| {
        let done = digests.len();
        digests.resize(done + batch.len(), [0; 32]);
        Keccak256Hash.hash_many(&end_to_end[batch.start * len..batch.end * len], &mut digests[done..]);
    };
    Some(Side::peer("p3-keccak", usize::MAX, Answers::new(work, |item, digest| *digest == all.expected[item].0)))
}
