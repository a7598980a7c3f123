//! `checkpoint`: votes of guardians. An item is one call: a merge of 20 votes, a table, a sum or hashes of a whole set.

use super::inputs::{Random, random};
use super::plan::Plan;
use super::side::{Answers, Side, Workload};
use blst::MultiPoint;
use blst::min_pk::Signature;
use rand::Rng;
use std::ops::Range;
use std::sync::Arc;
use vigil_accel::checkpoint::{Aggregate, GuardianKey, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme};
use vigil_accel::pieces::checkpoint::{BlstKeys, add_keys, sum_of_hashes};
use vigil_accel::{Backend, BackendName};
use vigil_crypto::bls::SecretKey;

const PEER: &str = "blst";
const PAIRINGS_PEER: &str = "blst-pairings";
/// Votes of one merge.
const VOTES: usize = 20;
const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// Of the 20,000 pairings that a peer would need for 20 votes of 1,000 guardians, those that are measured.
const PAIRINGS_MEASURED: usize = 100;
const MESSAGE: &[u8] =
    b"the tag, chain id, height, block hash and set hash of a checkpoint: about as many bytes as this";

/// A guardian set and its votes in one scheme.
struct World {
    guardians: Arc<GuardianKeys>,
    keys: BlstKeys,
    signed: Vec<Vec<u8>>,
    /// Everybody's signature.
    of_all: [u8; 96],
    votes: Vec<Aggregate>,
    scheme: Scheme,
}

/// Cases `pop-nN-k20` (sums of 20 votes of N guardians), `pop-n1000-vs-pairings`, `augmented-table-n1000` (once a checkpoint),
/// `augmented-n1000-k20` (a merge with it), `g1-sum-n1000`, `hash-to-g2-n1000`. Quick runs leave out those that take long.
pub(crate) fn with(plan: &Plan, seed: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
    let mut random = random(seed);
    let few = World::new(&mut random, Scheme::ProofOfPossession, FEW);
    let many = (!plan.quick).then(|| World::new(&mut random, Scheme::ProofOfPossession, MANY));
    let augmented = World::new(&mut random, Scheme::Augmented, FEW);
    let mut workloads = vec![
        few.merges("pop-n1000-k20", plan, vec![few.peer()]),
        few.merges("pop-n1000-vs-pairings", plan, vec![few.pairings()]),
        augmented.table(plan),
        augmented.merges("augmented-n1000-k20", plan, vec![augmented.peer()]),
        few.sums(plan),
        few.hashes(plan),
    ];
    workloads.extend(many.as_ref().map(|many| many.merges("pop-n10000-k20", plan, vec![many.peer()])));
    body(&mut workloads);
}

impl World {
    fn new(random: &mut Random, scheme: Scheme, n: usize) -> Self {
        let secrets: Vec<SecretKey> = (0..n).map(|_| secret(random)).collect();
        let keys: Vec<GuardianKey> = secrets.iter().map(SecretKey::public_key).collect();
        let signature =
            |secret: &SecretKey| Signature::from_bytes(&secret.sign(scheme, MESSAGE).to_bytes()).expect("a signature");
        let signatures: Vec<Signature> = secrets.iter().map(signature).collect();
        let guardians = Arc::new(GuardianKeys::new(&keys));
        let sum = |signers: &[u8]| signatures.as_slice().mult(signers, 8).to_signature().compress();
        let vote = || {
            // A third has not signed, and the others any number of times.
            let entry = |_| if random.random_range(0..3) == 0 { 0 } else { random.random() };
            let signers: Vec<u8> = (0..n).map(entry).collect();
            Aggregate { signature: sum(&signers), signers }
        };
        let votes = std::iter::repeat_with(vote).take(VOTES).collect();
        let signed = guardians.signed(0..n, MESSAGE);
        Self { keys: BlstKeys::new(&guardians), guardians, signed, of_all: sum(&vec![1; n]), votes, scheme }
    }

    /// A merge, on each backend.
    fn merges<'a>(&'a self, case: &'static str, plan: &Plan, peers: Vec<Side<'a>>) -> Workload<'a> {
        let side = |backend: &&'static dyn Backend| {
            let backend = *backend;
            let prepared = backend.prepare_checkpoint(self.scheme, &self.guardians, MESSAGE);
            ours(backend, move || backend.merge_votes(&prepared, &self.votes), |merged| self.accepted(merged))
        };
        one_call(case, plan.backends.iter().map(side).chain(peers).collect())
    }

    fn accepted(&self, merged: &Merged) -> bool {
        merged.verdicts.len() == VOTES && merged.verdicts.iter().all(Result::is_ok) && merged.sum.is_some()
    }

    /// Each vote for itself.
    fn peer(&self) -> Side<'_> {
        let verify = |vote: &Aggregate| match self.scheme {
            Scheme::ProofOfPossession => self.keys.verify_vote(MESSAGE, &vote.signature, &vote.signers),
            Scheme::Augmented => self.keys.verify_augmented(&self.signed, &vote.signature, &vote.signers),
        };
        // One aggregate_verify is what a merge is compared with in the augmented scheme.
        let count = if self.scheme == Scheme::Augmented { 1 } else { VOTES };
        peer(PEER, move || self.votes[..count].iter().all(verify), |good| *good)
    }

    /// A pairing for each guardian and vote, of which some are measured.
    fn pairings(&self) -> Side<'_> {
        let side = peer(PAIRINGS_PEER, || self.keys.pairings(MESSAGE, PAIRINGS_MEASURED), |good| *good);
        Side { times: (FEW * VOTES) as f64 / PAIRINGS_MEASURED as f64, ..side }
    }

    /// The Miller values of all guardians.
    fn table<'a>(&'a self, plan: &Plan) -> Workload<'a> {
        let side = |backend: &&'static dyn Backend| {
            let backend = *backend;
            let right = move |values: &Vec<MillerValue>| {
                let prepared = PreparedCheckpoint::augmented(self.guardians.clone(), MESSAGE, values.clone());
                self.accepted(&backend.merge_votes(&prepared, &self.votes))
            };
            ours(backend, move || backend.miller_values(&self.guardians, 0..FEW, MESSAGE), right)
        };
        let by_blst = || self.keys.miller_values(&self.signed);
        let peer = peer(PEER, by_blst, |values| self.keys.is_table(values, &self.of_all));
        one_call("augmented-table-n1000", plan.backends.iter().map(side).chain([peer]).collect())
    }

    fn sums<'a>(&'a self, plan: &Plan) -> Workload<'a> {
        let by_blst = self.keys.add();
        let sides = vectors(plan).map(|backend| {
            ours(backend, move || add_keys(backend.name(), &self.guardians), move |sum| *sum == by_blst)
        });
        let peer = peer(PEER, || self.keys.add(), move |sum| *sum == by_blst);
        one_call("g1-sum-n1000", sides.chain([peer]).collect())
    }

    fn hashes<'a>(&'a self, plan: &Plan) -> Workload<'a> {
        let tag = Scheme::Augmented.tag();
        let by = move |backend| sum_of_hashes(backend, &self.signed, tag);
        let by_blst = by(BackendName::Portable);
        let sides = vectors(plan).map(|backend| ours(backend, move || by(backend.name()), move |sum| *sum == by_blst));
        let peer = peer(PEER, move || by(BackendName::Portable), move |sum| *sum == by_blst);
        one_call("hash-to-g2-n1000", sides.chain([peer]).collect())
    }
}

fn secret(random: &mut Random) -> SecretKey {
    let mut bytes: [u8; 32] = random.random();
    bytes[0] >>= 2;
    SecretKey::from_bytes(&bytes).expect("below the order of the group")
}

/// The backends that do not leave steps to blst.
fn vectors(plan: &Plan) -> impl Iterator<Item = &'static dyn Backend> {
    plan.backends.iter().copied().filter(|backend| backend.name() == BackendName::Avx512Ifma)
}

fn one_call<'a>(case: &'static str, sides: Vec<Side<'a>>) -> Workload<'a> {
    Workload { case, round_items: 1, sides }
}

fn ours<'a, T: 'a>(backend: &dyn Backend, call: impl Fn() -> T + 'a, right: impl Fn(&T) -> bool + 'a) -> Side<'a> {
    let judge = move |_, answer: &T| right(answer);
    Side::ours(backend.name().as_str(), Answers::new(again(call), judge))
}

fn peer<'a, T: 'a>(name: &'static str, call: impl Fn() -> T + 'a, right: impl Fn(&T) -> bool + 'a) -> Side<'a> {
    let judge = move |_, answer: &T| right(answer);
    Side::peer(name, 1, Answers::new(again(call), judge))
}

/// Calls once for each item of a batch.
fn again<T>(call: impl Fn() -> T) -> impl FnMut(Range<usize>, &mut Vec<T>) {
    move |batch, all| all.extend(batch.map(|_| call()))
}
