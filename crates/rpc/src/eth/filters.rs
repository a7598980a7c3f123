//! Installed filters: a bounded number, each uninstalled when nobody asks for it.

use super::methods::LogQuery;
use super::values::EthTx;
use crate::limits::FILTER_IDLE_MAX;
use crate::quota::Seat;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::broadcast;
use vigil_primitives::Height;

/// All filters.
#[derive(Default)]
pub(super) struct Filters {
    names: Names,
    installed: Mutex<HashMap<u64, Installed>>,
}

struct Installed {
    filter: Arc<tokio::sync::Mutex<Filter>>,
    asked: Instant,
    _seat: Seat,
}

/// What a filter watches, and what it has told.
pub(super) enum Filter {
    /// Hashes of blocks above this height.
    Blocks(Height),
    /// Logs in blocks above this height.
    Logs(Box<LogQuery>, Height),
    /// Admitted transactions.
    Pending {
        /// Those that it has not told.
        admitted: broadcast::Receiver<Arc<EthTx>>,
        /// Whole, not only hashes.
        full: bool,
    },
}

impl Filters {
    /// Uninstalls filters that nobody has asked for lately; their seats are free then.
    pub(super) fn expire(&self, now: Instant) {
        self.lock().retain(|_, filter| now.saturating_duration_since(filter.asked) <= FILTER_IDLE_MAX);
    }

    /// Installs a filter; its name.
    pub(super) fn install(&self, filter: Filter, seat: Seat, now: Instant) -> u64 {
        let name = self.names.next();
        let filter = Arc::new(tokio::sync::Mutex::new(filter));
        self.lock().insert(name, Installed { filter, asked: now, _seat: seat });
        name
    }

    /// A filter by name; its time begins anew.
    pub(super) fn ask(&self, name: u64, now: Instant) -> Option<Arc<tokio::sync::Mutex<Filter>>> {
        self.expire(now);
        let mut installed = self.lock();
        let filter = installed.get_mut(&name)?;
        filter.asked = now;
        Some(filter.filter.clone())
    }

    /// Uninstalls a filter; false if there is none.
    pub(super) fn uninstall(&self, name: u64) -> bool {
        self.lock().remove(&name).is_some()
    }

    /// A name for a subscription.
    pub(super) fn name(&self) -> u64 {
        self.names.next()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Installed>> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names that nobody guesses: who has one may read and end what it names.
#[derive(Default)]
struct Names {
    keys: RandomState,
    count: AtomicU64,
}

impl Names {
    fn next(&self) -> u64 {
        self.keys.hash_one(self.count.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    const TICK: Duration = Duration::from_millis(1);

    #[test]
    fn nobody_asks_and_it_is_gone() {
        let (filters, quota, start) = (Filters::default(), Quota::new(1), Instant::now());
        let seat = || quota.seat(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let name = filters.install(Filter::Blocks(1), seat().expect("free"), start);
        let mut now = start;
        for idle in [FILTER_IDLE_MAX - TICK, FILTER_IDLE_MAX] {
            now += idle;
            assert!(filters.ask(name, now).is_some() && seat().is_none(), "{idle:?}");
        }
        assert!(filters.ask(name, now + FILTER_IDLE_MAX + TICK).is_none());
        assert!(seat().is_some(), "its seat is free");
        assert!(!filters.uninstall(name));
    }

    #[test]
    fn names_differ() {
        let (filters, quota) = (Filters::default(), Quota::new(9));
        let seat = || quota.seat(IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("free");
        let names = [0, 1, 2].map(|height| filters.install(Filter::Blocks(height), seat(), Instant::now()));
        assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
        assert!(filters.uninstall(names[1]) && !filters.uninstall(names[1]));
        assert!(filters.ask(names[1], Instant::now()).is_none() && filters.ask(names[0], Instant::now()).is_some());
    }
}
