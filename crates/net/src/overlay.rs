//! Who validates, and where they say they can be reached: the newest address record of each member.

use crate::bans::UnixSeconds;
use crate::record::AddressRecord;
use libp2p::PeerId;
use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::Address;

/// A record may be ahead of our clock by this much: one from the far future would outlive all that follow.
const AHEAD_MAX: UnixSeconds = 120;
/// A record older than this is not taken. A validator that was away for longer is found by the seeds.
const AGE_MAX: UnixSeconds = 15 * DAY;
/// A record older than this is not given on, so that no honest peer gives one that is not taken.
const KEPT: UnixSeconds = 14 * DAY;
/// Two records of a validator are at least this far apart: what it can make all others forward.
pub(crate) const UPDATE_SECONDS_MIN: UnixSeconds = 5;
/// A validator says again where it is.
pub(crate) const REPEAT_AFTER: UnixSeconds = 600;
const DAY: UnixSeconds = 24 * 3_600;

const _: () = assert!(KEPT + AHEAD_MAX < AGE_MAX && REPEAT_AFTER > UPDATE_SECONDS_MIN);

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// News: kept.
    Taken,
    /// Nothing new: as old as the one held, or older, or newer by too little.
    Superseded,
    /// Of nobody who validates.
    NotMember,
    /// From the future: our clock and those between may differ, so nobody is to blame.
    Early,
    /// Too old.
    Late,
    /// Not signed by the validator it names.
    Forged,
}

/// The members of the validator sets that count, and one record each at most.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    members: BTreeSet<Address>,
    records: BTreeMap<Address, AddressRecord>,
    /// Records of the address book, until the members are known.
    saved: Vec<AddressRecord>,
}

impl Overlay {
    /// With the records of a former run, which are looked at once the members are known.
    pub(crate) fn new(saved: Vec<AddressRecord>) -> Self {
        Self { saved, ..Self::default() }
    }

    /// Says who validates now and next; records of others are forgotten.
    pub(crate) fn set_members(
        &mut self,
        members: impl IntoIterator<Item = Address>,
        now: UnixSeconds,
        genuine: impl Fn(&AddressRecord) -> bool,
    ) {
        self.members = members.into_iter().collect();
        self.records.retain(|validator, _| self.members.contains(validator));
        for record in std::mem::take(&mut self.saved) {
            self.offer(record, now, &genuine);
        }
    }

    /// Takes a record if it is news. Its signature is looked at last: whoever sends rubbish pays more than we do.
    pub(crate) fn offer(
        &mut self,
        record: AddressRecord,
        now: UnixSeconds,
        genuine: impl Fn(&AddressRecord) -> bool,
    ) -> Outcome {
        let (validator, time) = (record.place.validator, record.place.time);
        if !self.members.contains(&validator) {
            return Outcome::NotMember;
        }
        if time > now.saturating_add(AHEAD_MAX) {
            return Outcome::Early;
        }
        if time < now.saturating_sub(AGE_MAX) {
            return Outcome::Late;
        }
        let held = self.records.get(&validator).map(|held| held.place.time);
        if held.is_some_and(|held| time < held.saturating_add(UPDATE_SECONDS_MIN)) {
            return Outcome::Superseded;
        }
        if !genuine(&record) {
            return Outcome::Forged;
        }
        self.records.insert(validator, record);
        Outcome::Taken
    }

    /// Forgets what has become too old to be given on.
    pub(crate) fn expire(&mut self, now: UnixSeconds) {
        self.records.retain(|_, record| record.place.time >= now.saturating_sub(KEPT));
    }

    pub(crate) fn is_member(&self, validator: &Address) -> bool {
        self.members.contains(validator)
    }

    /// True once somebody has said who validates.
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    pub(crate) fn get(&self, validator: &Address) -> Option<&AddressRecord> {
        self.records.get(validator)
    }

    /// By validator, ascending.
    pub(crate) fn records(&self) -> impl Iterator<Item = &AddressRecord> {
        self.records.values()
    }

    /// What a later run should know.
    pub(crate) fn to_save(&self) -> impl Iterator<Item = &AddressRecord> {
        self.records.values().chain(&self.saved)
    }

    /// Identities under which the `connected` validators are not to be dialled: they are there already.
    pub(crate) fn covered(&self, connected: &BTreeSet<Address>) -> BTreeSet<PeerId> {
        let theirs = self.records.values().filter(|record| connected.contains(&record.place.validator));
        theirs.map(|record| record.place.peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;

    const NOW: UnixSeconds = 1_800_000_000;

    fn member(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    fn overlay() -> Overlay {
        let mut overlay = Overlay::default();
        overlay.set_members([member(1), member(2)], NOW, |_| true);
        overlay
    }

    #[test]
    fn the_newest_record_of_each_member_is_kept() {
        let mut overlay = overlay();
        let mut offer = |validator, time| overlay.offer(record(validator, time), NOW, |_| true);
        assert_eq!(offer(1, NOW - 100), Outcome::Taken);
        assert_eq!(offer(1, NOW - 100), Outcome::Superseded);
        assert_eq!(offer(1, NOW - 101), Outcome::Superseded);
        assert_eq!(offer(1, NOW - 100 + UPDATE_SECONDS_MIN - 1), Outcome::Superseded);
        assert_eq!(offer(1, NOW - 100 + UPDATE_SECONDS_MIN), Outcome::Taken);
        assert_eq!(offer(2, NOW), Outcome::Taken);
        assert_eq!(offer(3, NOW), Outcome::NotMember);
        assert_eq!(overlay.records().map(|r| r.place.time).collect::<Vec<_>>(), [NOW - 95, NOW]);
    }

    #[test]
    fn a_record_has_its_time() {
        for (time, outcome) in [
            (NOW + AHEAD_MAX, Outcome::Taken),
            (NOW + AHEAD_MAX + 1, Outcome::Early),
            (u64::MAX, Outcome::Early),
            (NOW - AGE_MAX, Outcome::Taken),
            (NOW - AGE_MAX - 1, Outcome::Late),
            (0, Outcome::Late),
        ] {
            assert_eq!(overlay().offer(record(1, time), NOW, |_| true), outcome, "{time}");
        }
    }

    #[test]
    fn signatures_are_only_looked_at_when_all_else_is_right() {
        let mut overlay = overlay();
        assert_eq!(overlay.offer(record(1, NOW), NOW, |_| false), Outcome::Forged);
        assert!(overlay.get(&member(1)).is_none());
        overlay.offer(record(1, NOW), NOW, |_| true);
        let unwanted = [record(1, NOW), record(3, NOW), record(2, 0)];
        for record in unwanted {
            overlay.offer(record, NOW, |_| panic!("a signature was checked for nothing"));
        }
    }

    #[test]
    fn former_members_are_forgotten() {
        let mut overlay = overlay();
        overlay.offer(record(1, NOW), NOW, |_| true);
        overlay.offer(record(2, NOW), NOW, |_| true);
        overlay.set_members([member(2), member(3)], NOW, |_| true);
        assert!(!overlay.is_member(&member(1)) && overlay.get(&member(1)).is_none());
        assert!(overlay.get(&member(2)).is_some());
    }

    #[test]
    fn saved_records_wait_for_the_members_and_are_checked() {
        let forged = record(2, NOW - 8);
        let saved = vec![record(1, NOW - 9), forged.clone(), record(3, NOW), record(1, 0)];
        let mut overlay = Overlay::new(saved);
        assert!(!overlay.has_members() && overlay.records().next().is_none());
        assert_eq!(overlay.to_save().count(), 4, "an early end loses nothing");
        overlay.set_members([member(1), member(2)], NOW, |record| *record != forged);
        assert_eq!(overlay.records().cloned().collect::<Vec<_>>(), [record(1, NOW - 9)]);
    }

    #[test]
    fn old_records_are_not_given_on() {
        let mut overlay = overlay();
        overlay.offer(record(1, NOW), NOW, |_| true);
        overlay.expire(NOW + KEPT);
        assert!(overlay.get(&member(1)).is_some());
        overlay.expire(NOW + KEPT + 1);
        assert!(overlay.get(&member(1)).is_none());
    }

    #[test]
    fn who_is_there_is_not_dialled() {
        let mut overlay = overlay();
        overlay.offer(record(1, NOW), NOW, |_| true);
        let peer = record(1, NOW).place.peer;
        assert_eq!(overlay.covered(&BTreeSet::from([member(1)])), BTreeSet::from([peer]));
        assert!(overlay.covered(&BTreeSet::from([member(2)])).is_empty());
    }
}
