//! `recover`: nobody knows the keys.

use super::inputs::{BAD_ONE_IN, Pool, corrupt_any, places, random};
use super::plan::{ENGINE, Plan};
use super::side::{Answers, PEER_WINDOW, SLOW_PEER_WINDOW, Side, Workload};
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

/// Cases `cold`, `bad-0.1pct`, `bad-1pct`: distinct random keys.
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let count = plan.items(BAD_ONE_IN[0]);
    let pool = Pool::new(&mut random, count, count);
    let mut items = |case, one_in: Option<usize>| {
        let mut signed = pool.signed.clone();
        let mut expected: Vec<Recovered> =
            pool.keys.iter().map(|key| Ok(Signer { key: *key, address: key.address() })).collect();
        for at in one_in.map(|one_in| places(&mut random, count, one_in)).unwrap_or_default() {
            corrupt_any(&mut random, &mut signed[at]);
            expected[at] = oracle::recover(&signed[at]);
        }
        Items { case, round_items: one_in.unwrap_or(ROUND_ITEMS), signed, expected }
    };
    let cases = [items("cold", None), items("bad-0.1pct", Some(BAD_ONE_IN[0])), items("bad-1pct", Some(BAD_ONE_IN[1]))];
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
        Side::ours(ENGINE, Answers::new(work, right))
    };
    let peer = |name, window, recover: fn(&Signed) -> Option<Address>| {
        let right = |item: usize, answer: &Option<Address>| *answer == expected[item].map(|s| s.address).ok();
        let work = move |batch: Range<usize>, answers: &mut Vec<_>| answers.extend(signed[batch].iter().map(recover));
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
