//! Signatures on a card: who signed, and whether known keys did.

use super::backend::Gpu;
use super::card::{Buffer, Fault};
use super::desk::Desk;
use super::guard::{ByCpu, CANARIES, Canary, Mixed, judge};
use super::post::{Kind, Pending};
use super::question::{Cold, Hot, Known, Question, Recover};
use super::tables::{Loan, Upload, lock};
use super::tag::Seeds;
use crate::comb::Comb;
use crate::engine::Op;
use crate::ops::{Claim, Recovered, Signed, Verdict};
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use vigil_crypto::SignatureError;

/// Items that are worth a launch of their own; larger batches go in several, so that copies and kernels overlap.
const CHUNK: usize = 16_384;
/// Chunks of a batch, where it is large enough.
const CHUNKS: usize = 6;

/// Answers of the CPU to claims with tables.
type HotByCpu<'a, 'c> = &'a dyn Fn(&[(Claim, &'c Comb)]) -> Vec<Verdict>;

/// What a card says of a chunk of items.
type Asked<'i, Q> = (&'i [<Q as Question>::Item], Pending<Vec<super::guard::Said<<Q as Question>::Answer>>>);

impl Gpu {
    /// As [`crate::Backend::recover`]; `by_cpu` does what the card does not, on as many threads as it likes.
    pub(crate) fn recover_with(&self, items: &[Signed], by_cpu: ByCpu<'_, Recover>) -> Vec<Recovered> {
        let by_card = || self.answers::<Recover>(items, &self.canaries.recover, by_cpu);
        self.or_cpu(Op::Recover, items.len(), by_card, || by_cpu(items))
    }

    /// As [`crate::Backend::verify_cold`].
    pub(crate) fn cold_with(&self, claims: &[Claim], by_cpu: &dyn Fn(&[Claim]) -> Vec<Verdict>) -> Vec<Verdict> {
        let by_card = || {
            let items: Vec<Known> =
                (0..).zip(claims).map(|(at, claim)| Known { claim: *claim, table: 0, at }).collect();
            let again = |some: &[Known]| by_cpu(&some.iter().map(|known| known.claim).collect::<Vec<_>>());
            self.answers::<Cold>(&items, &self.canaries.cold, &again)
        };
        self.or_cpu(Op::VerifyCold, claims.len(), by_card, || by_cpu(claims))
    }

    /// As [`crate::Backend::verify_hot`], of claims with the tables of their keys. Those that the card does not have yet it does
    /// without, and gets some of them for another time.
    pub(crate) fn hot_with<'c>(&self, claims: &[(Claim, &'c Comb)], by_cpu: HotByCpu<'_, 'c>) -> Vec<Verdict> {
        self.or_cpu(Op::VerifyHot, claims.len(), || self.hot(claims, by_cpu), || by_cpu(claims))
    }

    fn hot<'c>(&self, claims: &[(Claim, &'c Comb)], by_cpu: HotByCpu<'_, 'c>) -> Result<Vec<Verdict>, Fault> {
        let loan = Loan::of(&self.tables, claims.iter().map(|(_, comb)| *comb));
        let (mut hot, mut cold) = (Vec::with_capacity(claims.len()), Vec::new());
        for (at, ((claim, _), place)) in claims.iter().zip(&loan.places).enumerate() {
            match place {
                Some(table) => hot.push(Known { claim: *claim, table: *table, at }),
                None => cold.push(Known { claim: *claim, table: 0, at }),
            }
        }
        let again = |some: &[Known]| by_cpu(&some.iter().map(|known| claims[known.at]).collect::<Vec<_>>());
        let of_cold = self.ask::<Cold>(&cold, &self.canaries.cold);
        let of_hot = self.ask::<Hot>(&hot, &self.canaries.hot);
        if !cold.is_empty() {
            self.fetch(cold.iter().map(|known| claims[known.at].1))?;
        }
        let of_cold = collect::<Cold>(of_cold, &again)?;
        let of_hot = collect::<Hot>(of_hot, &again)?;
        let mut verdicts = vec![Ok(()); claims.len()];
        let all = hot.iter().zip(of_hot).chain(cold.iter().zip(of_cold));
        all.for_each(|(known, verdict)| verdicts[known.at] = verdict);
        Ok(verdicts)
    }

    /// Has some tables copied that the card lacks, unless others are on their way; nobody waits for that.
    ///
    /// # Errors
    /// What the last ones met with.
    fn fetch<'c>(&self, combs: impl Iterator<Item = &'c Comb>) -> Result<(), Fault> {
        let mut upload = self.upload();
        if let Some(last) = upload.take() {
            match last.poll() {
                Ok(Some(())) => {}
                Ok(None) => {
                    *upload = Some(last);
                    return Ok(());
                }
                Err(fault) => return Err(fault),
            }
        }
        *upload = Upload::of(&self.tables, combs).map(|new| self.send_tables(new));
        Ok(())
    }

    /// Copies tables to the card, as many as there is room for, and waits.
    ///
    /// # Errors
    /// The card's.
    pub(super) fn load(&self, combs: &[&Comb]) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let distinct: Vec<&Comb> = combs.iter().copied().filter(|comb| seen.insert(comb.identity())).collect();
        while let Some(new) = Upload::of(&self.tables, distinct.iter().copied()) {
            self.send_tables(new).wait()?;
        }
        Ok(())
    }

    fn send_tables(&self, new: Upload) -> Pending<()> {
        let to = Arc::clone(&self.room);
        self.post.send(Kind::Tables, new.count(), move |desk, limit| desk.upload(&to, new, limit))
    }

    /// The canaries' table; no other is taken to be there.
    pub(super) fn tables_anew(&self) -> Result<(), Fault> {
        lock(&self.tables).forget();
        // What became of the last ones does not matter any more.
        self.upload().take();
        let own = self.cpu.build_combs(&[*self.canaries.key()]).pop().flatten();
        let own = own.ok_or_else(|| Fault::Lies("the CPU makes no table of the canaries' key".to_owned()))?;
        let (to, words) = (Arc::clone(&self.room), super::start::words_of_points(own.points()));
        let put = move |desk: &mut Desk, limit: Duration| desk.put_table(&to, super::canaries::TABLE, &words, limit);
        self.post.send(Kind::Tables, 1, put).wait()
    }

    fn upload(&self) -> MutexGuard<'_, Option<Pending<()>>> {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Items of a launch.
    pub(super) fn chunk(&self, items: usize) -> usize {
        let most = self.info().items_max.saturating_sub(CANARIES).max(1);
        items.div_ceil(CHUNKS).max(CHUNK).min(most)
    }

    /// What the card says of all items, and the CPU of those of which the card's word is not enough.
    pub(super) fn answers<Q: Question>(
        &self,
        items: &[Q::Item],
        canaries: &[Canary<Q>],
        by_cpu: ByCpu<'_, Q>,
    ) -> Result<Vec<Result<Q::Answer, SignatureError>>, Fault> {
        collect::<Q>(self.ask::<Q>(items, canaries), by_cpu)
    }

    /// Puts all chunks into the queue.
    fn ask<'i, Q: Question>(&self, items: &'i [Q::Item], canaries: &[Canary<Q>]) -> Vec<Asked<'i, Q>> {
        let number = lock(&self.tables).count();
        let chunks = items.chunks(self.chunk(items.len()));
        let ask = |chunk: &'i [Q::Item]| {
            let (items, canaries, tables) = (chunk.to_vec(), canaries.to_vec(), Arc::clone(&self.room));
            let answers = self.post.send(Q::KIND, items.len(), move |desk, limit| {
                let (mixed, seeds) = (Mixed::<Q>::new(items, &canaries, &mut rand::rng()), Seeds::random());
                let tables: Option<(&Buffer, usize)> = Q::HAS_TABLES.then_some((&*tables, number));
                let answers = desk.signatures::<Q>(&mixed.rows, tables, seeds, limit)?;
                mixed.read(&answers, seeds)
            });
            (chunk, answers)
        };
        chunks.map(ask).collect()
    }
}

/// Answers of all chunks, in order.
fn collect<Q: Question>(
    asked: Vec<Asked<'_, Q>>,
    by_cpu: ByCpu<'_, Q>,
) -> Result<Vec<Result<Q::Answer, SignatureError>>, Fault> {
    let mut answers = Vec::with_capacity(asked.iter().map(|(chunk, _)| chunk.len()).sum());
    for (chunk, said) in asked {
        judge::<Q>(chunk, said.wait()?, &mut rand::rng(), by_cpu, &mut answers)?;
    }
    Ok(answers)
}
