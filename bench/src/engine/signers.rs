//! `verify_signers` of the engine, which is what the node asks: the signer is known by address, and it depends on what the
//! engine has seen whether it knows a key or tables. Cases of `verify_known`.

use super::inputs::{BAD_ONE_IN, Bad, Pool, Random, corrupt};
use super::plan::Plan;
use super::side::{Answers, Side, Workload};
use super::verify::{Claims, Way, good};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use vigil_accel::{Claim, Engine};
use vigil_crypto::Check;
use vigil_primitives::Address;

/// How often the engine has seen the payers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    /// So that it knows their keys, unless they are more than it remembers.
    Once,
    /// So that it has made tables.
    Often,
}

pub(super) struct Case<'a> {
    seen: Seen,
    claims: Claims<'a>,
    checks: Vec<Check>,
    /// The same, none of them bad.
    good: Vec<Check>,
}

/// Cases `signers-hot-payer` (one, with tables), `signers-known-payers` (each seen once before), `signers-new-payers`, and
/// the first two with bad items; none where the engine takes no part.
pub(super) fn cases<'a>(plan: &Plan, random: &mut Random, one: &'a Pool, distinct: &'a Pool) -> Vec<Case<'a>> {
    if plan.engine.is_none() {
        return Vec::new();
    }
    let bad = Some(Bad { one_in: BAD_ONE_IN[1], corrupt });
    let mut case = |name, seen, pool, bad| {
        let claims = Claims::new(random, name, Way::Cold, pool, bad);
        let signers: Vec<Address> = claims.signers().collect();
        Case { seen, checks: checks(&claims.claims, &signers), good: checks(&good(pool), &signers), claims }
    };
    let mut cases = vec![
        case("signers-hot-payer", Seen::Often, one, None),
        case("signers-known-payers", Seen::Once, distinct, None),
        case("signers-new-payers", Seen::Never, distinct, None),
    ];
    if !plan.pool {
        cases.push(case("signers-hot-payer-bad-1pct", Seen::Often, one, bad));
        cases.push(case("signers-known-payers-bad-1pct", Seen::Once, distinct, bad));
    }
    cases
}

fn checks(claims: &[Claim], signers: &[Address]) -> Vec<Check> {
    let check = |(Claim { signed, .. }, signer): (&Claim, &Address)| Check {
        digest: signed.digest,
        signature: signed.signature,
        signer: *signer,
    };
    claims.iter().zip(signers).map(check).collect()
}

pub(super) fn workload<'a>(case: &'a Case<'a>, plan: &'a Plan) -> Workload<'a> {
    let ours = plan.engine().map(|engine| by_engine(case, plan, engine));
    let sides = ours.into_iter().chain(case.claims.peers(plan)).collect();
    Workload { case: case.claims.case, round_items: case.claims.round_items, sides }
}

/// A new engine each round, unless it is to see payers often.
fn by_engine<'a>(case: &'a Case<'a>, plan: &'a Plan, engine: Engine) -> Side<'a> {
    let engine = Rc::new(RefCell::new(engine));
    let asked = Rc::clone(&engine);
    let work = move |batch: Range<usize>, answers: &mut Vec<_>| {
        answers.append(&mut asked.borrow().verify_signers(&case.checks[batch]));
    };
    let right = |item: usize, good: &bool| *good == case.claims.expected[item].is_ok();
    let before_round = move |items: Range<usize>| {
        if case.seen != Seen::Often {
            engine.replace(plan.engine().expect("there was one"));
        }
        if case.seen == Seen::Once {
            engine.borrow().verify_signers(&case.good[items]);
            case.claims.remember(plan);
        }
    };
    Side::ours(plan.engine_name(), Answers::new(work, right).before_round(before_round))
}
