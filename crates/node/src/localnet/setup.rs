//! The folders of a local network: made once, used again.

use super::{
    cluster::NodeSpec,
    devnet::{self, Validator},
    ports::Ports,
};
use crate::genesis::{self, GenesisInputError};
use crate::{Config, layout::Layout};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore, KeystoreError};
use vigil_primitives::{Address, Genesis};

/// Why a local network could not be set up.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SetupError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}")]
    BadFile { path: PathBuf, reason: String },
    #[error(transparent)]
    Genesis(#[from] GenesisInputError),
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    #[error("{path} holds a network of {there} validators, --validators asks for {asked}")]
    Validators { path: PathBuf, there: usize, asked: usize },
    #[error("{path} holds a network with other genesis data; --genesis works only for a new one")]
    Rules { path: PathBuf },
}

/// What is remembered beside the node folders.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// Node addresses in order of the node folders.
    validators: Vec<Address>,
}

/// A network on disk.
#[derive(Debug)]
pub struct Setup {
    /// Its genesis.
    pub genesis: Genesis,
    /// Folder of each node.
    pub node_dirs: Vec<PathBuf>,
    /// True if it was there before.
    pub reused: bool,
}

/// Makes the network below `dir`, or opens the one that is there.
///
/// # Errors
/// [`SetupError`]; a network that is there must have as many validators and the same rules.
pub fn prepare(dir: &Path, validators: usize, rules: &[String], now_s: u64) -> Result<Setup, SetupError> {
    let manifest_path = dir.join("localnet.json");
    let node_dirs: Vec<_> = (0..validators).map(|i| dir.join(format!("node{i}"))).collect();
    if !manifest_path.exists() {
        let genesis = create(&node_dirs, rules, now_s, &dir.join("genesis.json"), &manifest_path)?;
        return Ok(Setup { genesis, node_dirs, reused: false });
    }
    let manifest: Manifest = read_json(&manifest_path)?;
    if manifest.validators.len() != validators {
        let there = manifest.validators.len();
        return Err(SetupError::Validators { path: dir.to_path_buf(), there, asked: validators });
    }
    let genesis: Genesis = read_json(&dir.join("genesis.json"))?;
    let mut params = genesis.params.clone();
    for rule in rules {
        genesis::set_param(&mut params, rule)?;
    }
    if params != genesis.params {
        return Err(SetupError::Rules { path: dir.to_path_buf() });
    }
    Ok(Setup { genesis, node_dirs, reused: true })
}

/// Writes keys, genesis and, last, the manifest: a set-up that was cut short is made anew.
fn create(
    node_dirs: &[PathBuf],
    rules: &[String],
    now_s: u64,
    genesis_path: &Path,
    manifest_path: &Path,
) -> Result<Genesis, SetupError> {
    let mut validators = Vec::with_capacity(node_dirs.len());
    let mut keys = Vec::with_capacity(node_dirs.len());
    for _ in node_dirs {
        let key = SecretKey::generate();
        // The source's key is thrown away: the stake of a local validator stays where it is.
        validators.push(Validator { address: key.address(), stake_source: SecretKey::generate().address() });
        keys.push(key);
    }
    let genesis = devnet::genesis(&validators, now_s, rules)?;
    for (dir, key) in node_dirs.iter().zip(&keys) {
        let layout = Layout::new(dir);
        if layout.keys().exists() {
            std::fs::remove_dir_all(layout.keys()).map_err(at(&layout.keys()))?;
        }
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        Keystore::open(layout.keys())?.save(key, devnet::PASSWORD, Cost::Light)?;
        write_json(&layout.genesis(), &genesis)?;
    }
    write_json(genesis_path, &genesis)?;
    write_json(manifest_path, &Manifest { validators: validators.iter().map(|v| v.address).collect() })?;
    Ok(genesis)
}

/// Writes each node's configuration and says how to start it. `extra` goes to every node's command line.
///
/// # Errors
/// [`SetupError::Io`].
pub fn node_specs(
    setup: &Setup,
    ports: &[Ports],
    program: &Path,
    extra: &[String],
) -> Result<Vec<NodeSpec>, SetupError> {
    let address = |p: &Ports| format!("/ip4/127.0.0.1/tcp/{}", p.p2p);
    let loopback = std::net::Ipv4Addr::LOCALHOST.into();
    let mut specs = Vec::with_capacity(ports.len());
    for (i, (dir, own)) in setup.node_dirs.iter().zip(ports).enumerate() {
        let others = ports.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| address(p)).collect();
        let config = Config {
            p2p_address: loopback,
            p2p_port: own.p2p,
            p2p_seeds: others,
            rpc_port: own.rpc,
            rpc_cors: true,
            metrics_port: own.metrics,
            ..Config::default()
        };
        let layout = Layout::new(dir);
        std::fs::write(layout.config(), config.to_documented_toml()).map_err(at(&layout.config()))?;
        let mut args: Vec<std::ffi::OsString> = vec!["start".into(), "--data-dir".into(), dir.into()];
        args.push("--stop-with-stdin".into());
        args.extend(extra.iter().map(Into::into));
        let (dir, program, password) = (dir.clone(), program.to_path_buf(), devnet::PASSWORD.to_owned());
        specs.push(NodeSpec { dir, ports: *own, program, args, password });
    }
    Ok(specs)
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> SetupError {
    let path = path.to_path_buf();
    |source| SetupError::Io { path, source }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, SetupError> {
    let text = std::fs::read_to_string(path).map_err(at(path))?;
    serde_json::from_str(&text).map_err(|e| SetupError::BadFile { path: path.to_path_buf(), reason: e.to_string() })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), SetupError> {
    let text = serde_json::to_string_pretty(value).expect("plain data serializes");
    std::fs::write(path, text + "\n").map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_made_once_and_opened_again() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let made = prepare(dir.path(), 2, &["checkpoint_interval=10".into()], 5).expect("made");
        assert!(!made.reused && made.node_dirs.len() == 2);
        let again = prepare(dir.path(), 2, &[], 99).expect("opened");
        assert!(again.reused);
        assert_eq!(again.genesis, made.genesis);
        assert!(matches!(prepare(dir.path(), 3, &[], 9), Err(SetupError::Validators { there: 2, asked: 3, .. })));
        assert!(matches!(prepare(dir.path(), 2, &["delta_ms=99".into()], 9), Err(SetupError::Rules { .. })));

        let ports = Ports::of_all(2, Some(20_000)).expect("in range");
        let specs = node_specs(&again, &ports, Path::new("/bin/vigil"), &[]).expect("written");
        let config = Config::load(Some(&Layout::new(&specs[1].dir).config()), [], []).expect("reads back");
        assert_eq!((config.rpc_port, config.p2p_port), (20_020, 20_023));
        assert_eq!(config.p2p_seeds, ["/ip4/127.0.0.1/tcp/20003"]);
    }
}
