//! The operations: from a batch to pieces, from a piece to a backend.

use super::dispatch::Usable;
use super::divide::On;
use super::metrics::{record_recent, record_tables};
use super::payers::{Payer, Payers};
use super::plan::{Op, Plan};
use super::recent::RecentSigners;
use super::workers::Workers;
use crate::backend::Backend;
use crate::comb::Comb;
use crate::gpu::{Fault, Gpu};
use crate::ops::{Claim, PublicKey, Recovered, Signed, Verdict};
use crate::oracle;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_crypto::Check;
use vigil_primitives::{Address, Hash};

/// What all callers share.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) workers: Workers,
    pub(super) backends: Vec<Usable>,
    pub(super) plan: Plan,
    pub(super) payers: Mutex<Payers<Comb>>,
    pub(super) recent: Mutex<RecentSigners>,
    /// Items that the worker threads have before them, as nanoseconds of one thread.
    pub(super) backlog_ns: AtomicU64,
    pub(super) cards: Vec<&'static Gpu>,
}

/// Signatures of a batch with their places in it.
pub(super) struct Places<T> {
    pub(super) at: Vec<usize>,
    pub(super) items: Vec<T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { at: Vec::new(), items: Vec::new() }
    }
}

impl<T> Places<T> {
    pub(super) fn push(&mut self, at: usize, item: T) {
        self.at.push(at);
        self.items.push(item);
    }

    fn drain(&mut self) -> impl Iterator<Item = (usize, T)> {
        self.at.drain(..).zip(self.items.drain(..))
    }
}

impl Work {
    pub(super) fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        self.divided(Op::Recover, items, |part, on| self.recover_part(part, on))
    }

    pub(super) fn verify_known(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.divided(Op::VerifyHot, claims, |part, on| self.verify_known_part(part, on))
    }

    pub(super) fn verify_signers(&self, checks: &[Check]) -> Vec<bool> {
        self.divided(Op::Recover, checks, |part, on| self.verify_signers_part(part, on))
    }

    /// [`Work::verify_signers`] for what is seen more than once. On the calling thread: votes are few, and must not wait
    /// behind the pieces of large batches that the worker threads have before them, nor for a card.
    pub(super) fn verify_signers_once(&self, checks: &[Check]) -> Vec<bool> {
        let known: Vec<Option<Address>> = {
            let mut recent = lock(&self.recent);
            checks.iter().map(|check| recent.signer(&check.digest, &check.signature)).collect()
        };
        let unknown: Vec<Check> = checks.iter().zip(&known).filter(|(_, k)| k.is_none()).map(|(c, _)| *c).collect();
        record_recent(checks.len() - unknown.len());
        let mut fresh = self.verify_signers_part(&unknown, On::ThisThread).into_iter();
        let mut recent = lock(&self.recent);
        let mut judge = |(check, known): (&Check, &Option<Address>)| match known {
            Some(signer) => *signer == check.signer,
            None => {
                let good = fresh.next().expect("one answer for each unknown signature");
                if good {
                    recent.remember(&signed(check), check.signer);
                }
                good
            }
        };
        checks.iter().zip(&known).map(&mut judge).collect()
    }

    /// By the CPU: what is stored or voted on must be right, and nothing would show a wrong digest.
    pub(super) fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        self.on_workers(Op::Keccak256, messages, |part| self.keccak_part(part, On::ThisThread))
    }

    pub(super) fn recover_part(&self, items: &[Signed], on: On) -> Vec<Recovered> {
        let on_cpu = |items: &[Signed]| {
            let one_by_one = || items.iter().map(oracle::recover).collect();
            self.run(Op::Recover, items.len(), |backend| backend.recover(items), one_by_one)
        };
        self.on(Op::Recover, items, on, on_cpu, |card, by_cpu| card.recover_with(items, by_cpu))
    }

    pub(super) fn keccak_part(&self, messages: &[&[u8]], on: On) -> Vec<Hash> {
        let batch = |messages: &[&[u8]], backend: &dyn Backend| {
            let mut digests = vec![Hash::ZERO; messages.len()];
            backend.keccak256(messages, &mut digests);
            digests
        };
        let on_cpu = |messages: &[&[u8]]| {
            let one_by_one = || messages.iter().map(|message| oracle::digest(message)).collect();
            self.run(Op::Keccak256, messages.len(), |backend| batch(messages, backend), one_by_one)
        };
        self.on(Op::Keccak256, messages, on, on_cpu, |card, by_cpu| card.keccak256_with(messages, by_cpu))
    }

    fn verify_known_part(&self, claims: &[Claim], on: On) -> Vec<Verdict> {
        let (mut cold, mut hot, mut tables) = (Places::default(), Places::default(), Vec::new());
        {
            let mut payers = lock(&self.payers);
            for (at, claim) in claims.iter().enumerate() {
                match payers.by_key(&claim.key) {
                    Payer::Hot(_, table) => {
                        hot.push(at, *claim);
                        tables.push(table);
                    }
                    Payer::Cold(_) | Payer::Unknown => cold.push(at, *claim),
                }
            }
        }
        let mut verdicts = vec![Ok(()); claims.len()];
        let cold_verdicts = self.verify_cold(&cold.items, on);
        let good = cold.items.iter().zip(&cold_verdicts).filter(|(_, verdict)| verdict.is_ok());
        self.note(good.map(|(claim, _)| (claim.key, None)));
        cold.at.into_iter().zip(cold_verdicts).for_each(|(at, verdict)| verdicts[at] = verdict);
        let hot_verdicts = self.verify_hot(&hot.items, &tables, on);
        let forged = hot.items.iter().zip(&hot_verdicts).filter(|(_, verdict)| verdict.is_err());
        self.note_forgeries(forged.map(|(claim, _)| claim.key));
        hot.at.into_iter().zip(hot_verdicts).for_each(|(at, verdict)| verdicts[at] = verdict);
        verdicts
    }

    /// A key that is known vouches for its address: two keys of one address would be a collision of Keccak-256's last 160
    /// bits.
    pub(super) fn verify_signers_part(&self, checks: &[Check], on: On) -> Vec<bool> {
        let (mut new, mut cold) = (Places::default(), Places::<Claim>::default());
        let (mut hot, mut tables) = (Places::<Claim>::default(), Vec::new());
        {
            let mut payers = lock(&self.payers);
            for (at, check) in checks.iter().enumerate() {
                let signed = signed(check);
                match payers.by_address(&check.signer) {
                    Payer::Unknown => new.push(at, signed),
                    Payer::Cold(key) => cold.push(at, Claim { signed, key }),
                    Payer::Hot(key, table) => {
                        hot.push(at, Claim { signed, key });
                        tables.push(table);
                    }
                }
            }
        }
        // A few known ones are done best with the new ones, as one batch.
        let together = self.plan.together(new.at.len(), cold.at.len(), hot.at.len());
        if together.cold {
            cold.drain().for_each(|(at, claim)| new.push(at, claim.signed));
        }
        let mut known = Vec::new();
        if together.hot {
            for (at, claim) in hot.drain() {
                new.push(at, claim.signed);
                known.push((at, claim.key));
            }
            tables.clear();
        }
        let mut good = vec![false; checks.len()];
        let mut seen = Vec::new();
        let claimed: Vec<Address> = new.at.iter().map(|at| checks[*at].signer).collect();
        for (at, recovered) in new.at.iter().zip(self.recover_claimed(&new.items, &claimed, on)) {
            if let Ok(signer) = recovered
                && signer.address == checks[*at].signer
            {
                good[*at] = true;
                seen.push((signer.key, Some(signer.address)));
            }
        }
        for ((at, claim), verdict) in cold.at.iter().zip(&cold.items).zip(self.verify_cold(&cold.items, on)) {
            if verdict.is_ok() {
                good[*at] = true;
                seen.push((claim.key, Some(checks[*at].signer)));
            }
        }
        self.note(seen.into_iter());
        for (at, verdict) in hot.at.iter().zip(self.verify_hot(&hot.items, &tables, on)) {
            good[*at] = verdict.is_ok();
        }
        known.extend(hot.drain().map(|(at, claim)| (at, claim.key)).filter(|(at, _)| !good[*at]));
        self.note_forgeries(known.into_iter().filter(|(at, _)| !good[*at]).map(|(_, key)| key));
        good
    }

    /// Who signed, where somebody is said to have. Nobody is refused for a card's word: the CPU recovers again what a card
    /// finds signed by another, or by a key that is not the signer's: keys are remembered, and verify what comes later.
    fn recover_claimed(&self, items: &[Signed], claimed: &[Address], on: On) -> Vec<Recovered> {
        if items.is_empty() {
            return Vec::new();
        }
        let mut recovered = self.recover_part(items, on);
        if let On::Card { card, .. } = on {
            let keys: Vec<[u8; 64]> = recovered.iter().map(|r| r.map_or([0; 64], |signer| signer.key.0)).collect();
            let digests = self.keccak256(&keys.iter().map(|key| &key[..]).collect::<Vec<_>>());
            let is_other = |at: &usize| {
                let of_key = Address::from_slice(&digests[*at].as_slice()[12..]);
                recovered[*at].is_ok_and(|signer| [signer.address, of_key] != [claimed[*at]; 2])
            };
            let others: Vec<usize> = (0..items.len()).filter(is_other).collect();
            let again: Vec<Signed> = others.iter().map(|at| items[*at]).collect();
            let right = self.on_workers(Op::Recover, &again, |part| self.recover_part(part, On::ThisThread));
            let mut is_wrong = false;
            for (at, right) in others.into_iter().zip(right) {
                is_wrong |= std::mem::replace(&mut recovered[at], right) != right;
            }
            if is_wrong {
                self.cards[card].failed(&Fault::Lies("a signer is wrong".to_owned()));
            }
        }
        recovered
    }

    fn verify_cold(&self, claims: &[Claim], on: On) -> Vec<Verdict> {
        if claims.is_empty() {
            return Vec::new();
        }
        let on_cpu = |claims: &[Claim]| {
            let one_by_one = || claims.iter().map(oracle::verify).collect();
            self.run(Op::VerifyCold, claims.len(), |backend| backend.verify_cold(claims), one_by_one)
        };
        self.on(Op::VerifyCold, claims, on, on_cpu, |card, by_cpu| card.cold_with(claims, by_cpu))
    }

    /// `tables[i]` belongs to the key of `claims[i]`.
    fn verify_hot(&self, claims: &[Claim], tables: &[Arc<Comb>], on: On) -> Vec<Verdict> {
        if claims.is_empty() {
            return Vec::new();
        }
        let pairs: Vec<(Claim, &Comb)> = claims.iter().copied().zip(tables.iter().map(AsRef::as_ref)).collect();
        let on_cpu = |pairs: &[(Claim, &Comb)]| {
            let (claims, combs): (Vec<Claim>, Vec<&Comb>) = pairs.iter().copied().unzip();
            let one_by_one = || claims.iter().map(oracle::verify).collect();
            self.run(Op::VerifyHot, claims.len(), |backend| backend.verify_hot(&claims, &combs), one_by_one)
        };
        self.on(Op::VerifyHot, &pairs, on, on_cpu, |card, by_cpu| card.hot_with(&pairs, by_cpu))
    }

    /// Counts good signatures of keys without tables, and builds the tables that are due.
    fn note(&self, good: impl Iterator<Item = (PublicKey, Option<Address>)>) {
        let due: Vec<PublicKey> = {
            let mut payers = lock(&self.payers);
            good.filter(|(key, address)| payers.note(key, *address)).map(|(key, _)| key).collect()
        };
        if due.is_empty() {
            return;
        }
        let mut builders = self.healthy(Op::VerifyHot, usize::MAX);
        let built = builders.find_map(|usable| usable.guarded(|backend| Some(backend.build_combs(&due))));
        let mut tables = built.unwrap_or_default().into_iter();
        let mut payers = lock(&self.payers);
        for key in &due {
            if let Some(table) = tables.next().flatten() {
                payers.admit(key, table, Comb::BYTES);
            }
        }
        record_tables(payers.tables());
    }

    /// False claims of keys with tables do not count as theirs.
    fn note_forgeries(&self, keys: impl Iterator<Item = PublicKey>) {
        let mut keys = keys.peekable();
        if keys.peek().is_some() {
            let mut payers = lock(&self.payers);
            keys.for_each(|key| payers.was_forged(&key));
        }
    }
}

fn signed(check: &Check) -> Signed {
    Signed { digest: check.digest, signature: check.signature }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
