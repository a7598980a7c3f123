//! Points taken from peers, and what they lead to.

use super::{Task, unix_seconds};
use crate::address::Source;
use libp2p::PeerId;
use std::time::Instant;

impl Task {
    /// Takes points; at [`crate::BAN_AT`] the peer is banned for a day and disconnected.
    pub(super) fn penalize(&mut self, id: PeerId, points: u32, reason: &str) {
        let by = i32::try_from(points).unwrap_or(i32::MAX).saturating_neg();
        tracing::debug!(peer = %id, points, reason, "peer penalised");
        if self.scores.change(id, by, Instant::now()) {
            tracing::warn!(peer = %id, reason, "peer banned for a day");
            self.ban(id);
        }
    }

    fn ban(&mut self, id: PeerId) {
        metrics::counter!("vigil_net_bans_total").increment(1);
        if let Err(error) = self.bans.add(&id, unix_seconds()) {
            tracing::warn!(%error, "the ban list is not saved");
        }
        self.swarm.behaviour_mut().blocked.block_peer(id);
        if let Some(source) = self.links.get(&id).and_then(|link| Source::of(&link.address)) {
            self.strike(source);
        }
    }

    /// An identity from `source` was banned. With the third the address is, and all who came from it are disconnected.
    fn strike(&mut self, source: Source) {
        if self.swarm.behaviour().gate.trusts(&source) {
            return;
        }
        if let Err(error) = self.strikes.add(source, unix_seconds()) {
            tracing::warn!(%error, "the list of banned addresses is not saved");
        }
        self.close_gate();
        if self.swarm.behaviour().gate.is_banned(&source) {
            tracing::warn!(address = %source, "address banned for a day");
            let from_there = self.links.iter().filter(|(_, link)| Source::of(&link.address) == Some(source));
            for id in from_there.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.hang_up(id, "its address is banned");
            }
        }
    }

    /// Tells the gate which addresses are banned now.
    pub(super) fn close_gate(&mut self) {
        let banned = self.strikes.banned(unix_seconds());
        self.swarm.behaviour_mut().gate.set_banned(banned);
    }

    /// Tells the gate which addresses are trusted now: those of the seeds and of the validators' records.
    pub(super) fn trust_gate(&mut self) {
        let mut trusted = self.book.seed_sources();
        let theirs = self.overlay.records().flat_map(|record| &record.place.addresses);
        trusted.extend(theirs.filter_map(Source::of));
        self.swarm.behaviour_mut().gate.set_trusted(trusted);
    }

    /// Lifts the bans that have ended.
    pub(super) fn expire_bans(&mut self) {
        for peer in self.bans.expire(unix_seconds()) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
        self.strikes.expire(unix_seconds());
        self.close_gate();
    }
}
