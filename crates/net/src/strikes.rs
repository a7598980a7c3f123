//! Addresses from which banned identities came. An identity costs nothing, an address does: after so many bans of
//! identities the address itself is banned.

use crate::address::Source;
use crate::bans::{BAN_SECONDS, UnixSeconds, read_json, write_json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

/// Identities from one address that are banned within a day before the address is.
pub(crate) const STRIKES_MAX: usize = 3;
/// Addresses kept; beyond it the one that is forgotten first makes room.
const SOURCES_MAX: usize = 10_000;

/// The list: `banned_addresses.json` is an object from address (the network's first one for an IPv6 /64) to the Unix
/// seconds at which its strikes end. With [`STRIKES_MAX`] strikes it is banned.
#[derive(Debug)]
pub(crate) struct Strikes {
    path: PathBuf,
    ends: BTreeMap<Source, Vec<UnixSeconds>>,
}

impl Strikes {
    /// Reads the list; no file is an empty list.
    ///
    /// # Errors
    /// The file cannot be read or is not such an object.
    pub(crate) fn load(path: PathBuf) -> io::Result<Self> {
        Ok(Self { ends: read_json(&path)?.unwrap_or_default(), path })
    }

    /// Who is banned at `now`.
    pub(crate) fn banned(&self, now: UnixSeconds) -> BTreeSet<Source> {
        let active = |ends: &Vec<UnixSeconds>| ends.iter().filter(|end| **end > now).count();
        self.ends.iter().filter(|(_, ends)| active(ends) >= STRIKES_MAX).map(|(source, _)| *source).collect()
    }

    /// An identity from `source` was banned: a strike for a day, and with the last strike a ban for a day. Saves the list.
    ///
    /// # Errors
    /// The file cannot be written; the strike counts in memory.
    pub(crate) fn add(&mut self, source: Source, now: UnixSeconds) -> io::Result<()> {
        let end = now.saturating_add(BAN_SECONDS);
        let ends = self.ends.entry(source).or_default();
        ends.retain(|end| *end > now);
        ends.push(end);
        if ends.len() >= STRIKES_MAX {
            *ends = vec![end; STRIKES_MAX];
        }
        if self.ends.len() > SOURCES_MAX {
            let first = self.ends.iter().min_by_key(|(_, ends)| ends.iter().max()).map(|(source, _)| *source);
            first.map(|source| self.ends.remove(&source));
        }
        write_json(&self.path, &self.ends)
    }

    /// Removes what has ended.
    pub(crate) fn expire(&mut self, now: UnixSeconds) {
        self.ends.retain(|_, ends| ends.iter().any(|end| *end > now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const NOW: UnixSeconds = 1_000_000;

    fn source(n: u32) -> Source {
        let ip = Ipv4Addr::from_bits(0xcb00_7100 + n);
        Source::of(&libp2p::Multiaddr::from(ip)).unwrap()
    }

    fn list() -> (Strikes, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Strikes::load(dir.path().join("banned_addresses.json")).unwrap(), dir)
    }

    #[test]
    fn the_third_identity_bans_the_address_for_a_day() {
        let (mut strikes, _dir) = list();
        for n in 1..STRIKES_MAX as u64 {
            strikes.add(source(7), NOW + n).unwrap();
            strikes.add(source(8), NOW + n).unwrap();
            assert!(strikes.banned(NOW + n).is_empty());
        }
        strikes.add(source(7), NOW + 9).unwrap();
        assert_eq!(strikes.banned(NOW + 9), BTreeSet::from([source(7)]));
        assert_eq!(strikes.banned(NOW + 9 + BAN_SECONDS - 1), BTreeSet::from([source(7)]));
        assert!(strikes.banned(NOW + 9 + BAN_SECONDS).is_empty());
    }

    #[test]
    fn strikes_of_other_days_do_not_add_up() {
        let (mut strikes, _dir) = list();
        for day in 0..9 {
            strikes.add(source(7), NOW + day * BAN_SECONDS).unwrap();
            assert!(strikes.banned(NOW + day * BAN_SECONDS).is_empty(), "day {day}");
        }
    }

    #[test]
    fn the_list_survives_a_restart_and_ends() {
        let (mut strikes, dir) = list();
        let v6 = Source::of(&"/ip6/2001:db8:0:1::9/tcp/1".parse().unwrap()).unwrap();
        (0..STRIKES_MAX).for_each(|_| strikes.add(v6, NOW).unwrap());
        strikes.add(source(7), NOW).unwrap();
        let mut again = Strikes::load(dir.path().join("banned_addresses.json")).unwrap();
        assert_eq!(again.banned(NOW), BTreeSet::from([v6]));
        again.expire(NOW + BAN_SECONDS - 1);
        assert_eq!(again.ends.len(), 2);
        again.expire(NOW + BAN_SECONDS);
        assert!(again.ends.is_empty());
    }

    #[test]
    fn the_list_is_bounded() {
        let (mut strikes, _dir) = list();
        strikes.ends = (0..SOURCES_MAX as u32).map(|n| (source(n), vec![NOW + 10 + u64::from(n)])).collect();
        strikes.add(source(u32::MAX >> 8), NOW).unwrap();
        assert_eq!(strikes.ends.len(), SOURCES_MAX);
        assert!(!strikes.ends.contains_key(&source(0)), "the first to end made room");
    }
}
