//! Token buckets: how much one peer may send on one channel.

use crate::Rates;
use crate::queue::Channel;
use std::time::Instant;

/// Holds up to `burst` tokens and refills at `per_second`.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn new((burst, per_second): (u32, u32), now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { burst, per_second: f64::from(per_second), tokens: burst, at: now }
    }

    /// Takes `cost` tokens if they are there.
    pub(crate) fn take(&mut self, cost: usize, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        #[allow(clippy::cast_precision_loss)]
        let cost = cost as f64;
        if self.tokens < cost {
            return false;
        }
        self.tokens -= cost;
        true
    }
}

/// One peer's buckets.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    pub(crate) consensus: Bucket,
    pub(crate) bulk: Bucket,
    pub(crate) consensus_unproven: Bucket,
    pub(crate) bulk_unproven: Bucket,
    pub(crate) guardian: Bucket,
    pub(crate) gossip: Bucket,
    pub(crate) gossip_bytes: Bucket,
    pub(crate) blocks: Bucket,
    pub(crate) control: Bucket,
    pub(crate) addresses: Bucket,
}

impl Buckets {
    /// That of a channel; consensus has others for validators of the set.
    pub(crate) fn of(&mut self, channel: Channel, validator: bool) -> &mut Bucket {
        match (channel, validator) {
            (Channel::Small, true) => &mut self.consensus,
            (Channel::Bulk, true) => &mut self.bulk,
            (Channel::Small, false) => &mut self.consensus_unproven,
            (Channel::Bulk, false) => &mut self.bulk_unproven,
            (Channel::Guardian, _) => &mut self.guardian,
        }
    }

    pub(crate) fn new(rates: &Rates, now: Instant) -> Self {
        Self {
            consensus: Bucket::new(rates.consensus, now),
            bulk: Bucket::new(rates.bulk, now),
            consensus_unproven: Bucket::new(rates.consensus_unproven, now),
            bulk_unproven: Bucket::new(rates.bulk_unproven, now),
            guardian: Bucket::new(rates.guardian, now),
            gossip: Bucket::new(rates.gossip, now),
            gossip_bytes: Bucket::new(rates.gossip_bytes, now),
            blocks: Bucket::new(rates.blocks, now),
            control: Bucket::new(rates.control, now),
            addresses: Bucket::new(rates.addresses, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new((3, 2), start);
        assert!((0..3).all(|_| bucket.take(1, start)));
        assert!(!bucket.take(1, start));
        let later = start + Duration::from_millis(500);
        assert!(bucket.take(1, later));
        assert!(!bucket.take(1, later));
        let much_later = start + Duration::from_secs(3_600);
        assert!(!bucket.take(4, much_later), "never more than the burst");
        assert!(bucket.take(3, much_later));
    }

    #[test]
    fn time_going_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut bucket = Bucket::new((1, 1), start);
        assert!(bucket.take(1, start));
        assert!(!bucket.take(1, start - Duration::from_secs(5)));
        assert!(!bucket.take(1, start));
    }
}
