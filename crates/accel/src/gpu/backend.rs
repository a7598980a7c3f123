//! The backend of graphics cards.

use super::canaries::Canaries;
use super::card::{Buffer, Card, CardInfo, Fault};
use super::checkpoint::{on_card, self_test as bls_self_test};
use super::find::Limits;
use super::guard::Canary;
use super::health::{Standing, Test};
use super::post::{Kind, Pending, Post, SET_UP, within};
use super::question::{Cold, Hot, Message, OfMessage, Question, Recover};
use super::tables::{self, Tables};
use crate::backend::{Backend, BackendName};
use crate::checkpoint::{self, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme};
use crate::comb::Comb;
use crate::engine::Op;
use crate::engine::metrics::{record_batch, record_fallback};
use crate::ops::{Claim, PublicKey, Recovered, Signed, SignedMessage, Verdict};
use crate::oracle;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vigil_crypto::SignatureError;
use vigil_primitives::Hash;

/// One graphics card, and the CPU's backend that checks it and takes over where it fails.
pub struct Gpu {
    name: BackendName,
    pub(super) post: Post,
    pub(super) cpu: &'static dyn Backend,
    pub(super) canaries: Canaries,
    /// Room for tables of keys, which the canaries' takes a part of.
    pub(super) room: Arc<Buffer>,
    pub(super) tables: tables::Shared,
    /// Tables on their way there.
    pub(super) upload: Mutex<Option<Pending<()>>>,
}

/// `cuda 0: NVIDIA H200`, or `cuda 0` where the name is not known.
pub(super) fn label(kind: BackendName, number: usize, name: Option<&str>) -> String {
    name.map_or(format!("{kind} {number}"), |name| format!("{kind} {number}: {name}"))
}

impl Gpu {
    /// Sets a card up and tests it with every question.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`] if it fails the test.
    pub(crate) fn open(name: BackendName, card: Arc<dyn Card>, cpu: &'static dyn Backend) -> Result<Self, Fault> {
        Self::open_within(name, 0, card, cpu, SET_UP, Limits::default())
    }

    /// As [`Gpu::open`], with its number among those of its kind, and another time limit.
    pub(crate) fn open_within(
        name: BackendName,
        number: usize,
        card: Arc<dyn Card>,
        cpu: &'static dyn Backend,
        limit: Duration,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let label = label(name, number, Some(&card.info().name));
        let post = Post::open(card, limit, limits.threads)?.called(label);
        let card = Arc::clone(&post.card);
        let (room, count) = within(limit, move || tables::room(&card, limits.table_bytes))?;
        let (room, tables) = (Arc::new(room), Arc::new(Mutex::new(Tables::new(count))));
        let gpu = Self { name, post, cpu, canaries: Canaries::new(), room, tables, upload: Mutex::default() };
        gpu.tables_anew()?;
        gpu.self_test()?;
        if !gpu.info().software {
            // The first time takes what it takes to build kernels and to make room.
            gpu.post.forget_paces();
            gpu.tables_anew()?;
            gpu.self_test()?;
        }
        gpu.tell();
        Ok(gpu)
    }

    /// What it is.
    pub fn info(&self) -> &CardInfo {
        self.post.card.info()
    }

    /// Why it is not used; `None` while it is.
    pub fn why_not(&self) -> Option<Fault> {
        self.post.health.why_not()
    }

    /// `cuda 0: NVIDIA H200`: one on this machine has this label, in metrics and everywhere.
    pub fn label(&self) -> &str {
        self.post.health.label()
    }

    /// Faults so far.
    pub fn faults(&self) -> u32 {
        self.post.health.faults()
    }

    /// Whether it is to be asked now. One that has rested is tested first, on a thread of its own: no batch waits for that.
    pub(crate) fn is_ready(&'static self) -> bool {
        match self.post.health.standing(Instant::now()) {
            Standing::Good => true,
            Standing::Resting => false,
            Standing::ToBeTested(test) => {
                let tester = std::thread::Builder::new().name("gpu-test".to_owned());
                // Without a thread it rests once more.
                let _ = tester.spawn(move || self.test_again(test));
                false
            }
        }
    }

    /// Tells the recorder of metrics how it is.
    pub(crate) fn tell(&self) {
        self.post.health.tell();
    }

    /// Asks every question, with the canaries as items.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`].
    pub fn self_test(&self) -> Result<(), Fault> {
        let c = &self.canaries;
        self.test(&c.recover, |items| self.answers::<Recover>(items, &c.recover, &self.cpu_oracle::<Recover>()))?;
        self.test(&c.cold, |items| self.answers::<Cold>(items, &c.cold, &self.cpu_oracle::<Cold>()))?;
        self.test(&c.hot, |items| self.answers::<Hot>(items, &c.hot, &self.cpu_oracle::<Hot>()))?;
        self.test(&c.messages, |items| {
            let borrowed: Vec<SignedMessage<'_>> = items.iter().map(Message::borrowed).collect();
            self.signed_messages(&borrowed, &self.cpu_oracle::<OfMessage>())
        })?;
        let messages: Vec<Vec<u8>> = (0..300).map(|length| vec![length as u8; length]).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let digests = self.digests(&messages, &|some| self.hash_on_cpu(some))?;
        if digests.iter().zip(&messages).any(|(digest, message)| *digest != oracle::digest(message)) {
            return Err(Fault::Lies("a digest of the self-test is wrong".to_owned()));
        }
        let vectors = [[1u8, 2, 255, 0, 7].as_slice(), &[0, 255, 255, 1, 9]];
        let (weights, mut sums, mut right) = ([u64::MAX, 3], [0; 5], [0; 5]);
        self.sums(&vectors, &weights, &mut sums)?;
        vigil_crypto::signer_vectors::weighted_sums(&vectors, &weights, &mut right);
        if sums != right {
            return Err(Fault::Lies("a sum of the self-test is wrong".to_owned()));
        }
        bls_self_test(&self.post)
    }

    fn test<Q: Question>(
        &self,
        canaries: &[Canary<Q>],
        ask: impl Fn(&[Q::Item]) -> Result<Vec<Result<Q::Answer, SignatureError>>, Fault>,
    ) -> Result<(), Fault> {
        let items: Vec<Q::Item> = canaries.iter().map(|canary| canary.item.clone()).collect();
        let answers = ask(&items)?;
        let right = answers.into_iter().zip(canaries).all(|(answer, canary)| answer.ok() == canary.answer);
        if right { Ok(()) } else { Err(Fault::Lies(format!("{}: self-test", Q::FINISH.name()))) }
    }

    fn cpu_oracle<Q: Question>(&self) -> impl Fn(&[Q::Item]) -> Vec<Result<Q::Answer, SignatureError>> {
        |items: &[Q::Item]| items.iter().map(Q::oracle).collect()
    }

    /// Whether the card may be asked; one that has rested is tested first.
    fn is_usable(&self) -> bool {
        match self.post.health.standing(Instant::now()) {
            Standing::Good => true,
            Standing::Resting => false,
            Standing::ToBeTested(test) => self.test_again(test),
        }
    }

    /// After a rest. What stays on the card is written anew, as it may be what was wrong.
    pub(super) fn test_again(&self, test: Test) -> bool {
        let refreshed = self.post.send(Kind::Tables, 1, |desk, limit| desk.refresh(limit)).wait();
        let tested = refreshed.and_then(|()| self.tables_anew()).and_then(|()| self.self_test());
        match &tested {
            Ok(()) => self.post.health.passed(test),
            Err(fault) => self.failed(fault),
        }
        tested.is_ok()
    }

    fn hash_on_cpu(&self, messages: &[&[u8]]) -> Vec<Hash> {
        let mut digests = vec![Hash::ZERO; messages.len()];
        self.cpu.keccak256(messages, &mut digests);
        digests
    }

    /// It is not trusted for a while, or not again.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.post.health.failed(fault, Instant::now());
    }

    /// What the card answers about so many items, or the CPU where it fails.
    pub(super) fn or_cpu<R>(
        &self,
        op: Op,
        items: usize,
        card: impl FnOnce() -> Result<R, Fault>,
        cpu: impl FnOnce() -> R,
    ) -> R {
        if !self.is_usable() {
            return cpu();
        }
        let started = Instant::now();
        match card() {
            Ok(answers) => {
                record_batch(op, self.name.as_str(), items, started.elapsed());
                answers
            }
            Err(fault) => {
                self.failed(&fault);
                record_fallback(op, self.name.as_str(), self.cpu.name().as_str(), items);
                cpu()
            }
        }
    }

    /// Items that wait for the card or are worked on.
    pub(crate) fn under_way(&self) -> usize {
        self.post.under_way()
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("name", &self.name).field("card", self.info()).finish_non_exhaustive()
    }
}

impl Gpu {
    /// As [`Backend::miller_values`], of values that are as good as the card; `by_cpu` where it fails.
    pub(crate) fn miller_values_with(
        &self,
        guardians: &GuardianKeys,
        range: Range<usize>,
        message: &[u8],
        by_cpu: impl FnOnce() -> Vec<MillerValue>,
    ) -> Vec<MillerValue> {
        let by_card =
            || on_card(&self.post, |maths| checkpoint::miller_values(maths, guardians, range.clone(), message));
        self.or_cpu(Op::MillerValues, range.len(), by_card, by_cpu)
    }
}

impl Backend for Gpu {
    fn name(&self) -> BackendName {
        self.name
    }

    fn distrusted(&self) -> Option<String> {
        self.why_not().map(|fault| fault.to_string())
    }

    fn miller_values(&self, guardians: &GuardianKeys, range: Range<usize>, message: &[u8]) -> Vec<MillerValue> {
        let by_cpu = || self.cpu.miller_values(guardians, range.clone(), message);
        self.miller_values_with(guardians, range.clone(), message, by_cpu)
    }

    fn prepare_checkpoint(&self, scheme: Scheme, guardians: &Arc<GuardianKeys>, message: &[u8]) -> PreparedCheckpoint {
        let of = Arc::clone(guardians);
        match scheme {
            Scheme::ProofOfPossession => PreparedCheckpoint::proof_of_possession(of, message),
            Scheme::Augmented => {
                let values = self.miller_values(guardians, 0..guardians.len(), message);
                PreparedCheckpoint::augmented(of, message, values).by_card()
            }
        }
    }

    /// What the card finds good is good: no wrong value fulfils an equation of pairings. The CPU decides about all else.
    fn merge_votes(&self, checkpoint: &PreparedCheckpoint, votes: &[Aggregate]) -> Merged {
        let (guardians, message) = (checkpoint.guardians(), checkpoint.message());
        let values = || self.cpu.miller_values(guardians, 0..guardians.len(), message);
        let merge = || self.cpu.merge_votes(checkpoint, votes);
        let by_card = || {
            let merged = on_card(&self.post, |maths| checkpoint::merge(maths, checkpoint, votes))?;
            if merged.verdicts.iter().all(Result::is_ok) {
                return Ok(merged);
            }
            checkpoint.trust(values);
            let right = merge();
            if merged == right { Ok(right) } else { Err(Fault::Lies("votes: the CPU finds otherwise".to_owned())) }
        };
        self.or_cpu(Op::Checkpoint, votes.len(), by_card, || checkpoint.judged(merge, values).0)
    }

    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        self.recover_with(items, &|items| self.cpu.recover(items))
    }

    fn verify_cold(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.cold_with(claims, &|claims| self.cpu.verify_cold(claims))
    }

    fn verify_hot(&self, claims: &[Claim], combs: &[&Comb]) -> Vec<Verdict> {
        assert_eq!(claims.len(), combs.len(), "a table for each claim");
        for (claim, comb) in claims.iter().zip(combs) {
            assert_eq!(comb.key(), &claim.key, "the table of the claimed key");
        }
        let pairs: Vec<(Claim, &Comb)> = claims.iter().copied().zip(combs.iter().copied()).collect();
        if self.why_not().is_none()
            && let Err(fault) = self.load(combs)
        {
            self.failed(&fault);
        }
        self.hot_with(&pairs, &|pairs| {
            let (claims, combs): (Vec<Claim>, Vec<&Comb>) = pairs.iter().copied().unzip();
            self.cpu.verify_hot(&claims, &combs)
        })
    }

    fn verify_messages(&self, messages: &[SignedMessage<'_>]) -> Vec<bool> {
        self.verify_messages_with(messages, &|some| self.cpu.verify_messages(some))
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        self.cpu.build_combs(keys)
    }

    fn keccak256(&self, messages: &[&[u8]], out: &mut [Hash]) {
        assert_eq!(messages.len(), out.len(), "one digest a message");
        out.copy_from_slice(&self.keccak256_with(messages, &|some| self.hash_on_cpu(some)));
    }

    fn weighted_sums(&self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) {
        vigil_crypto::signer_vectors::check_shape(sums.len(), vectors);
        assert_eq!(vectors.len(), weights.len(), "a weight for each vector");
        let n = sums.len();
        let by_card = || {
            let mut sums = vec![0; n];
            self.sums(vectors, weights, &mut sums).map(|()| sums)
        };
        let by_cpu = || {
            let mut sums = vec![0; n];
            self.cpu.weighted_sums(vectors, weights, &mut sums);
            sums
        };
        sums.copy_from_slice(&self.or_cpu(Op::SignerVectors, vectors.len(), by_card, by_cpu));
    }
}
