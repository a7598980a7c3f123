//! `verify_known`: the key is known, with tables (hot) or without (cold).

use super::inputs::{BAD_ONE_IN, Pool, Random, corrupt, places, random};
use super::plan::{ENGINE, Plan};
use super::recover;
use super::side::{Answers, PEER_WINDOW, SLOW_PEER_WINDOW, Side, Workload};
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{Signature as K256Signature, VerifyingKey};
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, PublicKey as SecpKey, SECP256K1};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use vigil_accel::{Backend, Claim, Comb, Engine, Verdict, oracle};
use vigil_primitives::Address;

const ROUND_ITEMS: usize = 256;
/// Claims before a round: so many that the rarest bad ones are among them.
const BEFORE: usize = BAD_ONE_IN[0];
/// Payers of the case `hot-payers-64`: more tables than a second-level cache holds.
const PAYERS: usize = 64;

/// What a backend is told beside the claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing.
    Cold,
    /// The tables of the keys, which were made before.
    Hot,
}

struct Claims<'a> {
    case: &'static str,
    way: Way,
    round_items: usize,
    pool: &'a Pool,
    claims: Vec<Claim>,
    expected: Vec<Verdict>,
    /// What a backend is given before each round, untimed: how it looks for bad claims depends on the batch before.
    before: Vec<Claim>,
    addresses: Vec<Address>,
    k256_keys: Vec<VerifyingKey>,
}

/// Cases `hot-payer` (one payer), `bad-0.1pct` and `bad-1pct` (the same with bad items), `hot-payers-64`; cold: `one-payer`
/// and `distinct-payers`, and the same with bad items, after a batch of such claims or (`first`) of good ones.
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let count = plan.items(BAD_ONE_IN[0]);
    let [one, some, distinct] = [1, PAYERS, count].map(|keys| Pool::new(&mut random, count, keys));
    let [few, many] = BAD_ONE_IN.map(Some);
    let mut claims = |case, way, pool, one_in| Claims::new(&mut random, case, way, pool, one_in);
    let cases = [
        claims("hot-payer", Way::Hot, &one, None),
        claims("bad-0.1pct", Way::Hot, &one, few),
        claims("bad-1pct", Way::Hot, &one, many),
        claims("hot-payers-64", Way::Hot, &some, None),
        claims("one-payer", Way::Cold, &one, None),
        claims("one-payer-bad-0.1pct", Way::Cold, &one, few),
        claims("one-payer-bad-1pct", Way::Cold, &one, many),
        claims("distinct-payers", Way::Cold, &distinct, None),
        claims("distinct-payers-bad-0.1pct", Way::Cold, &distinct, few),
        claims("distinct-payers-bad-1pct", Way::Cold, &distinct, many),
        claims("distinct-payers-bad-0.1pct-first", Way::Cold, &distinct, few).after_good(),
        claims("distinct-payers-bad-1pct-first", Way::Cold, &distinct, many).after_good(),
    ];
    let combs: Vec<_> = plan.backends.iter().map(|backend| [&one, &some].map(|pool| combs(*backend, pool))).collect();
    let tables = |backend: usize, claims: &Claims<'_>| &combs[backend][usize::from(std::ptr::eq(claims.pool, &some))];
    let workload = |claims| workload(claims, plan, |backend| tables(backend, claims));
    body(&mut cases.iter().map(workload).collect::<Vec<_>>());
}

impl<'a> Claims<'a> {
    /// `one_in` claims of the pool hold one bad.
    fn new(random: &mut Random, case: &'static str, way: Way, pool: &'a Pool, one_in: Option<usize>) -> Self {
        let mut claims = good(pool);
        let mut expected = vec![Ok(()); claims.len()];
        for at in one_in.map(|one_in| places(random, claims.len(), one_in)).unwrap_or_default() {
            corrupt(random, &mut claims[at].signed);
            expected[at] = oracle::verify(&claims[at]);
        }
        let k256_key = |key: &SecpKey| VerifyingKey::from_sec1_bytes(&key.serialize()).expect("a point");
        Self {
            case,
            way,
            round_items: one_in.unwrap_or(ROUND_ITEMS),
            pool,
            before: claims[..BEFORE.min(claims.len())].to_vec(),
            claims,
            expected,
            addresses: pool.keys.iter().map(|key| key.address()).collect(),
            k256_keys: pool.parsed.iter().map(k256_key).collect(),
        }
    }

    /// With good claims before each round.
    fn after_good(self) -> Self {
        let mut before = good(self.pool);
        before.truncate(BEFORE);
        Self { before, ..self }
    }

    /// A peer that answers about one item, given its place and that of its key.
    fn peer<'s>(
        &'s self,
        name: &'static str,
        window: usize,
        verify: impl Fn(&Claim, usize) -> Option<()> + 's,
    ) -> Side<'s> {
        let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
            answers.extend(batch.map(|item| verify(&self.claims[item], self.pool.signers[item])));
        };
        let right = |item: usize, answer: &Option<()>| *answer == self.expected[item].ok();
        Side::peer(name, window, Answers::new(work, right))
    }
}

/// All claims of a pool.
fn good(pool: &Pool) -> Vec<Claim> {
    let claim = |(signed, signer): (_, &usize)| Claim { signed, key: pool.keys[*signer] };
    pool.signed.iter().copied().zip(&pool.signers).map(claim).collect()
}

/// Tables of a pool's keys; a backend that makes none takes no part in the hot cases.
fn combs(backend: &dyn Backend, pool: &Pool) -> Option<Vec<Comb>> {
    backend.build_combs(&pool.keys).into_iter().collect()
}

fn workload<'a>(
    claims: &'a Claims<'a>,
    plan: &'a Plan,
    tables: impl Fn(usize) -> &'a Option<Vec<Comb>>,
) -> Workload<'a> {
    let ours = |(index, backend): (usize, &&'static dyn Backend)| match claims.way {
        Way::Cold => Some(cold(claims, *backend)),
        Way::Hot => tables(index).as_ref().map(|combs| hot(claims, *backend, combs)),
    };
    let mut sides: Vec<Side<'_>> = plan.backends.iter().enumerate().filter_map(ours).collect();
    sides.extend(plan.engine().map(|engine| by_engine(claims, plan, engine)));
    sides.push(claims.peer("libsecp256k1", PEER_WINDOW, |claim, key| libsecp256k1(claim, &claims.pool.parsed[key])));
    sides.push(claims.peer("recover-libsecp256k1", PEER_WINDOW, |claim, key| {
        (recover::libsecp256k1(&claim.signed)? == claims.addresses[key]).then_some(())
    }));
    sides.push(claims.peer("k256", SLOW_PEER_WINDOW, |claim, key| k256(claim, &claims.k256_keys[key])));
    Workload { case: claims.case, round_items: claims.round_items, sides }
}

fn cold<'a>(claims: &'a Claims<'a>, backend: &'static dyn Backend) -> Side<'a> {
    let work = |batch, answers: &mut Vec<_>| answers.append(&mut backend.verify_cold(&claims.claims[batch]));
    let right = |item: usize, verdict: &Verdict| *verdict == claims.expected[item];
    let before_round = || drop(backend.verify_cold(&claims.before));
    Side::ours(backend.name().as_str(), Answers::new(work, right).before_round(before_round))
}

fn hot<'a>(claims: &'a Claims<'a>, backend: &'static dyn Backend, combs: &'a [Comb]) -> Side<'a> {
    let of_items: Vec<&Comb> = claims.pool.signers.iter().map(|key| &combs[*key]).collect();
    let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
        answers.append(&mut backend.verify_hot(&claims.claims[batch.clone()], &of_items[batch]));
    };
    let right = |item: usize, verdict: &Verdict| *verdict == claims.expected[item];
    Side::ours(backend.name().as_str(), Answers::new(work, right))
}

/// The engine makes tables of keys that it sees often. In the cold cases it is a new one each round, that has seen none.
fn by_engine<'a>(claims: &'a Claims<'a>, plan: &'a Plan, engine: Engine) -> Side<'a> {
    let engine = Rc::new(RefCell::new(engine));
    let asked = Rc::clone(&engine);
    let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
        answers.append(&mut asked.borrow().verify_known(&claims.claims[batch]));
    };
    let right = |item: usize, verdict: &Verdict| *verdict == claims.expected[item];
    let before_round = move || {
        if claims.way == Way::Cold {
            engine.replace(plan.engine().expect("there was one"));
            // What backends remember, they remember by thread, and this engine works on the calling one.
            plan.backends.last().map(|backend| backend.verify_cold(&claims.before));
        }
    };
    Side::ours(ENGINE, Answers::new(work, right).before_round(before_round))
}

fn libsecp256k1(claim: &Claim, key: &SecpKey) -> Option<()> {
    let signature = Signature::from_compact(&claim.signed.signature[..64]).ok()?;
    SECP256K1.verify_ecdsa(Message::from_digest(claim.signed.digest.0), &signature, key).ok()
}

fn k256(claim: &Claim, key: &VerifyingKey) -> Option<()> {
    let signature = K256Signature::from_slice(&claim.signed.signature[..64]).ok()?;
    key.verify_prehash(claim.signed.digest.as_slice(), &signature).ok()
}
