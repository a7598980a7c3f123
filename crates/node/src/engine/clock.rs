//! The two clocks: one that never goes back, one that people agree on.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use vigil_consensus::Now;

/// Reads both.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Counts monotonic time from now.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Milliseconds since [`Clock::start`].
    pub fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Both at once, for [`vigil_consensus::Machine::step`].
    pub fn now(&self) -> Now {
        Now { mono: self.mono_ms(), unix: Self::unix_s() }
    }

    /// Unix seconds.
    pub fn unix_s() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}
