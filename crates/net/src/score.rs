//! Points of peers (`spec/consensus.md` §4.3 REC).

use libp2p::PeerId;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// A peer at this score is banned.
pub const BAN_AT: i32 = -100;
/// Good deeds do not add up beyond this.
const SCORE_MAX: i32 = 50;
/// A point of a negative score is forgiven in this time, so that slow but honest peers are not banned in the long run.
const FORGIVE_POINT_AFTER: Duration = Duration::from_secs(30);
/// Peers remembered, connected or not.
const PEERS_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

/// What costs how much.
pub mod points {
    /// A signed object that is invalid whatever the state, or content that does not match its hash.
    pub const INVALID: u32 = 100;
    /// Bytes that are no message, or a message over its limit.
    pub const MALFORMED: u32 = 50;
    /// What nobody asked for, or an answer that does not answer.
    pub const UNSOLICITED: u32 = 20;
    /// No answer in time.
    pub const TIMEOUT: u32 = 5;
    /// A message over the peer's rate.
    pub const FLOOD: u32 = 1;
}

#[derive(Clone, Copy, Debug)]
struct Score {
    points: i32,
    since: Instant,
}

impl Score {
    fn at(self, now: Instant) -> i32 {
        let forgiven = now.saturating_duration_since(self.since).as_secs() / FORGIVE_POINT_AFTER.as_secs();
        let forgiven = i32::try_from(forgiven).unwrap_or(i32::MAX);
        if self.points < 0 { self.points.saturating_add(forgiven).min(0) } else { self.points }
    }
}

/// Scores by identity; they outlive connections.
#[derive(Debug)]
pub(crate) struct Scores(LruCache<PeerId, Score>);

impl Scores {
    pub(crate) fn new() -> Self {
        Self(LruCache::new(PEERS_MAX))
    }

    pub(crate) fn get(&self, peer: &PeerId, now: Instant) -> i32 {
        self.0.peek(peer).map_or(0, |score| score.at(now))
    }

    /// Adds (or takes) points; true if the peer is to be banned. Its score then starts anew.
    #[must_use]
    pub(crate) fn change(&mut self, peer: PeerId, by: i32, now: Instant) -> bool {
        let points = self.get(&peer, now).saturating_add(by).min(SCORE_MAX);
        if points <= BAN_AT {
            self.0.pop(&peer);
            return true;
        }
        // The clock of forgiveness keeps running unless a whole point was just granted or the sign changed.
        let since = match self.0.peek(&peer) {
            Some(old) if old.points < 0 && points < 0 => {
                now - Duration::from_secs(
                    now.saturating_duration_since(old.since).as_secs() % FORGIVE_POINT_AFTER.as_secs(),
                )
            }
            _ => now,
        };
        self.0.put(peer, Score { points, since });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_at_minus_one_hundred() {
        let now = Instant::now();
        let (mut scores, peer) = (Scores::new(), PeerId::random());
        for _ in 0..19 {
            assert!(!scores.change(peer, -5, now));
        }
        assert_eq!(scores.get(&peer, now), -95);
        assert!(!scores.change(peer, -4, now));
        assert!(scores.change(peer, -1, now));
        assert_eq!(scores.get(&peer, now), 0, "it starts anew after the ban");
    }

    #[test]
    fn good_deeds_are_capped() {
        let now = Instant::now();
        let (mut scores, peer) = (Scores::new(), PeerId::random());
        for _ in 0..1_000 {
            assert!(!scores.change(peer, 1, now));
        }
        assert_eq!(scores.get(&peer, now), SCORE_MAX);
        assert!(!scores.change(peer, -149, now));
        assert!(scores.change(peer, -1, now));
    }

    #[test]
    fn time_forgives_up_to_zero() {
        let now = Instant::now();
        let (mut scores, peer) = (Scores::new(), PeerId::random());
        assert!(!scores.change(peer, -10, now));
        assert_eq!(scores.get(&peer, now + Duration::from_secs(29)), -10);
        assert_eq!(scores.get(&peer, now + Duration::from_secs(60)), -8);
        assert!(!scores.change(peer, -1, now + Duration::from_secs(45)));
        assert_eq!(scores.get(&peer, now + Duration::from_secs(60)), -9, "the second point was half earned");
        assert_eq!(scores.get(&peer, now + Duration::from_secs(86_400)), 0);
    }
}
