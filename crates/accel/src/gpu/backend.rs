//! The backend of graphics cards.

use super::canaries::{Canaries, TABLE};
use super::card::{Card, CardInfo, Fault};
use super::checkpoint::{OnCard, self_test as bls_self_test};
use super::desk::{Messages, SUMS_ANSWER};
use super::guard::{ByCpu, CANARIES, Canary, Mixed, judge};
use super::health::Standing;
use super::post::{Pending, Post, SET_UP};
use super::question::{Cold, Hot, Message, OfMessage, Question, Recover, WithTable};
use super::tables::Tables;
use super::tag::{Rows, Seeds, TAG};
use crate::backend::{Backend, BackendName};
use crate::bls::plain::Plain;
use crate::checkpoint::{self, Aggregate, GuardianKeys, Merged, MillerValue, PreparedCheckpoint, Scheme};
use crate::comb::Comb;
use crate::engine::Op;
use crate::engine::metrics::{record_batch, record_fallback};
use crate::ops::{Claim, PublicKey, Recovered, Signed, SignedMessage, Verdict};
use crate::oracle;
use rand::Rng;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vigil_crypto::SignatureError;
use vigil_primitives::Hash;

/// Items that are worth a launch of their own; larger batches go in several, so that copies and kernels overlap.
const CHUNK: usize = 16_384;
/// Chunks of a batch, where it is large enough.
const CHUNKS: usize = 6;
/// Most bytes of messages of a launch.
const MESSAGES_BYTES: usize = 8 * 1024 * 1024;
/// More signer vectors are summed by the CPU: a thread of a card takes one entry of all.
const VECTORS_MAX: usize = 4_096;
/// One in so many sums is worked out again by the CPU.
const SAMPLED: usize = 256;

/// Answers of the CPU to claims with tables.
type HotByCpu<'a, 'c> = &'a dyn Fn(&[(Claim, &'c Comb)]) -> Vec<Verdict>;

/// One graphics card, and the CPU's backend that checks it and takes over where it fails.
pub struct Gpu {
    name: BackendName,
    pub(super) post: Post,
    pub(super) cpu: &'static dyn Backend,
    pub(super) canaries: Canaries,
    /// Locked for a batch: no table moves while it is used.
    tables: Mutex<Option<Tables>>,
}

/// `cuda 0: NVIDIA H200`, or `cuda 0` where the name is not known.
pub(super) fn label(kind: BackendName, number: usize, name: Option<&str>) -> String {
    name.map_or(format!("{kind} {number}"), |name| format!("{kind} {number}: {name}"))
}

impl Gpu {
    /// Longer messages are hashed by the CPU: one thread of a card would take long.
    pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

    /// Sets a card up and tests it with every question.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`] if it fails the test.
    pub(crate) fn open(name: BackendName, card: Arc<dyn Card>, cpu: &'static dyn Backend) -> Result<Self, Fault> {
        Self::open_within(name, 0, card, cpu, SET_UP)
    }

    /// As [`Gpu::open`], with its number among those of its kind, and another time limit.
    pub(crate) fn open_within(
        name: BackendName,
        number: usize,
        card: Arc<dyn Card>,
        cpu: &'static dyn Backend,
        limit: Duration,
    ) -> Result<Self, Fault> {
        let label = label(name, number, Some(&card.info().name));
        let post = Post::open(card, limit)?.called(label);
        let gpu = Self { name, post, cpu, canaries: Canaries::new(), tables: Mutex::new(None) };
        gpu.self_test()?;
        gpu.post.health.passed();
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

    /// Whether it is not to be asked for now, not even to be tested.
    pub(crate) fn is_resting(&self) -> bool {
        self.post.health.standing(Instant::now()) == Standing::Resting
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
        self.test(&c.recover, |items| self.chunks::<Recover>(items, &c.recover, &self.cpu_oracle::<Recover>()))?;
        self.test(&c.cold, |items| self.chunks::<Cold>(items, &c.cold, &self.cpu_oracle::<Cold>()))?;
        self.test(&c.messages, |items| {
            let borrowed: Vec<SignedMessage<'_>> = items.iter().map(Message::borrowed).collect();
            self.signed_messages(&borrowed, &self.cpu_oracle::<OfMessage>())
        })?;
        self.test(&c.hot, |items| {
            self.with_tables(&[], |_, tables| self.hot_chunks(items, tables, &self.cpu_oracle::<Hot>()))
        })?;
        let messages: Vec<Vec<u8>> = (0..300).map(|length| vec![length as u8; length]).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let mut digests = vec![Hash::ZERO; messages.len()];
        self.digests(&messages, &mut digests)?;
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
            Standing::ToBeTested => match self.self_test() {
                Ok(()) => {
                    self.post.health.passed();
                    true
                }
                Err(fault) => {
                    self.failed(&fault);
                    false
                }
            },
        }
    }

    /// It is not trusted for a while, or not again.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.post.health.failed(fault, Instant::now());
    }

    /// What the card answers about so many items, or the CPU where it fails.
    fn or_cpu<R>(&self, op: Op, items: usize, card: impl FnOnce() -> Result<R, Fault>, cpu: impl FnOnce() -> R) -> R {
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

    /// As [`Backend::recover`]; `by_cpu` does what the card does not, on as many threads as it likes.
    pub(crate) fn recover_with(&self, items: &[Signed], by_cpu: ByCpu<'_, Recover>) -> Vec<Recovered> {
        let by_card = || self.chunks::<Recover>(items, &self.canaries.recover, by_cpu);
        self.or_cpu(Op::Recover, items.len(), by_card, || by_cpu(items))
    }

    /// As [`Backend::verify_cold`].
    pub(crate) fn cold_with(&self, claims: &[Claim], by_cpu: ByCpu<'_, Cold>) -> Vec<Verdict> {
        let by_card = || self.chunks::<Cold>(claims, &self.canaries.cold, by_cpu);
        self.or_cpu(Op::VerifyCold, claims.len(), by_card, || by_cpu(claims))
    }

    /// As [`Backend::verify_hot`], of claims with the tables of their keys.
    pub(crate) fn hot_with<'c>(&self, claims: &[(Claim, &'c Comb)], by_cpu: HotByCpu<'_, 'c>) -> Vec<Verdict> {
        self.or_cpu(Op::VerifyHot, claims.len(), || self.hot(claims, by_cpu), || by_cpu(claims))
    }

    /// Items that wait for the card or are worked on.
    pub(crate) fn under_way(&self) -> usize {
        self.post.under_way()
    }

    /// Whether each account signed its message: the digests never leave the card. The CPU's backend, on this thread, does what
    /// the card does not.
    pub fn verify_messages(&self, messages: &[SignedMessage<'_>]) -> Vec<bool> {
        self.verify_messages_with(messages, &|some| {
            let texts: Vec<&[u8]> = some.iter().map(|signed| signed.message).collect();
            let mut digests = vec![Hash::ZERO; some.len()];
            self.cpu.keccak256(&texts, &mut digests);
            let signed =
                |(signed, digest): (&SignedMessage<'_>, &Hash)| Signed { digest: *digest, signature: signed.signature };
            let signers = self.cpu.recover(&some.iter().zip(&digests).map(signed).collect::<Vec<_>>());
            some.iter().zip(signers).map(|(signed, signer)| signer.is_ok_and(|s| s.address == signed.signer)).collect()
        })
    }

    /// As [`Gpu::verify_messages`]; `by_cpu` does what the card does not, on as many threads as it likes.
    pub(crate) fn verify_messages_with<'m>(
        &self,
        messages: &[SignedMessage<'m>],
        by_cpu: &dyn Fn(&[SignedMessage<'m>]) -> Vec<bool>,
    ) -> Vec<bool> {
        let again = |some: &[Message]| {
            let some: Vec<SignedMessage<'m>> = some.iter().map(|message| messages[message.at]).collect();
            let verdict = |good| if good { Ok(()) } else { Err(SignatureError::WrongKey) };
            by_cpu(&some).into_iter().map(verdict).collect()
        };
        // The engine gives long ones to the CPU before.
        if messages.iter().any(|signed| signed.message.len() > Self::MESSAGE_BYTES_MAX) {
            return by_cpu(messages);
        }
        let by_card = || {
            let verdicts = self.signed_messages(messages, &again)?;
            Ok(verdicts.iter().map(Result::is_ok).collect())
        };
        self.or_cpu(Op::Recover, messages.len(), by_card, || by_cpu(messages))
    }

    /// Of messages that are not too long.
    fn signed_messages(
        &self,
        messages: &[SignedMessage<'_>],
        by_cpu: ByCpu<'_, OfMessage>,
    ) -> Result<Vec<Verdict>, Fault> {
        let (chunk, mut done, mut pending) = (self.chunk(messages.len()), 0, Vec::new());
        while done < messages.len() {
            let rest = &messages[done..];
            let some = &rest[..fitting(rest.iter().map(|signed| signed.message.len()), chunk)];
            let (items, canaries) = (Message::copies(some, done), self.canaries.messages.clone());
            done += some.len();
            pending.push(self.post.send(items.len(), move |desk, limit| {
                let (mixed, seeds) = (Mixed::<OfMessage>::new(items, &canaries, &mut rand::rng()), Seeds::random());
                let mut messages = Messages::default();
                mixed.items().for_each(|item| messages.push(item.text()));
                let answers = desk.signed_messages::<OfMessage>(&mixed.rows, &messages, seeds, limit)?;
                let said = mixed.read(&answers, seeds)?;
                Ok((mixed.into_items(), said))
            }));
        }
        let mut verdicts = Vec::with_capacity(messages.len());
        for answers in pending {
            let (items, said) = answers.wait()?;
            judge::<OfMessage>(&items, said, &mut rand::rng(), by_cpu, &mut verdicts)?;
        }
        Ok(verdicts)
    }

    fn chunk(&self, items: usize) -> usize {
        let most = self.info().items_max.saturating_sub(CANARIES).max(1);
        items.div_ceil(CHUNKS).max(CHUNK).min(most)
    }

    fn chunks<Q: Question>(
        &self,
        items: &[Q::Item],
        canaries: &[Canary<Q>],
        by_cpu: ByCpu<'_, Q>,
    ) -> Result<Vec<Result<Q::Answer, SignatureError>>, Fault> {
        let pending: Vec<_> = items
            .chunks(self.chunk(items.len()))
            .map(|chunk| {
                let (items, canaries) = (chunk.to_vec(), canaries.to_vec());
                let answers = self.post.send(items.len(), move |desk, limit| {
                    let (mixed, seeds) = (Mixed::<Q>::new(items, &canaries, &mut rand::rng()), Seeds::random());
                    let answers = desk.signatures::<Q>(&mixed.rows, None, seeds, limit)?;
                    mixed.read(&answers, seeds)
                });
                (chunk, answers)
            })
            .collect();
        collect(pending, |chunk, said, answers| judge::<Q>(chunk, said, &mut rand::rng(), by_cpu, answers))
    }

    /// Signatures of keys with tables.
    fn hot<'c>(&self, claims: &[(Claim, &'c Comb)], by_cpu: HotByCpu<'_, 'c>) -> Result<Vec<Verdict>, Fault> {
        let room = self.with_tables(&[], |_, tables| Ok(tables.room()))?;
        let mut verdicts = Vec::with_capacity(claims.len());
        while verdicts.len() < claims.len() {
            let rest = &claims[verdicts.len()..];
            let mut seen = HashSet::new();
            let fit = rest.iter().take_while(|(_, comb)| {
                seen.insert(comb.identity());
                seen.len() <= room
            });
            let (some, _) = rest.split_at(fit.count());
            let combs: Vec<&Comb> = some.iter().map(|(_, comb)| *comb).collect();
            verdicts.append(&mut self.with_tables(&combs, |places, tables| {
                let item = |at: usize| WithTable { claim: some[at].0, table: places[at], at };
                let items: Vec<WithTable> = (0..some.len()).map(item).collect();
                let again = |items: &[WithTable]| by_cpu(&items.iter().map(|item| some[item.at]).collect::<Vec<_>>());
                self.hot_chunks(&items, tables, &again)
            })?);
        }
        Ok(verdicts)
    }

    /// With the tables of `combs` on the card; `work` gets their places.
    pub(super) fn with_tables<R>(
        &self,
        combs: &[&Comb],
        work: impl FnOnce(&[u32], &Tables) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let mut tables = self.tables();
        // Who had them before may have found out that the card hangs.
        if let Some(fault) = self.why_not().filter(|_| self.is_resting()) {
            return Err(fault);
        }
        if tables.is_none() {
            let card = Arc::clone(&self.post.card);
            let mut new = self.post.send(1, move |_, _| Tables::new(&card)).wait()?;
            let own = self.cpu.build_combs(&[*self.canaries.key()]).pop().flatten();
            let own = own.ok_or_else(|| Fault::Lies("the CPU makes no table of the canaries' key".to_owned()))?;
            let words = super::start::words_of_points(own.points());
            self.upload(&mut new, vec![(TABLE, words)])?;
            *tables = Some(new);
        }
        let tables = tables.as_mut().expect("just made");
        let (places, uploads) = tables.place(combs);
        if !uploads.is_empty() {
            self.upload(tables, uploads)?;
        }
        work(&places, tables)
    }

    fn upload(&self, tables: &mut Tables, uploads: super::tables::Uploads) -> Result<(), Fault> {
        let to = Arc::clone(&tables.buffer);
        let done = self.post.send(uploads.len(), move |desk, limit| desk.upload(&to, &uploads, limit)).wait();
        if done.is_err() {
            tables.forget();
        }
        done
    }

    fn hot_chunks(&self, items: &[WithTable], tables: &Tables, by_cpu: ByCpu<'_, Hot>) -> Result<Vec<Verdict>, Fault> {
        let number = tables.room() + 1;
        let pending: Vec<_> = items
            .chunks(self.chunk(items.len()))
            .map(|chunk| {
                let (items, canaries) = (chunk.to_vec(), self.canaries.hot.clone());
                let buffer = Arc::clone(&tables.buffer);
                let answers = self.post.send(items.len(), move |desk, limit| {
                    let (mixed, seeds) = (Mixed::<Hot>::new(items, &canaries, &mut rand::rng()), Seeds::random());
                    let answers = desk.signatures::<Hot>(&mixed.rows, Some((&buffer, number)), seeds, limit)?;
                    mixed.read(&answers, seeds)
                });
                (chunk, answers)
            })
            .collect();
        collect(pending, |chunk, said, answers| judge::<Hot>(chunk, said, &mut rand::rng(), by_cpu, answers))
    }

    fn tables(&self) -> MutexGuard<'_, Option<Tables>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Weighted sums of signer vectors.
    fn sums(&self, vectors: &[&[u8]], weights: &[u64], sums: &mut [u128]) -> Result<(), Fault> {
        let n = sums.len();
        if n == 0 || vectors.is_empty() || vectors.len() > VECTORS_MAX {
            self.cpu.weighted_sums(vectors, weights, sums);
            return Ok(());
        }
        let mut packed = Messages::default();
        vectors.iter().for_each(|vector| packed.push(vector));
        let weights_words =
            weights.iter().flat_map(|weight| [*weight as u32, (weight >> 32) as u32]).collect::<Vec<_>>();
        let answers = self.post.send(n, move |desk, limit| {
            let seeds = Seeds::random();
            untagged(desk.sums(n, packed.words(), &weights_words, seeds, limit)?, SUMS_ANSWER, seeds)
        });
        let words = answers.wait()?;
        for (at, (sum, words)) in sums.iter_mut().zip(words.chunks_exact(SUMS_ANSWER - TAG)).enumerate() {
            *sum = words.iter().rev().fold(0, |sum, word| sum << 32 | u128::from(*word));
            let again = || vectors.iter().zip(weights).map(|(v, w)| u128::from(v[at]) * u128::from(*w)).sum::<u128>();
            if rand::rng().random_ratio(1, SAMPLED as u32) && *sum != again() {
                return Err(Fault::Lies("a sum is wrong".to_owned()));
            }
        }
        Ok(())
    }
}

/// Answers of all chunks, in order.
fn collect<T, S: Send, R>(
    pending: Vec<(&[T], Pending<S>)>,
    judge: impl Fn(&[T], S, &mut Vec<R>) -> Result<(), Fault>,
) -> Result<Vec<R>, Fault> {
    let mut answers = Vec::with_capacity(pending.iter().map(|(chunk, _)| chunk.len()).sum());
    for (chunk, said) in pending {
        judge(chunk, said.wait()?, &mut answers)?;
    }
    Ok(answers)
}

/// Messages of the next launch, by their lengths.
pub(super) fn fitting(lengths: impl Iterator<Item = usize>, items_max: usize) -> usize {
    let mut bytes = 0;
    let fits = lengths.take(items_max).take_while(|length| {
        bytes += length.min(&Gpu::MESSAGE_BYTES_MAX);
        bytes <= MESSAGES_BYTES
    });
    fits.count()
}

/// Rows without their tags, which must fit.
fn untagged(words: Vec<u32>, row: usize, seeds: Seeds) -> Result<Vec<u32>, Fault> {
    if !seeds.fit(None, 0, Rows { words: &words, row }) {
        return Err(Fault::Lies("an answer's tag does not fit".to_owned()));
    }
    Ok(words.chunks_exact(row).flat_map(|row| &row[..row.len() - TAG]).copied().collect())
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("name", &self.name).field("card", self.info()).finish_non_exhaustive()
    }
}

impl Gpu {
    /// As [`Backend::miller_values`], of values that are as good as the card.
    fn on_card<R>(&self, work: impl FnOnce(&OnCard<'_>) -> R) -> Result<R, Fault> {
        let maths = OnCard::new(&self.post, &Plain);
        let result = work(&maths);
        maths.fault.into_inner().map_or(Ok(result), Err)
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
        let by_card = || self.on_card(|maths| checkpoint::miller_values(maths, guardians, range.clone(), message));
        self.or_cpu(Op::MillerValues, range.len(), by_card, || {
            self.cpu.miller_values(guardians, range.clone(), message)
        })
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
        let by_cpu = || self.cpu.merge_votes(checkpoint, votes);
        let by_card = || {
            let merged = self.on_card(|maths| checkpoint::merge(maths, checkpoint, votes))?;
            if merged.verdicts.iter().all(Result::is_ok) {
                return Ok(merged);
            }
            if !checkpoint.is_trusted() {
                let (guardians, message) = (checkpoint.guardians(), checkpoint.message());
                checkpoint.trust(|| self.cpu.miller_values(guardians, 0..guardians.len(), message));
            }
            let right = by_cpu();
            if merged == right { Ok(right) } else { Err(Fault::Lies("votes: the CPU finds otherwise".to_owned())) }
        };
        self.or_cpu(Op::Checkpoint, votes.len(), by_card, by_cpu)
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
        self.hot_with(&pairs, &|pairs| {
            let (claims, combs): (Vec<Claim>, Vec<&Comb>) = pairs.iter().copied().unzip();
            self.cpu.verify_hot(&claims, &combs)
        })
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        self.cpu.build_combs(keys)
    }

    fn keccak256(&self, messages: &[&[u8]], out: &mut [Hash]) {
        assert_eq!(messages.len(), out.len(), "one digest a message");
        let digests = |by: &dyn Fn(&mut [Hash]) -> Result<(), Fault>| {
            let mut digests = vec![Hash::ZERO; messages.len()];
            by(&mut digests).map(|()| digests)
        };
        let by_cpu = || {
            let mut digests = vec![Hash::ZERO; messages.len()];
            self.cpu.keccak256(messages, &mut digests);
            digests
        };
        let by_card = || digests(&|out| self.digests(messages, out));
        out.copy_from_slice(&self.or_cpu(Op::Keccak256, messages.len(), by_card, by_cpu));
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
