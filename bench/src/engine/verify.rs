//! `verify_known`: the key is known, with tables (hot) or without (cold).

use super::inputs::{BAD_ONE_IN, Bad, Pool, Random, corrupt, flip_digest, random};
use super::plan::Plan;
use super::side::{Answers, Hands, PEER_WINDOW, SLOW_PEER_WINDOW, Side, Workload};
use super::{recover, signers};
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
pub(super) enum Way {
    /// Nothing.
    Cold,
    /// The tables of the keys, which were made before.
    Hot,
}

pub(super) struct Claims<'a> {
    pub(super) case: &'static str,
    way: Way,
    pub(super) round_items: usize,
    pool: &'a Pool,
    pub(super) claims: Vec<Claim>,
    pub(super) expected: Vec<Verdict>,
    /// What a backend is given before each round, untimed: how it looks for bad claims depends on the batch before.
    before: Vec<Claim>,
    addresses: Vec<Address>,
    k256_keys: Vec<VerifyingKey>,
}

/// Cases `hot-payer` (one payer), `bad-0.1pct` and `bad-1pct` (the same with bad items), `hot-payers-64`; cold: `one-payer`
/// and `distinct-payers`, and the same with bad items, after a batch of such claims or (`first`) of good ones; and those of
/// [`signers`].
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let count = plan.items(BAD_ONE_IN[0]);
    let [one, some, distinct] = [1, PAYERS, count].map(|keys| Pool::new(&mut random, count, keys));
    let [few, many] = BAD_ONE_IN.map(|one_in| Some(Bad { one_in, corrupt }));
    let digests = Some(Bad { one_in: BAD_ONE_IN[1], corrupt: flip_digest });
    let mut claims = |case, way, pool, bad| Claims::new(&mut random, case, way, pool, bad);
    let mut cases = vec![
        claims("hot-payer", Way::Hot, &one, None),
        claims("hot-payers-64", Way::Hot, &some, None),
        claims("one-payer", Way::Cold, &one, None),
        claims("distinct-payers", Way::Cold, &distinct, None),
    ];
    if !plan.pool {
        cases.extend([
            claims("bad-0.1pct", Way::Hot, &one, few),
            claims("bad-1pct", Way::Hot, &one, many),
            claims("one-payer-bad-0.1pct", Way::Cold, &one, few),
            claims("one-payer-bad-1pct", Way::Cold, &one, many),
            claims("distinct-payers-bad-0.1pct", Way::Cold, &distinct, few),
            claims("distinct-payers-bad-1pct", Way::Cold, &distinct, many),
            claims("distinct-payers-bad-1pct-digests", Way::Cold, &distinct, digests),
            claims("distinct-payers-bad-0.1pct-first", Way::Cold, &distinct, few).after_good(),
            claims("distinct-payers-bad-1pct-first", Way::Cold, &distinct, many).after_good(),
        ]);
    }
    let signers = signers::cases(plan, &mut random, &one, &distinct);
    let combs: Vec<_> = plan.backends.iter().map(|backend| [&one, &some].map(|pool| combs(*backend, pool))).collect();
    let tables = |backend: usize, claims: &Claims<'_>| &combs[backend][usize::from(std::ptr::eq(claims.pool, &some))];
    let workload = |claims| workload(claims, plan, |backend| tables(backend, claims));
    let signers = signers.iter().map(|case| signers::workload(case, plan));
    body(&mut cases.iter().map(workload).chain(signers).collect::<Vec<_>>());
}

impl<'a> Claims<'a> {
    /// The claims of the pool, some of them bad.
    pub(super) fn new(random: &mut Random, case: &'static str, way: Way, pool: &'a Pool, bad: Option<Bad>) -> Self {
        let mut claims = good(pool);
        let mut expected = vec![Ok(()); claims.len()];
        if let Some(bad) = bad {
            for at in bad.places(random, claims.len()) {
                (bad.corrupt)(random, &mut claims[at].signed);
                expected[at] = oracle::verify(&claims[at]);
            }
        }
        let k256_key = |key: &SecpKey| VerifyingKey::from_sec1_bytes(&key.serialize()).expect("a point");
        Self {
            case,
            way,
            round_items: bad.map_or(ROUND_ITEMS, |bad| bad.one_in),
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

    /// Everybody to compare with.
    pub(super) fn peers<'s>(&'s self, plan: &Plan) -> [Side<'s>; 3] {
        let recovers =
            |claim: &Claim, key: usize| (recover::libsecp256k1(&claim.signed)? == self.addresses[key]).then_some(());
        [
            self.peer("libsecp256k1", PEER_WINDOW, plan, |claim, key| libsecp256k1(claim, &self.pool.parsed[key])),
            self.peer("recover-libsecp256k1", PEER_WINDOW, plan, recovers),
            self.peer("k256", SLOW_PEER_WINDOW, plan, |claim, key| k256(claim, &self.k256_keys[key])),
        ]
    }

    /// A peer that answers about one item, given the place of its key.
    fn peer<'s>(
        &'s self,
        name: &'static str,
        window: usize,
        plan: &Plan,
        verify: impl Fn(&Claim, usize) -> Option<()> + Sync + 's,
    ) -> Side<'s> {
        let hands = Hands::of(plan);
        let window = hands.window(window);
        let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
            answers.append(&mut hands.each(batch, |item| verify(&self.claims[item], self.pool.signers[item])));
        };
        let right = |item: usize, answer: &Option<()>| *answer == self.expected[item].ok();
        Side::peer(name, window, Answers::new(work, right))
    }

    /// The addresses of the signers, in order.
    pub(super) fn signers(&self) -> impl Iterator<Item = Address> {
        self.pool.signers.iter().map(|key| self.addresses[*key])
    }

    /// What backends remember, they remember by thread, and an engine of one worker works on the calling one.
    pub(super) fn remember(&self, plan: &Plan) {
        plan.backends.last().map(|backend| backend.verify_cold(&self.before));
    }
}

/// All claims of a pool.
pub(super) fn good(pool: &Pool) -> Vec<Claim> {
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
    sides.extend(claims.peers(plan));
    Workload { case: claims.case, round_items: claims.round_items, sides }
}

fn cold<'a>(claims: &'a Claims<'a>, backend: &'static dyn Backend) -> Side<'a> {
    let work = |batch, answers: &mut Vec<_>| answers.append(&mut backend.verify_cold(&claims.claims[batch]));
    let right = |item: usize, verdict: &Verdict| *verdict == claims.expected[item];
    let before_round = |_| drop(backend.verify_cold(&claims.before));
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
    let before_round = move |_| {
        if claims.way == Way::Cold {
            engine.replace(plan.engine().expect("there was one"));
            claims.remember(plan);
        }
    };
    Side::ours(plan.engine_name(), Answers::new(work, right).before_round(before_round))
}

fn libsecp256k1(claim: &Claim, key: &SecpKey) -> Option<()> {
    let signature = Signature::from_compact(&claim.signed.signature[..64]).ok()?;
    SECP256K1.verify_ecdsa(Message::from_digest(claim.signed.digest.0), &signature, key).ok()
}

fn k256(claim: &Claim, key: &VerifyingKey) -> Option<()> {
    let signature = K256Signature::from_slice(&claim.signed.signature[..64]).ok()?;
    key.verify_prehash(claim.signed.digest.as_slice(), &signature).ok()
}
