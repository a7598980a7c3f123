//! What cards are given, and the processor beside them. Few different items, over and over: a card does not know.

use super::super::inputs::{Pool, random};
use super::super::plan::{ENGINE, Plan, RIVAL, WITH_CARDS};
use super::super::side::{Answers, Side, Task, Workload};
use super::super::{checkpoint as votes, vectors};
use super::Card;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use vigil_accel::{
    Backend as _, Claim, Comb, Engine, PublicKey, Recovered, Signed, SignedMessage, Signer, Verdict, oracle,
};
use vigil_primitives::Hash;

/// Different items.
const DIFFERENT: usize = 16_384;
const ROUND_ITEMS: usize = 256;
/// Lengths of messages.
const LENGTHS: [(&str, usize); 2] = [("len-32", 32), ("len-532", 532)];

/// Who is measured: a card, all workers of the processor, and both together where that is asked for.
struct Sides {
    card: Card,
    rival: Engine,
    together: Option<Engine>,
}

impl Sides {
    fn of(plan: &Plan) -> Self {
        Self {
            card: plan.cards[0],
            rival: plan.engine().expect("a plan of cards has one"),
            together: plan.engine_with_cards(),
        }
    }
}

/// Cases `cold` and `messages-135`.
pub(super) fn recover(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let count = plan.items(ROUND_ITEMS);
    let different = count.min(DIFFERENT);
    let pool = Pool::new(&mut random(seed), different, different);
    let signed: Vec<Signed> = pool.signed.iter().cycle().take(count).copied().collect();
    let signer = |key: &PublicKey| Ok(Signer { key: *key, address: key.address() });
    let signers: Vec<Recovered> = pool.keys.iter().map(signer).collect();
    let right = |item: usize, answer: &Recovered| *answer == signers[item % different];
    let sides = Sides::of(plan);
    let Sides { card, rival, together } = &sides;
    let by_card = |batch: Range<usize>, answers: &mut Vec<_>| answers.append(&mut card.gpu.recover(&signed[batch]));
    let by_engine = |engine: &Engine| {
        let (engine, signed) = (engine.clone(), &signed);
        let work = move |batch: Range<usize>, answers: &mut Vec<_>| answers.append(&mut engine.recover(&signed[batch]));
        Answers::new(work, right)
    };
    let together = together.as_ref().map(by_engine);
    let cold = two_sides("cold", *card, Answers::new(by_card, right), by_engine(rival)).and(together);
    let texts = Messages::new("messages-135", 135, different);
    let over = Pool::over(&mut random(seed), &texts.digests, different);
    body(&mut [cold, signed_messages(&texts, &over, count, plan, &sides)]);
}

/// Messages with their signers, from the bytes to the verdict.
fn signed_messages<'a>(
    texts: &'a Messages,
    pool: &'a Pool,
    count: usize,
    plan: &'a Plan,
    Sides { card, rival, together }: &'a Sides,
) -> Workload<'a> {
    let one = |((message, signed), key): ((&'a Vec<u8>, &Signed), &PublicKey)| SignedMessage {
        message,
        signature: signed.signature,
        signer: key.address(),
    };
    let different: Vec<_> = texts.messages.iter().zip(&pool.signed).zip(&pool.keys).map(one).collect();
    let messages: Vec<_> = different.iter().cycle().take(count).copied().collect();
    let (again, by_both) = (messages.clone(), messages.clone());
    let right = |_, good: &bool| *good;
    let by_card = move |batch: Range<usize>, verdicts: &mut Vec<bool>| {
        verdicts.append(&mut card.gpu.verify_messages(&messages[batch]));
    };
    // Not by tables of keys: there are few different ones.
    let by_rival = move |batch: Range<usize>, verdicts: &mut Vec<bool>| {
        let some = &again[batch];
        let digests = rival.keccak256(&some.iter().map(|signed| signed.message).collect::<Vec<_>>());
        let signed = |(signed, digest): (&SignedMessage<'_>, Hash)| Signed { digest, signature: signed.signature };
        let signers = rival.recover(&some.iter().zip(digests).map(signed).collect::<Vec<_>>());
        verdicts
            .extend(some.iter().zip(signers).map(|(signed, who)| who.is_ok_and(|who| who.address == signed.signer)));
    };
    // A new engine each round, that has met none of the signers.
    let together = together.as_ref().map(|engine| {
        let engine = Rc::new(RefCell::new(engine.clone()));
        let asked = Rc::clone(&engine);
        let work = move |batch: Range<usize>, verdicts: &mut Vec<bool>| {
            verdicts.append(&mut asked.borrow().verify_messages(&by_both[batch]));
        };
        let anew = move |_| drop(engine.replace(plan.engine_with_cards().expect("there was one")));
        Answers::new(work, right).before_round(anew)
    });
    two_sides(texts.case, *card, Answers::new(by_card, right), Answers::new(by_rival, right)).and(together)
}

/// Case `hot-payer`.
pub(super) fn hot_payer(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let count = plan.items(ROUND_ITEMS);
    let pool = Pool::new(&mut random(seed), count.min(DIFFERENT), 1);
    let claim = |signed: &Signed| Claim { signed: *signed, key: pool.keys[0] };
    let claims: Vec<Claim> = pool.signed.iter().map(claim).cycle().take(count).collect();
    let Sides { card, rival, together } = Sides::of(plan);
    let comb: Comb = card.gpu.build_combs(&pool.keys).pop().flatten().expect("a key has a table");
    let combs = vec![&comb; count];
    let right = |_, verdict: &Verdict| verdict.is_ok();
    let by_card = |batch: Range<usize>, verdicts: &mut Vec<_>| {
        verdicts.append(&mut card.gpu.verify_hot(&claims[batch.clone()], &combs[batch]));
    };
    let by_engine = |engine: Engine| {
        let claims = &claims;
        let work =
            move |batch: Range<usize>, verdicts: &mut Vec<_>| verdicts.append(&mut engine.verify_known(&claims[batch]));
        Answers::new(work, right)
    };
    let together = together.map(by_engine);
    body(&mut [two_sides("hot-payer", card, Answers::new(by_card, right), by_engine(rival)).and(together)]);
}

/// Messages of one length.
struct Messages {
    case: &'static str,
    messages: Vec<Vec<u8>>,
    digests: Vec<Hash>,
}

impl Messages {
    fn new(case: &'static str, length: usize, different: usize) -> Self {
        let message = |item: usize| (0..length).map(|byte| (item >> (8 * (byte % 4))) as u8).collect();
        let messages: Vec<Vec<u8>> = (0..different).map(message).collect();
        let digests = messages.iter().map(|message| oracle::digest(message)).collect();
        Self { case, messages, digests }
    }

    fn workload<'a>(&'a self, count: usize, card: Card, rival: &'a Engine) -> Workload<'a> {
        let slices: Vec<&[u8]> = self.messages.iter().map(Vec::as_slice).cycle().take(count).collect();
        let again = slices.clone();
        let right = |item: usize, digest: &Hash| *digest == self.digests[item % self.digests.len()];
        let by_card = move |batch: Range<usize>, digests: &mut Vec<Hash>| {
            let done = digests.len();
            digests.resize(done + batch.len(), Hash::ZERO);
            card.gpu.keccak256(&slices[batch], &mut digests[done..]);
        };
        let by_rival = move |batch: Range<usize>, digests: &mut Vec<Hash>| {
            digests.append(&mut rival.keccak256(&again[batch]));
        };
        // An engine with cards hashes with the processor alone.
        two_sides(self.case, card, Answers::new(by_card, right), Answers::new(by_rival, right))
    }
}

/// Cases `len-N`.
pub(super) fn keccak256(plan: &Plan, _seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let count = plan.items(ROUND_ITEMS);
    let Sides { card, rival, .. } = Sides::of(plan);
    let all = LENGTHS.map(|(case, length)| Messages::new(case, length, count.min(DIFFERENT)));
    body(&mut all.each_ref().map(|messages| messages.workload(count, card, &rival)));
}

fn two_sides<'a>(case: &'static str, card: Card, by_card: impl Task + 'a, by_rival: impl Task + 'a) -> Workload<'a> {
    let sides = vec![Side::ours(card.label, by_card), Side::peer(RIVAL, usize::MAX, by_rival)];
    Workload { case, round_items: ROUND_ITEMS, sides }
}

impl<'a> Workload<'a> {
    /// With an engine that has cards, where one is measured.
    fn and(mut self, together: Option<impl Task + 'a>) -> Self {
        self.sides.extend(together.map(|task| Side::ours(WITH_CARDS, task)));
        self
    }
}

/// Merges of votes and tables, as in the rows of the processor, beside its fastest backend on one thread.
pub(super) fn checkpoint(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    votes::with(plan, seed, &mut |workloads| {
        workloads.iter_mut().for_each(|workload| beside_a_backend(plan, workload));
        body(workloads);
    });
}

/// Sums of vectors, likewise.
pub(super) fn signer_vectors(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    vectors::with(plan, seed, &mut |workloads| {
        workloads.iter_mut().for_each(|workload| beside_a_backend(plan, workload));
        body(workloads);
    });
}

/// Leaves the card and the first backend, which becomes the peer; nobody where the card takes no part.
fn beside_a_backend(plan: &Plan, workload: &mut Workload<'_>) {
    let of_card = plan.cards[0].gpu.name().as_str();
    workload.sides.retain(|side| !side.is_peer && side.name != ENGINE);
    let takes_part = workload.sides.iter().any(|side| side.name == of_card) && is_work_of_cards(workload.case);
    if !takes_part {
        workload.sides.clear();
    }
    for side in &mut workload.sides {
        match side.name == of_card {
            true => side.name = plan.cards[0].label,
            false => side.is_peer = true,
        }
    }
}

/// Counts, merges and packing of vectors stay with the processor; the comparison with pairings is no other work.
fn is_work_of_cards(case: &str) -> bool {
    case.ends_with("-k20") || case.starts_with("augmented-table")
}
