//! The clock: when an epoch ends and which one begins (§1.3 E1-E5, §1.5).

use crate::limits::{BACKOFF_MAX, BACKOFF_MIN};
use crate::machine::Machine;
use crate::{EpochCert, EpochChange, Message, Millis, Peer};
use std::collections::BTreeSet;
use vigil_primitives::{Address, Epoch, Hash};

/// The state of the current epoch.
#[derive(Clone)]
pub(crate) struct Clock {
    pub(crate) epoch: Epoch,
    pub(crate) entered: Millis,
    /// What proves that we may be here; none after a restart until one is received.
    pub(crate) cert: Option<EpochCert>,
    /// k of §1.5, in thousandths.
    pub(crate) backoff: Millis,
    /// Timeout of the epoch, then the next sending of E4.
    pub(crate) deadline: Option<Millis>,
    /// The timeout has passed.
    pub(crate) timed_out: bool,
    /// The block of this epoch is votable by lock but too low for somebody (§1.5).
    pub(crate) climbing: bool,
    /// Peers that were sent the epoch certificate.
    pub(crate) helped: BTreeSet<Peer>,
    /// Peers that were sent what they said before.
    pub(crate) reminded: BTreeSet<Peer>,
    /// What the timers were last set to.
    pub(crate) armed: [Option<Millis>; 3],
}

impl Clock {
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            entered: 0,
            cert: None,
            backoff: BACKOFF_MIN,
            deadline: None,
            timed_out: false,
            climbing: false,
            helped: BTreeSet::new(),
            reminded: BTreeSet::new(),
            armed: [None; 3],
        }
    }
}

impl Machine {
    /// `time` times k.
    pub(crate) fn backed_off(&self, time: Millis) -> Millis {
        time * self.clock.backoff / BACKOFF_MIN
    }

    /// At start: the epoch is the journal's, k is 1, timers run, there is no epoch certificate (§1.13).
    pub(crate) fn start_clock(&mut self) {
        self.clock.entered = self.now.mono;
        self.clock.deadline = Some(self.epoch_timeout());
        self.restore_change();
        if !self.config.rules.no_resend_timer_after_amplified_ec {
            self.resend_own();
        }
    }

    fn epoch_timeout(&self) -> Millis {
        let certified = self.certs.values().any(|cert| cert.epoch + 1 == self.clock.epoch);
        let deltas = if certified { 4 } else { 7 };
        let wait = self.backed_off(deltas * self.config.delta + self.config.execution_budget);
        self.clock.entered + wait + self.config.interval
    }

    /// E3, then E2. Returns true if the epoch changed.
    pub(crate) fn advance_epoch(&mut self) -> bool {
        let mut moved = false;
        while let Some((epoch, cert)) = self.next_epoch() {
            self.enter(epoch, cert);
            moved = true;
        }
        self.amplify();
        moved
    }

    fn next_epoch(&self) -> Option<(Epoch, EpochCert)> {
        let certified = self.certs.values().max_by_key(|cert| cert.epoch).map(|cert| (cert.epoch + 1, &cert.hcc));
        let certified = certified.filter(|(epoch, _)| *epoch > self.clock.epoch);
        let validators = self.validators();
        let wished = self.highest_target(|weight| validators.is_quorum(weight));
        match (certified, wished.filter(|epoch| *epoch > self.clock.epoch)) {
            (Some((epoch, hcc)), wished) if wished.is_none_or(|wished| wished <= epoch) => {
                Some((epoch, EpochCert::Commit(hcc.clone())))
            }
            (_, Some(epoch)) => Some((epoch, self.change_cert(epoch))),
            _ => None,
        }
    }

    fn change_cert(&self, epoch: Epoch) -> EpochCert {
        let fits = |change: &&EpochChange| change.target_epoch >= epoch && self.validators().contains(&change.voter);
        EpochCert::Changes(self.changes.values().filter(fits).cloned().collect())
    }

    fn target_of(&self, member: &Address) -> Epoch {
        let told = self.changes.get(member).map_or(0, |change| change.target_epoch);
        if self.config.rules.votes_count_as_epoch_change {
            return told.max(self.tally.last_epoch(member) + 1);
        }
        told
    }

    /// The largest u such that the senders of targets >= u are `enough`.
    fn highest_target(&self, enough: impl Fn(u128) -> bool) -> Option<Epoch> {
        let members = self.validators().members().iter();
        let mut targets: Vec<(Epoch, u128)> = members.map(|v| (self.target_of(&v.address), v.stake)).collect();
        targets.sort_unstable_by(|a, b| b.cmp(a));
        let mut weight = 0;
        targets.into_iter().find_map(|(target, stake)| {
            weight += stake;
            enough(weight).then_some(target)
        })
    }

    /// E2.
    fn amplify(&mut self) {
        if !self.may_sign() {
            return;
        }
        let target = self.highest_target(|weight| self.validators().is_amp(weight));
        if let Some(target) = target
            && target > self.clock.epoch
            && self.own.change_target < target
        {
            self.send_change(target);
            if self.config.rules.no_resend_timer_after_amplified_ec {
                self.clock.deadline = None;
            }
            self.advance_epoch();
        }
    }

    fn enter(&mut self, epoch: Epoch, cert: EpochCert) {
        let by_commit = matches!(cert, EpochCert::Commit(_));
        self.leave_by(by_commit);
        let forwarded = !matches!(&cert, EpochCert::Commit(hcc) if hcc.votes.is_empty());
        self.clock = Clock {
            entered: self.now.mono,
            cert: Some(cert.clone()),
            backoff: self.clock.backoff,
            armed: self.clock.armed,
            ..Clock::new(epoch)
        };
        self.clock.deadline = Some(self.epoch_timeout());
        self.turn = crate::propose::Turn::default();
        self.unpark = true;
        if self.may_sign() {
            if forwarded {
                self.broadcast(Message::EpochCert(cert));
            }
            if !by_commit && self.own.change_target < epoch {
                self.send_change(epoch);
            }
        }
    }

    /// The back-off: more after an epoch without a certificate, less after one that climbed (§1.5).
    fn leave_by(&mut self, commit: bool) {
        let k = self.clock.backoff;
        self.clock.backoff = match (commit, self.clock.climbing) {
            (true, _) => k,
            (false, true) => (k * 4 / 5).max(BACKOFF_MIN),
            (false, false) => (k * 5 / 4).min(BACKOFF_MAX),
        };
    }

    pub(crate) fn timeout_at_latest(&mut self, at: Millis) {
        if !self.clock.timed_out
            && let Some(deadline) = &mut self.clock.deadline
        {
            *deadline = at.min(*deadline);
        }
    }

    /// Climbing epochs are short: a block that passes V5 but is too low for our own last vote, or for one that was
    /// reported of a block we hold, ends its epoch 2Δ + x after it came.
    pub(crate) fn shorten_climb(&mut self) {
        if self.clock.timed_out {
            return;
        }
        let climbing: Vec<Millis> = self
            .tree
            .of_epoch(self.clock.epoch)
            .iter()
            .filter(|hash| self.is_climbing(hash))
            .filter_map(|hash| self.tree.arrived(hash))
            .collect();
        for arrived in climbing {
            self.clock.climbing = true;
            self.timeout_at_latest(arrived + 2 * self.config.delta + self.config.execution_budget);
        }
    }

    fn is_climbing(&self, hash: &Hash) -> bool {
        let Some(meta) = self.tree.valid(hash) else { return false };
        let above = |height, block: &Hash| height >= meta.height && block != hash;
        let voted = self.own.voted();
        let own = above(voted.height, &voted.hash);
        let reported = || {
            self.changes.values().any(|change| {
                let held = self.tree.valid(&change.last_vote_hash);
                held.is_some_and(|held| above(held.height, &held.hash) && held.height == change.last_vote_height)
            })
        };
        self.passes_lock(meta) && (own || reported())
    }
}
