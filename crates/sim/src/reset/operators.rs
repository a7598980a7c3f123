//! What operators do: they gather the evidence, agree on what to ask for, and ask.

use super::scenario::AGAIN;
use super::segment::Segment;
use super::world::{AFTERWARDS, Event, World};
use crate::invariants::{Verdict, broken};
use std::sync::Arc;
use vigil_consensus::finality::Input;
use vigil_consensus::offences;
use vigil_primitives::{Checkpoint, Evidence, Offences};

impl World {
    /// One of them makes the reset out of what everybody said and what is final at its guardian; the others check it.
    pub(super) fn decide(&mut self) -> Verdict {
        let found = Offences::new(offences(self.checks.votes()).into_iter().filter(|evidence| self.holds(evidence)));
        self.checks.on_decision(&found)?;
        let highest = self.honest().max_by_key(|node| self.finalized(*node)).expect("somebody is honest");
        let base = match &self.nodes[highest].finalized {
            Some(cert) => cert.checkpoint,
            None => {
                Checkpoint { block_hash: self.domain.genesis_hash, set_hash: self.set.hash(), ..Checkpoint::default() }
            }
        };
        let holder = self.validators.iter().find(|validator| !validator.lies).expect("somebody is honest");
        let Some((block, state)) = holder.shell.stored(&base.block_hash) else {
            return broken("I3", || format!("{base:?} is final, and validator {} never settled it", holder.key));
        };
        let segment = Segment::make((&self.toy, &self.domain), (&block, &state), 1, base, &found);
        let segment = segment.expect("some validators are honest");
        self.decision = Some((segment, found));
        self.decided_at = self.agenda.now();
        for node in 0..self.nodes.len() {
            if let Some(after) = self.plan.asks[node] {
                self.agenda.at(self.decided_at + after, Event::Ask { node });
            }
        }
        Ok(())
    }

    fn holds(&self, evidence: &Evidence) -> bool {
        let is_signed = |signer: &_, digest: &_, signature: &_| self.notary.verify(signer, digest, signature);
        evidence.verify(&self.domain, is_signed).is_ok()
    }

    /// An operator checks what was agreed on and asks its node for it, until the node has taken it up.
    pub(super) fn ask(&mut self, node: usize) -> Verdict {
        let (segment, offences) = self.decision.clone().expect("they agreed before they ask");
        if segment.reset.offences != offences.root() || !offences.evidence().iter().all(|e| self.holds(e)) {
            return broken("I14", || "the offences do not hold".into());
        }
        if self.chain_of[node] == AFTERWARDS {
            return Ok(());
        }
        self.step(node, Input::Reset { reset: segment.reset, set: Arc::clone(&self.set) })?;
        self.agenda.at(self.agenda.now() + AGAIN, Event::Ask { node });
        Ok(())
    }
}
