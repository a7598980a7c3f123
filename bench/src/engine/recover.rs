//! `recover`: nobody knows the keys.

use super::inputs::{BAD_ONE_IN, Bad, Pool, corrupt_any, flip_digest, random};
use super::plan::Plan;
use super::side::{Answers, Hands, PEER_WINDOW, SLOW_PEER_WINDOW, Side, Workload};
use k256::ecdsa::{RecoveryId as K256Id, Signature as K256Signature, VerifyingKey};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use std::ops::Range;
use vigil_accel::{Backend, Engine, Recovered, Signed, Signer, oracle};
use vigil_primitives::{Address, keccak256};

const ROUND_ITEMS: usize = 256;

struct Items {
    case: &'static str,
    round_items: usize,
    signed: Vec<Signed>,
    expected: Vec<Recovered>,
}

/// Cases `cold`, `bad-0.1pct`, `bad-1pct`, `bad-1pct-digests`: distinct random keys.
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let count = plan.items(BAD_ONE_IN[0]);
    let pool = Pool::new(&mut random, count, count);
    let mut items = |case, bad: Option<Bad>| {
        let mut signed = pool.signed.clone();
        let mut expected: Vec<Recovered> =
            pool.keys.iter().map(|key| Ok(Signer { key: *key, address: key.address() })).collect();
        if let Some(bad) = bad {
            for at in bad.places(&mut random, count) {
                (bad.corrupt)(&mut random, &mut signed[at]);
                expected[at] = oracle::recover(&signed[at]);
            }
        }
        Items { case, round_items: bad.map_or(ROUND_ITEMS, |bad| bad.one_in), signed, expected }
    };
    let mut cases = vec![items("cold", None)];
    if !plan.pool {
        let [few, many] = BAD_ONE_IN.map(|one_in| Some(Bad { one_in, corrupt: corrupt_any }));
        let digests = Some(Bad { one_in: BAD_ONE_IN[1], corrupt: flip_digest });
        cases.extend([items("bad-0.1pct", few), items("bad-1pct", many), items("bad-1pct-digests", digests)]);
    }
    body(&mut cases.iter().map(|items| workload(items, plan)).collect::<Vec<_>>());
}

fn workload<'a>(items: &'a Items, plan: &Plan) -> Workload<'a> {
    let Items { case, round_items, signed, expected } = items;
    let right = |item: usize, answer: &Recovered| *answer == expected[item];
    let backend = |backend: &&'static dyn Backend| {
        let backend = *backend;
        let work = move |batch, answers: &mut Vec<_>| answers.append(&mut backend.recover(&signed[batch]));
        Side::ours(backend.name().as_str(), Answers::new(work, right))
    };
    let engine = |engine: Engine| {
        let work = move |batch, answers: &mut Vec<_>| answers.append(&mut engine.recover(&signed[batch]));
        Side::ours(plan.engine_name(), Answers::new(work, right))
    };
    let peer = |name, window, recover: fn(&Signed) -> Option<Address>| {
        let right = |item: usize, answer: &Option<Address>| *answer == expected[item].map(|s| s.address).ok();
        let hands = Hands::of(plan);
        let window = hands.window(window);
        let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
            answers.append(&mut hands.each(batch, |item| recover(&signed[item])));
        };
        Side::peer(name, window, Answers::new(work, right))
    };
    let mut sides: Vec<Side<'_>> = plan.backends.iter().map(backend).chain(plan.engine().map(engine)).collect();
    sides.push(peer("libsecp256k1", PEER_WINDOW, libsecp256k1));
    sides.push(peer("k256", SLOW_PEER_WINDOW, k256));
    Workload { case, round_items: *round_items, sides }
}

/// The address by libsecp256k1 and keccak-asm, without Vigil's rules of form.
pub(super) fn libsecp256k1(item: &Signed) -> Option<Address> {
    let id = RecoveryId::try_from(i32::from(item.signature[64])).ok()?;
    let signature = RecoverableSignature::from_compact(&item.signature[..64], id).ok()?;
    let key = SECP256K1.recover_ecdsa(Message::from_digest(item.digest.0), &signature).ok()?;
    Some(address(&key.serialize_uncompressed()))
}

/// The address by k256, whose 0.13 verifies what it has recovered.
fn k256(item: &Signed) -> Option<Address> {
    let id = K256Id::from_byte(item.signature[64])?;
    let signature = K256Signature::from_slice(&item.signature[..64]).ok()?;
    let key = VerifyingKey::recover_from_prehash(item.digest.as_slice(), &signature, id).ok()?;
    Some(address(key.to_encoded_point(false).as_bytes()))
}

/// From an uncompressed point of 65 bytes.
fn address(point: &[u8]) -> Address {
    Address::from_slice(&keccak256(&point[1..])[12..])
}
