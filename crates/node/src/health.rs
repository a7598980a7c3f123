//! Is the node well, and if not, why: one sentence for people and for `/health/ready`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vigil_primitives::Height;

/// Heights that a node may be behind its peers and still count as synced: what settles while a block travels.
pub const BEHIND_MAX: Height = 4;
/// Seconds that the chain's time may be ahead of our clock.
pub const CLOCK_SKEW_MAX_SECONDS: u64 = 10;

/// Something that is wrong until it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Consensus has halted: more than a third of the stake is faulty.
    Halted,
    /// No room on the disk.
    DiskFull,
    /// The store or the state failed.
    Store,
    /// We hold a validator key and do not sign.
    NotSigning,
    /// A guardian that we host does not vote.
    GuardianSilent,
    /// The network task has ended.
    Network,
    /// A server for clients has ended.
    Server,
}

/// What the judgement rests on besides faults.
#[derive(Clone, Copy, Debug)]
struct Seen {
    settled: Height,
    settled_time: u64,
    settled_since: Instant,
    best_peer: Height,
    peers: usize,
    peers_wanted: bool,
    patience: Duration,
}

/// The node's health. Shared; each part reports what it sees.
#[derive(Debug)]
pub struct Health {
    faults: Mutex<BTreeMap<Fault, String>>,
    seen: Mutex<Seen>,
}

impl Health {
    /// `peers_wanted`: false on a chain of one validator. `patience`: how long the chain may stand still.
    pub fn new(peers_wanted: bool, patience: Duration) -> Self {
        let seen = Seen {
            settled: 0,
            settled_time: 0,
            settled_since: Instant::now(),
            best_peer: 0,
            peers: 0,
            peers_wanted,
            patience,
        };
        Self { faults: Mutex::default(), seen: Mutex::new(seen) }
    }

    /// Something is wrong from now on.
    pub fn raise(&self, fault: Fault, why: impl Into<String>) {
        let why = why.into();
        let known = lock(&self.faults).insert(fault, why.clone());
        if known.as_deref() != Some(&why) {
            tracing::error!("{why}");
        }
    }

    /// It is well again.
    pub fn clear(&self, fault: Fault) {
        if let Some(why) = lock(&self.faults).remove(&fault) {
            tracing::info!("over: {why}");
        }
    }

    /// A block was settled.
    pub fn settled(&self, height: Height, time: u64) {
        let mut seen = lock(&self.seen);
        (seen.settled, seen.settled_time, seen.settled_since) = (height, time, Instant::now());
    }

    /// Who is there, and how far they are.
    pub fn peers(&self, count: usize, best: Height) {
        let mut seen = lock(&self.seen);
        (seen.peers, seen.best_peer) = (count, best);
    }

    /// True if the node stands where its peers stand.
    pub fn synced(&self) -> bool {
        let seen = lock(&self.seen);
        seen.best_peer.saturating_sub(seen.settled) <= BEHIND_MAX
    }

    /// Why the node is not well; `None`: it is. `now` is the node's clock in Unix seconds.
    pub fn reason(&self, now: u64) -> Option<String> {
        let silent = {
            let faults = lock(&self.faults);
            let is_silence = |fault: &Fault| matches!(fault, Fault::NotSigning | Fault::GuardianSilent);
            let worst = faults.iter().find(|(fault, _)| !is_silence(fault));
            if let Some((_, why)) = worst {
                return Some(why.clone());
            }
            faults.values().next().cloned()
        };
        let seen = *lock(&self.seen);
        let behind = seen.best_peer.saturating_sub(seen.settled);
        let still = seen.settled_since.elapsed();
        if behind > BEHIND_MAX {
            Some(format!("syncing: at height {} of {}, behind by {behind} blocks", seen.settled, seen.best_peer))
        } else if seen.peers == 0 && seen.peers_wanted {
            Some("no peers: check p2p.seeds, the firewall and whether the others run".to_owned())
        } else if seen.settled_time > now + CLOCK_SKEW_MAX_SECONDS {
            let ahead = seen.settled_time - now;
            Some(format!("clock skew: the chain's time is {ahead} s ahead of this machine's; set its clock"))
        } else if let Some(why) = silent {
            Some(why)
        } else if still > seen.patience {
            let (seconds, peers) = (still.as_secs(), seen.peers);
            Some(format!("no block settled for {seconds} s at height {} with {peers} peers", seen.settled))
        } else {
            None
        }
    }
}

/// An error with its causes, in one sentence.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn the_worst_reason_is_told_first() {
        let health = Health::new(true, LONG);
        assert!(health.reason(0).expect("alone").starts_with("no peers"));
        health.peers(3, 0);
        assert_eq!(health.reason(0), None);
        health.peers(3, 90);
        assert!(!health.synced());
        assert!(health.reason(0).expect("behind").contains("at height 0 of 90, behind by 90 blocks"));
        health.settled(90 - BEHIND_MAX, 100);
        assert!(health.synced());
        assert!(health.reason(100 - CLOCK_SKEW_MAX_SECONDS - 1).expect("skew").starts_with("clock skew"));
        assert_eq!(health.reason(100 - CLOCK_SKEW_MAX_SECONDS), None);
        health.raise(Fault::NotSigning, "journal missing: not signing");
        assert_eq!(health.reason(100).as_deref(), Some("journal missing: not signing"));
        health.raise(Fault::GuardianSilent, "a guardian does not vote");
        assert_eq!(health.reason(100).as_deref(), Some("journal missing: not signing"));
        health.raise(Fault::DiskFull, "disk full");
        assert_eq!(health.reason(100).as_deref(), Some("disk full"));
        health.clear(Fault::DiskFull);
        health.clear(Fault::NotSigning);
        assert_eq!(health.reason(100).as_deref(), Some("a guardian does not vote"));
        health.clear(Fault::GuardianSilent);
        assert_eq!(health.reason(100), None);
    }

    #[test]
    fn a_chain_that_stands_still_is_told() {
        let health = Health::new(false, Duration::ZERO);
        health.settled(7, 1);
        assert!(health.reason(1).expect("still").contains("no block settled for 0 s at height 7"));
    }
}
