//! `vigil` as processes: wallet and queries before a node that answers what it is told, and an operator's first steps.

mod cards;
mod gpu;
mod hardware;
mod keys;
mod lost_card;
mod machine;
mod node;
mod operator;
mod query;
mod send;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore};

/// A home folder of its own.
struct Home {
    folder: tempfile::TempDir,
}

/// How a process ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn keys(&self) -> PathBuf {
        self.path().join("wallet/keys/encrypted")
    }

    /// Puts a key into the wallet under the password `pw`, with a cheap derivation.
    fn add(&self, key: &SecretKey) {
        self.vigil(&["key", "list"], "");
        Keystore::open(self.keys()).expect("made by key list").save(key, "pw", Cost::Light).expect("new");
    }

    /// Runs `vigil` with this home.
    fn vigil(&self, args: &[&str], stdin: &str) -> Ended {
        self.vigil_at("http://127.0.0.1:1/rpc", args, stdin)
    }

    /// `vigil` with this home.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
        // It is about the conformance suite of this run; `doctor` would read it.
        command.args(args).env("VIGIL_HOME", self.path()).env_remove("VIGIL_REQUIRE_BACKENDS");
        command
    }

    /// Runs `vigil` with this home on a machine of which these variables tell.
    fn vigil_where(&self, env: &[(&str, String)], args: &[&str]) -> Ended {
        let mut command = self.command(args);
        Self::ended(command.envs(env.iter().map(|(key, value)| (key, value))), "")
    }

    /// Runs `vigil` with this home against a node.
    fn vigil_at(&self, url: &str, args: &[&str], stdin: &str) -> Ended {
        Self::ended(self.command(args).env("VIGIL_REMOTE_RPC_ENDPOINT", url), stdin)
    }

    fn ended(command: &mut Command, stdin: &str) -> Ended {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the binary");
        // A process that asks for nothing may have closed its stdin already.
        let _closed = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        Ended {
            code: output.status.code().unwrap_or_else(|| panic!("{command:?} was killed: {output:?}")),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// A secret key from hex, `0x` optional.
fn secret(hex: &str) -> SecretKey {
    let bytes = vigil_testkit::vectors::unhex(hex).try_into().expect("32 bytes");
    SecretKey::from_bytes(&bytes).expect("a key")
}
