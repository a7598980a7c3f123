//! Tests of the whole crate.

mod disk_full;
mod journal;
mod prop;
mod rocks;
mod unit;

use crate::{Batch, Column, Hash, Identity, Store};
use std::path::Path;

pub(super) const IDENTITY: Identity = Identity { schema: 1, genesis: Hash::repeat_byte(0x11) };

pub(super) fn open(path: &Path) -> crate::RocksStore {
    crate::RocksStore::open(path, IDENTITY).expect("a good store")
}

/// Writes one value.
pub(super) fn put(store: &dyn Store, column: Column, key: &[u8], value: &[u8], durable: bool) {
    let mut batch = Batch::new();
    batch.put(column, key, value.to_vec());
    store.write(batch, durable).expect("room on the disk");
}

/// Runs the test `name` of this program in another process, which finds `value` in the environment variable `key`.
pub(super) fn child(name: &str, key: &str, value: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().expect("a test program"));
    command.args(["--exact", name, "--nocapture"]).env(key, value);
    command
}
