//! Headers that came, and what their certificates prove.

use super::Syncer;
use crate::answer::Link;
use crate::headers::Refusal;
use crate::verify::CertFault;
use crate::{Fault, Head, Millis, Peer, SyncEffect, Verdict};
use std::sync::Arc;
use vigil_consensus::HEIGHT_WINDOW;
use vigil_primitives::Hcc;

/// Answers of one peer that may follow each other without proving anything: of the largest blocks one brings two headers,
/// and a stretch without a certificate may be as long as the height window.
const UNPROVEN_ANSWERS_MAX: u32 = HEIGHT_WINDOW as u32;
/// How long they may follow each other.
const UNPROVEN_TIME_MAX: Millis = 30_000;
/// From so many on, a claim whose headers prove nothing costs points: a certificate may be missing for once.
const UNPROVEN_CLAIMS_MAX: u32 = 3;
/// Time between two looks whether a validator set that was missing is known.
const VERIFY_AGAIN: Millis = 200;

impl Syncer {
    pub(super) fn headers_came(
        &mut self,
        now: Millis,
        peer: Peer,
        links: Vec<Link>,
        tip: Option<Arc<Hcc>>,
        effects: &mut Vec<SyncEffect>,
    ) {
        let none = links.is_empty();
        let given = links.iter().map(|link| Head { height: link.height, hash: link.hash });
        if self.gives_what_it_denied(peer, given) {
            let reason = "it gives a header that it said is of another branch".into();
            return self.headers_refused(now, peer, Fault::Invalid, reason, effects);
        }
        match self.headers.take(peer, links, tip) {
            Ok(()) => self.weigh(now, peer, none, effects),
            Err(Refusal::Lie(reason)) => self.headers_refused(now, peer, Fault::Invalid, reason, effects),
            Err(Refusal::OtherBranch(reason)) => {
                self.error = Some(reason);
                self.follow_alone(now, peer);
            }
        }
    }

    /// Headers that prove nothing by themselves are kept if more of them may.
    fn weigh(&mut self, now: Millis, peer: Peer, none: bool, effects: &mut Vec<SyncEffect>) {
        let Some(tail) = &mut self.headers.tail else { return };
        if tail.has_certs() {
            return;
        }
        let late = now - *tail.since.get_or_insert(now) >= UNPROVEN_TIME_MAX;
        let (answers, claimed) = (tail.answers, self.peers.head(peer).height);
        let end = self.headers.end();
        let told_all = end >= claimed;
        if told_all && answers == 1 {
            self.told_all(now, peer, effects);
        } else if told_all || late || answers >= UNPROVEN_ANSWERS_MAX {
            let reason = format!("headers up to {end} in {answers} answers, and nothing that proves one");
            self.headers_refused(now, peer, Fault::Unsolicited, reason, effects);
        } else if none {
            self.peers.lower_head(peer, end);
            let reason = format!("it claims height {claimed} and does not give header {}", end + 1);
            self.headers_refused(now, peer, Fault::Unsolicited, reason, effects);
        }
    }

    /// It has told all up to the head that it claims. Of an honest peer only the last header may be unproven.
    fn told_all(&mut self, now: Millis, peer: Peer, effects: &mut Vec<SyncEffect>) {
        self.headers.tail = None;
        self.peers.told_all(peer, now + self.config.pause);
        let (proven, claimed) = (self.headers.proven_end().height, self.peers.head(peer).height);
        if claimed > proven + 1 && self.peers.proves_nothing(peer) >= UNPROVEN_CLAIMS_MAX {
            self.peers.lower_head(peer, self.own.height);
            let reason = format!("it claims height {claimed} and proves nothing above {proven}");
            self.headers_refused(now, peer, Fault::Unsolicited, reason, effects);
        }
    }

    /// Has certificates checked: new ones at once, those of no known set again once all that is proven was delivered.
    pub(super) fn verify(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let Some(tail) = self.headers.tail.as_ref().filter(|tail| tail.has_certs()) else { return };
        let after = self.headers.proven_end();
        let too_early = tail.waits_until.is_some_and(|until| now < until || self.next <= after.height);
        if self.verifying.is_some() || too_early {
            return;
        }
        self.last_id += 1;
        self.verifying = Some(self.last_id);
        effects.push(SyncEffect::Verify { ticket: self.last_id, after: after.hash, certs: tail.certs() });
    }

    /// A change of the validator set cannot be seen in headers. What no known set certified waits until all that is proven
    /// is executed; if no set fits then, it is a lie.
    pub(super) fn verified(
        &mut self,
        now: Millis,
        ticket: u64,
        Verdict { good, fault }: Verdict,
        complete: bool,
        effects: &mut Vec<SyncEffect>,
    ) {
        if self.verifying != Some(ticket) {
            return;
        }
        self.verifying = None;
        let Some(tail) = &mut self.headers.tail else { return };
        let peer = tail.peer;
        tail.waits_until = Some(now + VERIFY_AGAIN);
        if good > 0 {
            self.headers.prove(good);
            self.headers_tries = Default::default();
            self.peers.proves_something(peer);
            self.reward(peer, effects);
        }
        let end = self.headers.proven_end().height;
        let reason = |why: &str| format!("the first certificate after height {end} {why}");
        match fault {
            None => self.headers.tail = None,
            Some(CertFault::Signature) => {
                self.headers_refused(now, peer, Fault::Invalid, reason("has a forged vote"), effects);
            }
            Some(CertFault::Quorum) if good == 0 && complete => {
                self.headers_refused(now, peer, Fault::Invalid, reason("is of no validator set"), effects);
            }
            Some(CertFault::Quorum) => {}
        }
    }

    fn headers_refused(
        &mut self,
        now: Millis,
        peer: Peer,
        fault: Fault,
        reason: String,
        effects: &mut Vec<SyncEffect>,
    ) {
        self.blame(now, peer, fault, reason, effects);
        self.headers_tries.failed(peer, self.config.retries, now + self.config.pause);
        self.drop_tail_of(peer);
        self.careful.take_if(|careful| careful.peer == peer);
    }

    /// What `peer` alone says is worth nothing any more.
    pub(super) fn drop_tail_of(&mut self, peer: Peer) {
        if self.headers.tail.as_ref().is_some_and(|tail| tail.peer == peer) {
            self.headers.tail = None;
            self.verifying = None;
        }
    }
}
