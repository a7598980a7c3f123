//! Banned identities, on disk with the wall-clock time they end.

use libp2p::PeerId;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// How long a ban lasts, in seconds: a day.
pub const BAN_SECONDS: u64 = 24 * 3600;
/// Bans kept; beyond it the one that ends first makes room.
const BANS_MAX: usize = 10_000;

/// Unix seconds, as the caller's clock says.
pub(crate) type UnixSeconds = u64;

/// The ban list: `bans.json` is an object from peer id to the Unix second at which the ban ends.
#[derive(Debug)]
pub(crate) struct Bans {
    path: PathBuf,
    until: BTreeMap<String, UnixSeconds>,
}

impl Bans {
    /// Reads the list; no file is an empty list.
    ///
    /// # Errors
    /// The file cannot be read or is not such an object.
    pub(crate) fn load(path: PathBuf) -> io::Result<Self> {
        Ok(Self { until: read_json(&path)?.unwrap_or_default(), path })
    }

    /// Who is banned at `now`.
    pub(crate) fn active(&self, now: UnixSeconds) -> impl Iterator<Item = PeerId> + '_ {
        self.until.iter().filter(move |(_, until)| **until > now).filter_map(|(id, _)| id.parse().ok())
    }

    pub(crate) fn contains(&self, peer: &PeerId, now: UnixSeconds) -> bool {
        self.until.get(&peer.to_string()).is_some_and(|until| *until > now)
    }

    /// Bans `peer` until `now` + a day and saves the list.
    ///
    /// # Errors
    /// The file cannot be written; the ban holds in memory.
    pub(crate) fn add(&mut self, peer: &PeerId, now: UnixSeconds) -> io::Result<()> {
        self.until.insert(peer.to_string(), now.saturating_add(BAN_SECONDS));
        if self.until.len() > BANS_MAX {
            let first = self.until.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone());
            first.map(|id| self.until.remove(&id));
        }
        write_json(&self.path, &self.until)
    }

    /// Removes what has ended and returns it.
    pub(crate) fn expire(&mut self, now: UnixSeconds) -> Vec<PeerId> {
        let (ended, active) = std::mem::take(&mut self.until).into_iter().partition(|(_, until)| *until <= now);
        self.until = active;
        let ended: BTreeMap<String, UnixSeconds> = ended;
        ended.keys().filter_map(|id| id.parse().ok()).collect()
    }
}

/// Reads a JSON file; `None` if there is none.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a JSON file whole or not at all.
pub(crate) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let new = path.with_extension("json.new");
    std::fs::write(&new, serde_json::to_vec_pretty(value)?)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_survive_a_restart_and_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bans.json");
        let peer = PeerId::random();
        let mut bans = Bans::load(path.clone()).unwrap();
        bans.add(&peer, 1_000).unwrap();
        let mut bans_again = Bans::load(path).unwrap();
        assert!(bans_again.contains(&peer, 1_000 + BAN_SECONDS - 1));
        assert_eq!(bans_again.active(1_000).collect::<Vec<_>>(), [peer]);
        assert!(!bans_again.contains(&peer, 1_000 + BAN_SECONDS));
        assert!(bans_again.expire(1_000 + BAN_SECONDS - 1).is_empty());
        assert_eq!(bans_again.expire(1_000 + BAN_SECONDS), [peer]);
        assert_eq!(bans_again.active(0).count(), 0);
    }

    #[test]
    fn the_list_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let mut bans = Bans::load(dir.path().join("bans.json")).unwrap();
        bans.until = (0..BANS_MAX as u64).map(|n| (format!("p{n}"), 10 + n)).collect();
        bans.add(&PeerId::random(), 5).unwrap();
        assert_eq!(bans.until.len(), BANS_MAX);
        assert!(!bans.until.contains_key("p0"), "the first to end made room");
    }

    #[test]
    fn a_broken_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bans.json");
        std::fs::write(&path, "[1,2]").unwrap();
        assert!(Bans::load(path).is_err());
    }
}
