//! What happens to a message on its way: before GST nearly anything, after it a delay of the adversary's choice within Δ.

use crate::agenda::Time;
use crate::rng::Rng;

/// How the adversary picks delays after GST (`spec/consensus.md` §1.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delays {
    /// Uniform in (0, Δ].
    Uniform,
    /// Always Δ.
    Full,
    /// 1 ms or Δ.
    Extremes,
    /// Δ from the proposer of the epoch to some nodes, else 1 ms.
    SlowProposer,
    /// Δ to the proposer of the next epoch, else 1 ms.
    SlowNext,
}

/// All of them.
pub const DELAYS: [Delays; 5] =
    [Delays::Uniform, Delays::Full, Delays::Extremes, Delays::SlowProposer, Delays::SlowNext];

/// A time in which nodes of different groups do not hear each other.
#[derive(Clone, Debug)]
pub struct Partition {
    /// From here on.
    pub from: Time,
    /// Up to here, excluded.
    pub until: Time,
    /// Group of each node.
    pub groups: Vec<u8>,
}

/// The weather of one run.
#[derive(Clone, Debug)]
pub struct Weather {
    /// From here on no message is lost and none is late.
    pub gst: Time,
    /// Messages lost before GST, of 100.
    pub loss_percent: u64,
    /// Before GST a delay is up to this many Δ.
    pub delay_deltas: u64,
    /// Messages that arrive twice, of 100, at any time.
    pub duplicate_percent: u64,
    /// Before GST.
    pub partitions: Vec<Partition>,
}

/// The links.
#[derive(Clone)]
pub struct Network {
    weather: Weather,
    delta: Time,
    rng: Rng,
    delays: Delays,
    slow_to: Vec<bool>,
    proposer: Option<usize>,
    next: Option<usize>,
}

impl Network {
    /// Links of `nodes` nodes with bound `delta`, in milliseconds.
    pub fn new(weather: Weather, delta: Time, nodes: usize, rng: Rng) -> Self {
        let slow_to = vec![false; nodes];
        Self { weather, delta, rng, delays: Delays::Uniform, slow_to, proposer: None, next: None }
    }

    /// The adversary's choice for the epoch that begins: its way of delaying, who is slow to hear the proposer, and whose
    /// turn this epoch and the next are.
    pub fn retune(&mut self, delays: Delays, slow: &[usize], proposer: Option<usize>, next: Option<usize>) {
        self.delays = delays;
        self.slow_to.iter_mut().for_each(|flag| *flag = false);
        slow.iter().for_each(|node| self.slow_to[*node] = true);
        (self.proposer, self.next) = (proposer, next);
    }

    /// When a message sent now arrives: never, once or twice.
    pub fn send(&mut self, now: Time, from: usize, to: usize) -> Vec<Time> {
        let mut arrivals = Vec::with_capacity(1);
        if now >= self.weather.gst {
            arrivals.push(now + self.timely(from, to));
        } else if !self.cut(now, from, to) && !self.rng.percent(self.weather.loss_percent) {
            arrivals.push(now + self.rng.between(1, self.weather.delay_deltas * self.delta));
        }
        if !arrivals.is_empty() && self.rng.percent(self.weather.duplicate_percent) {
            arrivals.push(now + self.rng.between(1, self.delta));
        }
        arrivals
    }

    fn timely(&mut self, from: usize, to: usize) -> Time {
        let slow = match self.delays {
            Delays::Uniform => return self.rng.between(1, self.delta),
            Delays::Full => true,
            Delays::Extremes => self.rng.percent(50),
            Delays::SlowProposer => self.proposer == Some(from) && self.slow_to.get(to) == Some(&true),
            Delays::SlowNext => self.next == Some(to),
        };
        if slow { self.delta } else { 1 }
    }

    fn cut(&self, now: Time, from: usize, to: usize) -> bool {
        let apart = |groups: &[u8]| matches!((groups.get(from), groups.get(to)), (Some(a), Some(b)) if a != b);
        self.weather.partitions.iter().any(|p| p.from <= now && now < p.until && apart(&p.groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn network(gst: Time) -> Network {
        let partitions = vec![Partition { from: 0, until: 50, groups: vec![0, 0, 1] }];
        let weather = Weather { gst, loss_percent: 0, delay_deltas: 6, duplicate_percent: 0, partitions };
        Network::new(weather, 100, 3, Rng::seeded(1, Stream::Network))
    }

    #[test]
    fn a_partition_cuts_and_heals() {
        let mut network = network(1_000);
        assert!(network.send(10, 0, 2).is_empty());
        assert_eq!(network.send(10, 0, 1).len(), 1);
        assert_eq!(network.send(50, 0, 2).len(), 1);
    }

    #[test]
    fn after_gst_everything_arrives_within_delta() {
        let mut network = network(0);
        for (i, delays) in DELAYS.into_iter().cycle().take(500).enumerate() {
            network.retune(delays, &[1], Some(0), Some(2));
            let arrivals = network.send(7, i % 3, (i + 1) % 3);
            assert!(matches!(arrivals[..], [at] if (8..=107).contains(&at)), "{delays:?} {arrivals:?}");
        }
    }
}
