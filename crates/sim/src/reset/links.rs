//! Who hears whom in the committee: the split, its end, and what traitors say again.

use super::committee::Validator;
use super::scenario::DELAY;
use super::world::{AFTERWARDS, Event, World};
use crate::invariants::Verdict;
use crate::plan::Disk;
use std::sync::Arc;
use vigil_consensus::Message;

/// Sayings that are kept to be said again.
const SAID_MAX: usize = 400;

impl World {
    /// Traitors get a second machine each, with all that the first one knows, on the other side.
    pub(super) fn split(&mut self) -> Verdict {
        for validator in 0..self.validators.len() {
            let Validator { key, lies, shell, .. } = &self.validators[validator];
            if *lies {
                let mut shell = shell.clone();
                shell.crash(Disk::Kept);
                let twin = Validator { key: *key, lies: true, chain: 1, shell, node: None };
                self.validators.push(twin);
                self.boot(self.validators.len() - 1)?;
            } else {
                self.validators[validator].chain = self.plan.validator_side[*key];
            }
        }
        Ok(())
    }

    /// The sides hear each other again; traitors repeat whatever they like.
    pub(super) fn heal(&mut self) -> Verdict {
        self.healed = true;
        self.agenda.at(self.agenda.now() + self.plan.decides_after, Event::Decide);
        self.replay()
    }

    /// Honest nodes keep no connection to another segment: a handshake tells it. Traitors reach everybody once the split is
    /// over.
    pub(super) fn is_linked(&self, from: usize, to: usize) -> bool {
        let (a, b) = (&self.validators[from], &self.validators[to]);
        let same_segment = (a.chain == AFTERWARDS) == (b.chain == AFTERWARDS);
        a.chain == b.chain || self.healed && (a.lies || b.lies || same_segment)
    }

    fn transmit(&mut self, from: usize, to: usize, message: &Arc<Message>) {
        if from != to && self.is_linked(from, to) {
            let at = self.agenda.now() + self.rng.between(1, DELAY);
            let link = self.link(from, to);
            self.agenda.at(at, Event::Message { from, to, message: Arc::clone(message), link });
        }
    }

    pub(super) fn say(&mut self, from: usize, to: Option<usize>, message: Message) -> Verdict {
        let Validator { key, lies, chain, .. } = self.validators[from];
        if let Message::Vote(vote) = &message
            && vote.voter == self.signers[key].address()
        {
            self.checks.on_vote(key, lies, chain, vote)?;
        }
        let message = Arc::new(message);
        if self.said.len() < SAID_MAX || self.dice.percent(20) {
            if self.said.len() == SAID_MAX {
                let place = self.dice.below(SAID_MAX);
                self.said.swap_remove(place);
            }
            self.said.push(Arc::clone(&message));
        }
        match to {
            Some(to) => self.transmit(from, to, &message),
            None => (0..self.validators.len()).for_each(|to| self.transmit(from, to, &message)),
        }
        Ok(())
    }

    /// A traitor says to all what somebody said on any chain, whenever that was.
    pub(super) fn replay(&mut self) -> Verdict {
        let traitors: Vec<usize> = (0..self.validators.len()).filter(|v| self.validators[*v].lies).collect();
        if !self.said.is_empty() {
            let (from, message) = (*self.dice.pick(&traitors), Arc::clone(self.dice.pick(&self.said)));
            (0..self.validators.len()).for_each(|to| self.transmit(from, to, &message));
        }
        let after = self.dice.between(20, 200);
        self.agenda.at(self.agenda.now() + after, Event::Replay);
        Ok(())
    }

    /// What is under way when an end goes on elsewhere is lost, as on a connection.
    pub(super) fn link(&self, from: usize, to: usize) -> (u32, u32) {
        (self.validators[from].shell.incarnation, self.validators[to].shell.incarnation)
    }
}
