//! The reset of the chain (`spec/consensus.md` §A.1; `docs/decisions/0012-reset.md`): operators ask for it, guardians vote
//! on it as on a checkpoint, and a quorum ends the old segment.
//!
//! From the moment on at which we take part we give no vote and accept no certificate above the reset's checkpoint, so
//! that nothing becomes final for us that the reset would undo.

use super::ballot::Ballot;
use super::effect::{Abstention, Effect};
use super::machine::Machine;
use super::subject::{Subject, Votes};
use std::sync::Arc;
use vigil_primitives::{Checkpoint, GuardianSet, Reset, ResetCert};

impl Machine {
    /// The operator asks for a reset: we take part from now on.
    pub(super) fn on_reset(&mut self, reset: Reset, set: Arc<GuardianSet>) {
        if self.resetting.as_ref().is_some_and(|(running, _)| *running == reset) {
            return;
        }
        match self.may_reset(&reset, &set) {
            Err(reason) => self.out.push(Effect::Abstain { height: reset.checkpoint.height, reason }),
            Ok(()) => {
                self.pending = None;
                self.late.clear();
                self.suspects.clear();
                self.resetting = Some((reset, set));
                self.begin_if_open();
            }
        }
    }

    /// Only the next number, only from what is final here, and only one reset a number.
    fn may_reset(&self, reset: &Reset, set: &GuardianSet) -> Result<(), Abstention> {
        let (got, expected) = (reset.number, self.resets + 1);
        if got != expected {
            return Err(Abstention::ResetNumber { got, expected });
        }
        let signed = self.journal.reset.filter(|signed| signed.number == got);
        let running = self.resetting.as_ref().map(|(running, _)| *running);
        if signed.or(running).is_some_and(|other| other != *reset) {
            return Err(Abstention::ResetSigned { number: got });
        }
        let final_here = match self.chain.final_checkpoint() {
            Some(checkpoint) => *checkpoint == reset.checkpoint,
            None => {
                let Checkpoint { resets, height, block_hash, .. } = reset.checkpoint;
                (resets, height, block_hash) == (0, 0, self.config.domain.genesis_hash)
            }
        };
        if !final_here || set.hash() != reset.checkpoint.set_hash {
            return Err(Abstention::ResetNotFinal {
                height: reset.checkpoint.height,
                ours: self.chain.finalized_height(),
            });
        }
        Ok(())
    }

    /// The reset that we take part in, or signed before a restart.
    pub(super) fn leaving(&self) -> Option<Reset> {
        let signed = self.journal.reset.filter(|reset| reset.number > self.resets);
        self.resetting.as_ref().map(|(reset, _)| *reset).or(signed)
    }

    /// After a restart: takes up the reset that was signed, if its guardians are known.
    pub(super) fn resume_reset(&mut self) {
        let signed = self.leaving().filter(|reset| reset.number == self.resets + 1);
        self.resetting = signed.and_then(|reset| Some((reset, self.chain.set_of(&reset.checkpoint)?.clone())));
    }

    /// True if votes on a checkpoint still count here.
    pub(super) fn is_open(&self, checkpoint: &Checkpoint) -> bool {
        let given_up = |reset: Reset| checkpoint.height > reset.checkpoint.height;
        checkpoint.resets == self.resets && !self.leaving().is_some_and(given_up)
    }

    /// A quorum for a reset. It never undoes what is final here.
    pub(super) fn note_reset(&mut self, cert: &Arc<ResetCert>, set: &Arc<GuardianSet>) {
        let reset = cert.reset;
        if reset.number <= self.resets {
            return;
        }
        let (base, height) = (reset.checkpoint, self.chain.finalized_height());
        let undoes = self.chain.final_checkpoint().is_some_and(|ours| {
            base.height < ours.height || (base.height == ours.height && base.block_hash != ours.block_hash)
        });
        if undoes {
            return self.out.push(Effect::Abstain { height: base.height, reason: Abstention::Finalized { height } });
        }
        self.resets = reset.number;
        self.reset = Some(Arc::clone(cert));
        self.chain.restart_from(&base, set);
        (self.resetting, self.ballot, self.pending) = (None, None, None);
        self.late.clear();
        (self.suspects, self.others, self.forked) = (Vec::new(), Vec::new(), None);
        self.out.push(Effect::Reset(Arc::clone(cert)));
        self.tell_all(&Votes::Reset(Arc::clone(cert)), Subject::Reset(reset));
    }

    /// Opens the ballot on the reset that we take part in, if it is not open yet. True if we take part in one.
    pub(super) fn begin_reset(&mut self) -> bool {
        if let Some((reset, set)) = self.resetting.clone() {
            let subject = Subject::Reset(reset);
            let is_open = |ballot: &Ballot| ballot.subject == subject;
            if !self.ballot.as_ref().is_some_and(is_open) {
                self.begin(subject, set);
            }
        }
        self.leaving().is_some()
    }
}
