//! Slash transactions (`docs/decisions/0011-slashing.md`): they pay no fee, are dear to judge and come before all others. So
//! there are few of them: one for an offender and role, each the next transaction of its reporter, and none for a while
//! from whoever sent evidence that was forged.

use super::Mempool;
use crate::recent::Recent;
use crate::{Config, Millis, Refused, Screen};
use std::collections::HashMap;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{Address, Evidence, Hash, StakePurpose, Tx};

/// Who is accused, in which role.
type Charge = (Address, StakePurpose);

/// Pending slash transactions, and reporters that are not believed.
pub(super) struct Reports {
    pending: HashMap<Charge, Hash>,
    liars: Recent,
}

impl Reports {
    pub(super) fn new(config: &Config) -> Self {
        Self { pending: HashMap::new(), liars: Recent::new(config.liars_max) }
    }

    pub(super) fn expire(&mut self, now: Millis) {
        self.liars.expire(now);
    }

    /// Notes a transaction that is pending now.
    pub(super) fn add(&mut self, tx: &VerifiedTx) {
        if let Some(charge) = charge(tx.tx()) {
            self.pending.insert(charge, tx.hash());
        }
    }

    /// Notes that a transaction is not pending any more.
    pub(super) fn remove(&mut self, tx: &VerifiedTx) {
        if let Some(charge) = charge(tx.tx())
            && self.pending.get(&charge) == Some(&tx.hash())
        {
            self.pending.remove(&charge);
        }
    }
}

impl<S: Screen> Mempool<S> {
    /// What must hold of a slash transaction before it is judged; of others nothing.
    pub(super) fn check_report(&self, tx: &VerifiedTx) -> Result<(), Refused> {
        let Tx::Slash(slash) = tx.tx() else { return Ok(()) };
        let reporter = slash.proposer.address;
        if self.reports.liars.contains(&reporter.into_word()) {
            return Err(Refused::Liar { reporter, seconds: self.config.expiry_ms / 1_000 });
        }
        if let Some(pending) = charge(tx.tx()).and_then(|charge| self.reports.pending.get(&charge)) {
            return Err(Refused::Reported { offender: slash.slashed_address, pending: *pending });
        }
        let (what, got, max) = ("slash transactions", self.reports.pending.len() + 1, self.config.reports_max);
        if got > max {
            return Err(Refused::Full { what, got, max });
        }
        let first = self.accounts.get(&reporter).and_then(|txs| txs.first_key_value());
        match first {
            Some((first, _)) if *first < slash.proposer.sequence => Err(Refused::NotNext { reporter, pending: *first }),
            _ => Ok(()),
        }
    }

    /// Remembers a reporter whose own signature is right and whose evidence is forged. For verdicts that were found outside;
    /// [`Mempool::insert`] remembers its own.
    pub fn note_verdict(&mut self, now: Millis, tx: &VerifiedTx, verdict: &Result<(), Refused>) {
        let Tx::Slash(slash) = tx.tx() else { return };
        if let Err(refused) = verdict
            && refused.is_bad_signature()
            && tx.all_valid()
        {
            self.reports.liars.add(slash.proposer.address.into_word(), now.saturating_add(self.config.expiry_ms));
        }
    }

    /// Reporters of the pending slash transactions: somebody else's report may have settled.
    pub(super) fn reporters(&self) -> Vec<Address> {
        let entries = self.reports.pending.values().filter_map(|hash| self.entries.get(hash));
        entries.flat_map(|entry| entry.slots.iter().map(|(address, _)| *address)).collect()
    }
}

fn charge(tx: &Tx) -> Option<Charge> {
    let Tx::Slash(slash) = tx else { return None };
    let evidence = Evidence::from_bytes(&slash.slash_proof).ok()?;
    Some((evidence.offender(), evidence.role()))
}
