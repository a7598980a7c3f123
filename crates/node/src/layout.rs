//! Files of a data directory.

use std::path::{Path, PathBuf};

/// Where each file of a node is, below its data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The data directory `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The data directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The genesis file.
    pub fn genesis(&self) -> PathBuf {
        self.root.join("genesis.json")
    }

    /// Keystore of the node's key: exactly one file.
    pub fn keys(&self) -> PathBuf {
        self.root.join("key").join("encrypted")
    }

    /// Secret of the node's p2p identity.
    pub fn p2p_key(&self) -> PathBuf {
        self.root.join("p2p.key")
    }

    /// Signing journal of a key. Outside the chain database: it must survive its deletion.
    pub fn journal(&self, address: &vigil_primitives::Address) -> PathBuf {
        self.root.join("journal").join(format!("{address:x}"))
    }

    /// Every key that has ever signed from this data directory: a file of this name with no content. It stands beside
    /// the journals so that one that went missing is noticed.
    pub fn signed_marker(&self, address: &vigil_primitives::Address) -> PathBuf {
        self.root.join("key").join(format!("{address:x}.signed"))
    }

    /// BLS keys of the guardians that this node hosts, one file each.
    pub fn guardian_keys(&self) -> PathBuf {
        self.root.join("guardian").join("encrypted")
    }

    /// Signing journal of a guardian.
    pub fn guardian_journal(&self, address: &vigil_primitives::Address) -> PathBuf {
        self.root.join("journal").join(format!("guardian-{address:x}"))
    }

    /// As [`Layout::signed_marker`], of a guardian's BLS key.
    pub fn guardian_marker(&self, address: &vigil_primitives::Address) -> PathBuf {
        self.root.join("guardian").join(format!("{address:x}.signed"))
    }

    /// The chain database.
    pub fn db(&self) -> PathBuf {
        self.root.join("db")
    }

    /// What the verification engine measured on this machine.
    pub fn calibration(&self) -> PathBuf {
        self.root.join("calibration.json")
    }

    /// Held while a node runs here; its content is the process id.
    pub fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    /// One JSON line for each signed consensus message that left (`--sent-log`; for tests).
    pub fn sent_log(&self) -> PathBuf {
        self.root.join("sent.jsonl")
    }
}
