//! Two branches: one peer is followed alone for a while, and must show what it spoke of.

use super::Syncer;
use crate::{Fault, Head, Millis, Peer, SyncEffect};

/// A peer spoke of a branch other than the proven one: headers are asked of it alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Careful {
    pub(super) peer: Peer,
    /// The proven header that is not on its branch, so it says. Once our settled head is there, all is clear.
    denied: Head,
    until: Millis,
}

impl Syncer {
    /// Starts over with `peer` alone. Who is followed already keeps its time: nobody prolongs his own.
    pub(super) fn follow_alone(&mut self, now: Millis, peer: Peer) {
        let (denied, until) = (self.headers.proven_end(), now + self.config.stall_after);
        self.forget();
        self.careful.get_or_insert(Careful { peer, denied, until });
    }

    /// True if this peer gives the very header that is not on its branch: the chain below what it has settled never changes.
    pub(super) fn gives_what_it_denied(&self, peer: Peer, mut given: impl Iterator<Item = Head>) -> bool {
        self.careful.is_some_and(|careful| careful.peer == peer && given.any(|head| head == careful.denied))
    }

    /// Our settled head reaches the fork: which branch it was is known.
    pub(super) fn fork_settled(&mut self, now: Millis, head: Head, effects: &mut Vec<SyncEffect>) {
        let Some(careful) = self.careful.take_if(|careful| careful.denied.height <= head.height) else { return };
        let settled = |head: Head| self.headers.at(head.height).is_some_and(|(hash, _)| hash == head.hash);
        if settled(head) && settled(careful.denied) {
            let reason = format!("header {} is settled, and it spoke of another", careful.denied.height);
            self.blame(now, careful.peer, Fault::Invalid, reason, effects);
        }
    }

    /// Its time is over. Who has not shown the branch that it spoke of pays, and its open question is put to others.
    pub(super) fn end_careful(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let Some(Careful { peer, denied, .. }) = self.careful.take_if(|careful| careful.until <= now) else { return };
        let has_shown = self.headers.at(denied.height).is_some_and(|(hash, _)| hash != denied.hash);
        if !self.active || has_shown {
            return;
        }
        let reason = format!("it spoke of another header {} and does not show one", denied.height);
        self.blame(now, peer, Fault::Unsolicited, reason, effects);
        if self.headers_asked.and_then(|id| self.open.get(&id)).is_some_and(|question| question.peer == peer) {
            self.headers_asked = None;
        }
        self.drop_tail_of(peer);
    }
}
