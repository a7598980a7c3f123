//! Who crashes when, and what of the disk is left.

use crate::agenda::Time;
use crate::committee::Committee;
use crate::rng::Rng;
use crate::scenario::Scenario;

/// Where a crash happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Between two events.
    Idle,
    /// The record of the next journal write is lost, and all that was to follow.
    BeforeJournal,
    /// The record of the next journal write is durable, what was to follow is lost.
    AfterJournal,
    /// Within the effects that follow the next journal write.
    AmongSends,
}

const CRASH_POINTS: [CrashPoint; 4] =
    [CrashPoint::Idle, CrashPoint::BeforeJournal, CrashPoint::AfterJournal, CrashPoint::AmongSends];

/// What a crash does to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Nothing.
    Kept,
    /// Certificates that were not settled are gone: nobody waits until they are durable.
    LosesCertificates,
    /// Blocks and certificates that were not settled are gone; the journal and what is settled are not.
    LosesUnsettled,
    /// An older copy is put in its place.
    OldCopy {
        /// Age of the chain database, in settlements; what was not settled then is gone.
        settlements: usize,
        /// Age of the signing journal, in records.
        records: usize,
    },
}

impl Disk {
    /// True if blocks that were executed, and perhaps voted for, are gone.
    fn loses_blocks(self) -> bool {
        matches!(self, Self::LosesUnsettled | Self::OldCopy { .. })
    }
}

/// A crash and the restart after it.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// Who.
    pub node: usize,
    /// From when it may happen.
    pub at: Time,
    /// Where.
    pub point: CrashPoint,
    /// How long until the restart.
    pub down_for: Time,
    /// What is there after the restart.
    pub disk: Disk,
}

/// Restarts with an older journal, and half of the time an older chain database, in the storm and after it.
pub(super) fn rollbacks(node: usize, gst: Time, delta: Time, rng: &mut Rng) -> Vec<Crash> {
    let mut at = rng.between(10 * delta, gst + 20 * delta);
    let rollback = |_| {
        let (point, down_for) = (*rng.pick(&CRASH_POINTS), rng.between(1, 4 * delta));
        let settlements = if rng.percent(50) { 0 } else { rng.between(1, 8) as usize };
        let disk = Disk::OldCopy { settlements, records: rng.between(1, 12) as usize };
        let crash = Crash { node, at, point, down_for, disk };
        at += down_for + rng.between(10 * delta, 40 * delta);
        crash
    };
    (0..3).map(rollback).collect()
}

/// What an ordinary crash does.
fn draw_disk(rng: &mut Rng) -> Disk {
    match rng.between(0, 9) {
        0..=4 => Disk::Kept,
        5..=7 => Disk::LosesUnsettled,
        _ => Disk::OldCopy { settlements: rng.between(1, 8) as usize, records: 0 },
    }
}

pub(super) fn early_crashes(nodes: usize, liars: &[usize], gst: Time, delta: Time, rng: &mut Rng) -> Vec<Crash> {
    let mut crashes = Vec::new();
    for node in (0..nodes).filter(|node| !liars.contains(node)) {
        if !rng.percent(60) {
            continue;
        }
        for _ in 0..rng.between(1, 3) {
            let at = rng.between(0, gst);
            let down_for = rng.between(1, (gst - at).clamp(1, 20 * delta));
            crashes.push(Crash { node, at, point: *rng.pick(&CRASH_POINTS), down_for, disk: draw_disk(rng) });
        }
    }
    crashes
}

/// After GST, one at a time, nodes that together with the faulty are within what every committee tolerates.
pub(super) fn late_crashes(
    s: &Scenario,
    committees: &[Committee],
    faulty: &[usize],
    gst: Time,
    rng: &mut Rng,
) -> Vec<Crash> {
    let mut fallible = faulty.to_vec();
    for node in 0..s.weights.len() {
        let mut more = fallible.clone();
        more.push(node);
        if !fallible.contains(&node) && committees.iter().all(|committee| committee.tolerates(&more)) {
            fallible = more;
        }
    }
    let mut crashes = Vec::new();
    if !s.storm {
        return crashes;
    }
    for node in fallible.into_iter().filter(|node| !faulty.contains(node)) {
        let mut at = gst + rng.between(0, 10 * s.delta);
        for _ in 0..rng.between(1, 4) {
            let down_for = rng.between(1, 15 * s.delta);
            crashes.push(Crash { node, at, point: *rng.pick(&CRASH_POINTS), down_for, disk: draw_disk(rng) });
            at += down_for + rng.between(10 * s.delta, 25 * s.delta);
        }
    }
    crashes
}

/// A block is durable before the vote for it (`docs/decisions/0006`), so only a lost database takes blocks along: of nodes
/// that are together less than a third of every committee, not counting the faulty. Then each certified block has an
/// honest voter that never loses it. The others lose certificates.
pub(super) fn bound_losses(crashes: &mut [Crash], committees: &[Committee], faulty: &[usize]) {
    let mut losers: Vec<usize> = Vec::new();
    for crash in crashes.iter_mut().filter(|crash| crash.disk.loses_blocks() && !faulty.contains(&crash.node)) {
        let more = [losers.as_slice(), &[crash.node]].concat();
        if committees.iter().all(|committee| committee.tolerates(&more)) {
            losers = more;
        } else {
            crash.disk = Disk::LosesCertificates;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;
    use crate::scenario::Scenario;

    /// The greedy adversary stopped four validators for good where all voters of a certified block had lost it.
    #[test]
    fn a_certified_block_is_never_lost_by_all_of_its_honest_voters() {
        let mut losses = 0;
        for scenario in [Scenario::equal(4, 1), Scenario::mix(vec![5, 4, 3, 3, 2, 2, 1], 1).with_set_changes(2)] {
            for seed in 0..200 {
                let plan = Plan::draw(&scenario, seed);
                let lossy = plan.crashes.iter().filter(|crash| crash.disk.loses_blocks());
                let losers: Vec<usize> = lossy.map(|crash| crash.node).collect();
                assert!(
                    plan.committees.iter().all(|committee| committee.tolerates(&losers)),
                    "seed {seed}: {losers:?}"
                );
                losses += losers.len();
            }
        }
        assert!(losses > 200, "only {losses} databases were lost");
    }
}
