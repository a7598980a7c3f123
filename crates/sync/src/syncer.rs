//! The machine: state, dispatch, and when to sync at all.

mod answers;
mod careful;
mod headers;
mod requests;

use crate::download::{Download, Question, Tries};
use crate::headers::Headers;
use crate::peers::Peers;
use crate::{Fault, Head, Millis, Peer, SyncConfig, SyncEffect, SyncInput, SyncState, SyncStatus};
use careful::Careful;
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Hash, Height};

/// Below this gap consensus gets a sixth of the patience to close it by itself.
const SMALL_GAP: Height = 8;

/// Catches up with the settled chain. See the crate's page.
#[derive(Clone, Debug)]
pub struct Syncer {
    config: SyncConfig,
    own: Head,
    peers: Peers,
    headers: Headers,
    /// The open question for headers.
    headers_asked: Option<u64>,
    headers_tries: Tries,
    /// The open [`SyncEffect::Verify`].
    verifying: Option<u64>,
    download: Download,
    open: BTreeMap<u64, Question>,
    /// Of requests and tickets.
    last_id: u64,
    /// The height to be delivered next; what lies between our settled head and it was handed over.
    next: Height,
    active: bool,
    behind_since: Option<Millis>,
    progress_at: Millis,
    careful: Option<Careful>,
    /// What failed last since something settled.
    error: Option<String>,
    /// A certified block that is invalid here. Outweighs other errors: waiting does not help.
    rejected: Option<String>,
}

impl Syncer {
    /// A syncer on a node whose settled head is `own`.
    pub fn new(config: SyncConfig, own: Head) -> Self {
        Self {
            config,
            own,
            peers: Peers::default(),
            headers: Headers::on(own),
            headers_asked: None,
            headers_tries: Tries::default(),
            verifying: None,
            download: Download::default(),
            open: BTreeMap::new(),
            last_id: 0,
            next: own.height + 1,
            active: false,
            behind_since: None,
            progress_at: 0,
            careful: None,
            error: None,
            rejected: None,
        }
    }

    /// Takes one input at `now` (monotonic) and appends what is to be done.
    pub fn step(&mut self, now: Millis, input: SyncInput, effects: &mut Vec<SyncEffect>) {
        match input {
            SyncInput::PeerHead { peer, head } => self.peers.set_head(peer, head),
            SyncInput::PeerGone(peer) => self.peer_gone(peer),
            SyncInput::Answer { id, answer } => self.answered(now, id, answer, effects),
            SyncInput::Verified { ticket, verdict, complete } => {
                self.verified(now, ticket, verdict, complete, effects);
            }
            SyncInput::Settled(head) => self.settled(now, head, effects),
            SyncInput::Rejected { hash, reason } => self.rejected(&hash, &reason),
            SyncInput::Tick => self.expire(now, effects),
        }
        self.decide(now);
        self.deliver(now, effects);
        self.end_careful(now, effects);
        self.restart_if_stalled(now);
        self.verify(now, effects);
        self.request(now, effects);
    }

    /// Whether we are at the head, and why not.
    pub fn status(&self, now: Millis) -> SyncStatus {
        let best = self.peers.best(now);
        let blocks = best.unwrap_or(0).saturating_sub(self.own.height);
        let state = match (best, self.rejected.as_ref().or(self.error.as_ref())) {
            (None, _) => SyncState::NoPeers,
            (Some(_), _) if !self.active => SyncState::Synced,
            (Some(_), Some(error)) => SyncState::Stalled { blocks, error: error.clone() },
            (Some(_), None) => SyncState::Behind { blocks },
        };
        let agreed = self.peers.agreed(now).map(|height| height.max(self.headers.proven_end().height));
        SyncStatus { state, own: self.own, best, agreed, peers: self.peers.len() }
    }

    /// Starts when a gap stays open longer than consensus needs to close it; stops at the head.
    fn decide(&mut self, now: Millis) {
        let gap = self.peers.best(now).unwrap_or(0).saturating_sub(self.own.height);
        if gap == 0 {
            self.behind_since = None;
            if self.active {
                self.active = false;
                self.forget();
            }
            return;
        }
        let since = *self.behind_since.get_or_insert(now);
        let patience = match gap {
            1 => self.config.patience,
            2..SMALL_GAP => self.config.patience / 6,
            _ => 0,
        };
        self.active = self.active || now.saturating_sub(since) >= patience;
    }

    fn settled(&mut self, now: Millis, head: Head, effects: &mut Vec<SyncEffect>) {
        if head.height <= self.own.height {
            return;
        }
        self.own = head;
        self.progress_at = now;
        self.behind_since = None;
        (self.error, self.rejected) = (None, None);
        self.fork_settled(now, head, effects);
        if self.peers.best(now).unwrap_or(0) <= head.height + 1 {
            self.active = false;
        }
        if !self.headers.settle(head) {
            return self.forget();
        }
        self.download.drop_through(head.height);
        self.next = self.next.max(head.height + 1);
    }

    /// Nobody is to blame: a quorum has certified the block, and its transactions are those of its header.
    fn rejected(&mut self, hash: &Hash, reason: &str) {
        if let Some(height) = self.headers.height_of(hash).filter(|height| *height < self.next) {
            self.rejected = Some(format!(
                "block {height} is certified and yet invalid here ({reason}): this node's database or version is wrong"
            ));
        }
    }

    /// Hands over what is held, up to the window, and at the end what certifies it.
    fn deliver(&mut self, now: Millis, effects: &mut Vec<SyncEffect>) {
        let stands = now.saturating_sub(self.progress_at) >= self.config.pause;
        let window = if stands { self.config.window_max } else { self.config.window };
        while self.next <= self.own.height + window
            && let Some((peer, body)) = self.download.take(self.next)
        {
            if self.next == self.own.height + 1 {
                self.progress_at = now;
            }
            self.next += 1;
            effects.push(SyncEffect::Deliver { peer, hash: body.hash, block: body.block });
        }
        if self.next > self.headers.proven_end().height
            && let Some((peer, cert)) = self.headers.take_cert()
        {
            effects.push(SyncEffect::Certificate { peer, cert });
        }
    }

    /// Lets go of everything above our settled head. Open questions stay counted; their answers are ignored.
    fn forget(&mut self) {
        self.headers = Headers::on(self.own);
        (self.headers_asked, self.verifying) = (None, None);
        self.headers_tries = Tries::default();
        self.download.clear();
        self.next = self.own.height + 1;
    }

    /// Blocks were delivered, yet nothing settles: starts over, with other peers first.
    fn restart_if_stalled(&mut self, now: Millis) {
        let highest = self.next - 1;
        let stalled = now.saturating_sub(self.progress_at) >= self.config.stall_after;
        if !self.active || !stalled || highest == self.own.height {
            return;
        }
        let givers = (self.own.height + 1..=highest).filter_map(|height| self.headers.at(height));
        let givers: BTreeSet<Peer> = givers.map(|(_, peer)| peer).collect();
        givers.into_iter().for_each(|peer| self.peers.strike(peer, now + self.config.set_aside));
        self.error =
            Some(format!("blocks up to {highest} delivered, but the settled head stays at {}", self.own.height));
        self.progress_at = now;
        self.careful = None;
        self.forget();
    }

    /// A peer broke a rule. Who lies is set aside at once, others after three failures.
    fn blame(&mut self, now: Millis, peer: Peer, fault: Fault, reason: String, effects: &mut Vec<SyncEffect>) {
        let until = now + self.config.set_aside;
        match fault {
            Fault::Invalid => self.peers.set_aside(peer, until),
            Fault::Unsolicited | Fault::Timeout => self.peers.strike(peer, until),
        }
        self.error = Some(reason.clone());
        effects.push(SyncEffect::Penalize { peer, fault, reason });
    }
}
