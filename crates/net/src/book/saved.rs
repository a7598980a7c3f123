//! `peers.json`: what the address book remembers over a restart.

use crate::bans::read_json;
use crate::record::AddressRecord;
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The content of the file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// By peer id.
    pub(super) peers: BTreeMap<String, Vec<Multiaddr>>,
    /// Address records of validators, each in hexadecimal.
    records: Vec<String>,
}

/// The file as it is, or as it was before there were records.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnySaved {
    Now(Saved),
    Before(BTreeMap<String, Vec<Multiaddr>>),
}

impl Saved {
    pub(super) fn new<'a>(
        peers: BTreeMap<String, Vec<Multiaddr>>,
        records: impl Iterator<Item = &'a AddressRecord>,
    ) -> Self {
        Self { peers, records: records.map(|record| hex::encode(record.encode())).collect() }
    }

    /// Reads the file; no file is an empty one.
    ///
    /// # Errors
    /// The file cannot be read or is no such object.
    pub(super) fn load(path: &Path) -> io::Result<Self> {
        Ok(match read_json(path)? {
            None => Self::default(),
            Some(AnySaved::Now(saved)) => saved,
            Some(AnySaved::Before(peers)) => Self { peers, ..Self::default() },
        })
    }

    /// The records that can be read; what is in them is not checked.
    pub(super) fn decode_records(&self) -> Vec<AddressRecord> {
        let bytes = self.records.iter().filter_map(|text| hex::decode(text).ok());
        bytes.filter_map(|bytes| AddressRecord::decode(&bytes).ok()).collect()
    }
}
