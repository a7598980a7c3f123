//! The comparison of what backends answer with what is right.

pub(crate) use crate::subject::{Subject, at_most, has, is_slow, on, one_in, required, say_who_is_judged};

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use vigil_accel::{Backend, Claim, Comb, PublicKey, Recovered, SignatureError, Signed, Verdict, oracle};
use vigil_crypto::second_opinion;

/// Lanes that any backend may have: every case is tried in each.
const LANES: usize = 16;
/// Cases of a family for what stands in for a card.
const SPREAD: usize = 1_000;
/// Keys whose combs are held at once; a comb takes some hundred kilobytes.
const COMBS_AT_ONCE: usize = 64;

/// Items of `recover` and their right answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recoveries {
    pub items: Vec<Signed>,
    pub answers: Vec<Recovered>,
}

impl Recoveries {
    /// Judged by the oracle.
    pub(crate) fn judged(items: Vec<Signed>) -> Self {
        let answers = items.iter().map(oracle::recover).collect();
        Self { items, answers }
    }

    /// Some of them, from the first to the last, for stand-ins of cards: they have no lanes.
    fn spread(&self) -> Self {
        let step = (self.items.len() * one_in(4)).div_ceil(SPREAD).max(1);
        let items = self.items.iter().step_by(step).copied().collect();
        Self { items, answers: self.answers.iter().step_by(step).copied().collect() }
    }

    /// One batch.
    pub(crate) fn check(&self, backend: &dyn Backend) {
        let got = backend.recover(&self.items);
        compare(backend, "recover", &self.items, &got, &self.answers);
    }

    /// Each case alone, and in every lane.
    pub(crate) fn check_in_every_lane(&self, backend: &dyn Backend) {
        if is_slow() {
            return self.spread().check(backend);
        }
        for (item, answer) in self.items.iter().zip(&self.answers) {
            assert_eq!(backend.recover(&[*item]), [*answer], "{}: recover alone, {item:?}", backend.name());
        }
        let others = Self::judged(crate::make::honest(LANES).into_iter().map(|c| c.signed).collect());
        for ahead in 0..LANES {
            let items = [&others.items[..ahead], &self.items].concat();
            let answers = [&others.answers[..ahead], &self.answers].concat();
            Self { items, answers }.check(backend);
        }
    }
}

/// Items of the verifications and their right answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub claims: Vec<Claim>,
    pub answers: Vec<Verdict>,
}

impl Claims {
    /// Judged by the oracle.
    pub(crate) fn judged(claims: Vec<Claim>) -> Self {
        let answers = claims.iter().map(oracle::verify).collect();
        Self { claims, answers }
    }

    /// Known to be right.
    pub(crate) fn valid(claims: Vec<Claim>) -> Self {
        let answers = vec![Ok(()); claims.len()];
        Self { claims, answers }
    }

    pub(crate) fn push(&mut self, claim: Claim, answer: Verdict) {
        self.claims.push(claim);
        self.answers.push(answer);
    }

    /// Changes one claim and its answer.
    pub(crate) fn set(&mut self, i: usize, claim: Claim) {
        self.answers[i] = oracle::verify(&claim);
        self.claims[i] = claim;
    }

    /// The claims whose key is `kept`.
    fn of(&self, kept: impl Fn(&PublicKey) -> bool) -> Self {
        let pairs = self.claims.iter().zip(&self.answers).filter(|(claim, _)| kept(&claim.key));
        let (claims, answers) = pairs.map(|(claim, answer)| (*claim, *answer)).unzip();
        Self { claims, answers }
    }

    /// One batch of `verify_cold`, by a thread that has had none: one whose batches were bad no longer adds up the next.
    pub(crate) fn check_cold(&self, backend: &dyn Backend) {
        let got = std::thread::scope(|scope| scope.spawn(|| backend.verify_cold(&self.claims)).join());
        let got = got.unwrap_or_else(|panic| resume_unwind(panic));
        compare(backend, "verify_cold", &self.claims, &got, &self.answers);
    }

    /// One batch of `verify_cold`, by this thread, which has had others.
    pub(crate) fn check_cold_after_others(&self, backend: &dyn Backend) {
        let got = backend.verify_cold(&self.claims);
        compare(backend, "verify_cold", &self.claims, &got, &self.answers);
    }

    /// Batches of `verify_hot`, a batch for so many keys as are held at once; keys that are no points have no table.
    pub(crate) fn check_hot(&self, backend: &dyn Backend) {
        let mut keys: Vec<_> = self.claims.iter().map(|claim| claim.key.0).collect();
        keys.sort_unstable();
        keys.dedup();
        for some in keys.chunks(COMBS_AT_ONCE) {
            let combs = Combs::of(backend, some.iter().map(|key| PublicKey(*key)));
            combs.check(backend, &self.of(|key| combs.get(key).is_some()));
        }
    }

    /// As [`Recoveries::spread`].
    fn spread(&self) -> Self {
        let step = (self.claims.len() * one_in(4)).div_ceil(SPREAD).max(1);
        let claims = self.claims.iter().step_by(step).copied().collect();
        Self { claims, answers: self.answers.iter().step_by(step).copied().collect() }
    }

    /// Each claim alone, and in every lane, by both verifications.
    pub(crate) fn check_in_every_lane(&self, backend: &dyn Backend, hot: bool) {
        if is_slow() && self.claims.len() > SPREAD {
            return self.spread().check_in_every_lane(backend, hot);
        }
        let others = crate::make::honest(LANES);
        let keys = self.claims.iter().chain(&others).map(|claim| claim.key);
        let combs = Combs::of(backend, keys.filter(|_| hot));
        let run = |batch: &Self| if hot { combs.check(backend, batch) } else { batch.check_cold(backend) };
        let here = self.of(|key| !hot || combs.get(key).is_some());
        if is_slow() {
            return run(&here);
        }
        for (claim, answer) in here.claims.iter().zip(&here.answers) {
            run(&Self { claims: vec![*claim], answers: vec![*answer] });
        }
        for ahead in 0..LANES {
            let mut batch = Self::valid(others[..ahead].to_vec());
            batch.claims.extend(&here.claims);
            batch.answers.extend(&here.answers);
            run(&batch);
        }
    }
}

/// Tables of some keys.
pub(crate) struct Combs(BTreeMap<[u8; 64], Option<Comb>>);

impl Combs {
    /// Of these keys.
    pub(crate) fn of(backend: &dyn Backend, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable_by_key(|key| key.0);
        keys.dedup();
        let combs = backend.build_combs(&keys);
        assert_eq!(combs.len(), keys.len());
        for (key, comb) in keys.iter().zip(&combs) {
            assert_eq!(comb.is_some(), crate::make::is_point(key), "{}: table of {key:?}", backend.name());
            assert!(comb.as_ref().is_none_or(|comb| comb.key() == key), "{}: another key's table", backend.name());
        }
        Self(keys.iter().map(|key| key.0).zip(combs).collect())
    }

    fn get(&self, key: &PublicKey) -> Option<&Comb> {
        self.0.get(&key.0)?.as_ref()
    }

    /// One batch of `verify_hot`.
    pub(crate) fn check(&self, backend: &dyn Backend, batch: &Claims) {
        let combs: Vec<_> = batch.claims.iter().map(|claim| self.get(&claim.key).expect("has a table")).collect();
        let got = backend.verify_hot(&batch.claims, &combs);
        compare(backend, "verify_hot", &batch.claims, &got, &batch.answers);
    }
}

/// Names the first item that is wrong, and how many are.
fn compare<I: std::fmt::Debug, A: PartialEq + std::fmt::Debug>(
    backend: &dyn Backend,
    operation: &str,
    items: &[I],
    got: &[A],
    right: &[A],
) {
    assert_eq!(got.len(), items.len(), "{}: {operation}: one answer an item", backend.name());
    assert_eq!(right.len(), items.len(), "one right answer an item");
    let wrong: Vec<_> = (0..items.len()).filter(|i| got[*i] != right[*i]).collect();
    let Some(&i) = wrong.first() else { return };
    panic!(
        "{}: {operation}: {} of {} answers are wrong, the first at {i}: {:?} instead of {:?} for {:?}",
        backend.name(),
        wrong.len(),
        items.len(),
        got[i],
        right[i],
        items[i]
    );
}

/// libsecp256k1 and k256 recover the same accounts, and give the same reasons.
pub(crate) fn oracles_agree(items: &[Signed]) {
    let step = if vigil_testkit::vectors::long() { 1 } else { 1 + items.len() / 2_000 };
    for item in items.iter().step_by(step) {
        let (first, second) = (oracle::recover(item), second_opinion::recover(&item.digest, &item.signature));
        assert_eq!(first.map(|signer| signer.address), second, "{item:?}");
        let Ok(signer) = first else { continue };
        assert_eq!(oracle::verify(&Claim { signed: *item, key: signer.key }), Ok(()));
        let other = PublicKey([1; 64]);
        assert_eq!(oracle::verify(&Claim { signed: *item, key: other }), Err(SignatureError::WrongKey));
    }
}
