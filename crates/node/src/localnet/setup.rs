//! The folders of a local network: made once, used again.

use super::{
    cluster::NodeSpec,
    devnet::{self, Validator},
    ports::Ports,
    shape::Shape,
};
use crate::genesis::{self, GenesisInputError};
use crate::guardian_keys::{self, GuardianKey, GuardianKeyError};
use crate::{Config, layout::Layout};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use vigil_crypto::keystore::{Cost, Keystore, KeystoreError};
use vigil_crypto::{SecretKey, bls};
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
    #[error(transparent)]
    GuardianKeys(#[from] GuardianKeyError),
    #[error(
        "{path} holds a network of {there} {what}, {asked} were asked for: give {flag} {there} or another --data-dir"
    )]
    Shape { path: PathBuf, what: &'static str, flag: &'static str, there: usize, asked: usize },
    #[error("{path} holds a network with other genesis data; --genesis works only for a new one")]
    Rules { path: PathBuf },
}

/// What is remembered beside the node folders.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// Node addresses in order of the node folders.
    validators: Vec<Address>,
    /// Guardians of each process that holds some, in order of the node folders after those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    guardians: Vec<Vec<Address>>,
}

impl Manifest {
    /// Refuses another shape than the network's.
    fn check(&self, path: &Path, shape: Shape) -> Result<(), SetupError> {
        let guardians = self.guardians.iter().map(Vec::len).sum();
        for (what, flag, there, asked) in [
            ("validators", "--validators", self.validators.len(), shape.validators),
            ("guardians", "--guardians", guardians, shape.guardians),
            ("processes with guardians", "--guardian-processes", self.guardians.len(), shape.guardian_processes),
        ] {
            if there != asked {
                return Err(SetupError::Shape { path: path.to_path_buf(), what, flag, there, asked });
            }
        }
        Ok(())
    }
}

/// A network on disk.
#[derive(Debug)]
pub struct Setup {
    /// Its genesis.
    pub genesis: Genesis,
    /// What each node does.
    pub shape: Shape,
    /// Folder of each node.
    pub node_dirs: Vec<PathBuf>,
    /// True if it was there before.
    pub reused: bool,
}

/// Makes the network below `dir`, or opens the one that is there.
///
/// # Errors
/// [`SetupError`]; a network that is there must have the same shape and the same rules.
pub fn prepare(dir: &Path, shape: Shape, rules: &[String], now_s: u64) -> Result<Setup, SetupError> {
    let manifest_path = dir.join("localnet.json");
    let node_dirs: Vec<_> = (0..shape.nodes()).map(|i| dir.join(format!("node{i}"))).collect();
    if !manifest_path.exists() {
        let (genesis, manifest) = create(shape, &node_dirs, rules, now_s)?;
        write_json(&dir.join("genesis.json"), &genesis)?;
        // Last: a set-up that was cut short is made anew.
        write_json(&manifest_path, &manifest)?;
        return Ok(Setup { genesis, shape, node_dirs, reused: false });
    }
    let manifest: Manifest = read_json(&manifest_path)?;
    manifest.check(dir, shape)?;
    let genesis: Genesis = read_json(&dir.join("genesis.json"))?;
    let mut params = genesis.params.clone();
    for rule in rules {
        genesis::set_param(&mut params, rule)?;
    }
    if params != genesis.params {
        return Err(SetupError::Rules { path: dir.to_path_buf() });
    }
    Ok(Setup { genesis, shape, node_dirs, reused: true })
}

/// A node to be: its key, and those of its guardians. The first guardian has the node's address.
struct NewNode {
    key: SecretKey,
    guardians: Vec<GuardianKey>,
}

impl NewNode {
    fn generate(guardians: usize) -> Self {
        let key = SecretKey::generate();
        let address = |i| if i == 0 { key.address() } else { SecretKey::generate().address() };
        let guardians = (0..guardians).map(|i| (address(i), bls::SecretKey::generate())).collect();
        Self { key, guardians }
    }

    fn write(&self, dir: &Path, genesis: &Genesis) -> Result<(), SetupError> {
        let layout = Layout::new(dir);
        for keys in [layout.keys(), layout.guardian_keys()].into_iter().filter(|keys| keys.exists()) {
            std::fs::remove_dir_all(&keys).map_err(at(&keys))?;
        }
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        Keystore::open(layout.keys())?.save(&self.key, devnet::PASSWORD, Cost::Light)?;
        if !self.guardians.is_empty() {
            guardian_keys::save_all(&layout.guardian_keys(), &self.guardians, devnet::PASSWORD, Cost::Light)?;
        }
        write_json(&layout.genesis(), genesis)
    }
}

/// Makes keys and genesis, and writes them to the nodes' folders.
fn create(
    shape: Shape,
    node_dirs: &[PathBuf],
    rules: &[String],
    now_s: u64,
) -> Result<(Genesis, Manifest), SetupError> {
    let nodes: Vec<_> = (0..shape.nodes()).map(|node| NewNode::generate(shape.guardians_of(node))).collect();
    let (validators, holders) = nodes.split_at(shape.validators);
    // The source's key is thrown away: the stake of a local validator stays where it is.
    let validator = |n: &NewNode| Validator { address: n.key.address(), stake_source: SecretKey::generate().address() };
    let validators: Vec<_> = validators.iter().map(validator).collect();
    let guardians = holders.iter().flat_map(|n| &n.guardians).map(|(a, key)| devnet::guardian(*a, key)).collect();
    let genesis = devnet::genesis(&validators, guardians, now_s, rules)?;
    for (node, dir) in nodes.iter().zip(node_dirs) {
        node.write(dir, &genesis)?;
    }
    let guardians = holders.iter().map(|n| n.guardians.iter().map(|(address, _)| *address).collect()).collect();
    Ok((genesis, Manifest { validators: validators.iter().map(|v| v.address).collect(), guardians }))
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
    let defaults = Config::default();
    let mut specs = Vec::with_capacity(ports.len());
    for (i, (dir, own)) in setup.node_dirs.iter().zip(ports).enumerate() {
        let others = ports.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| address(p)).collect();
        let holds_guardians = setup.shape.guardians_of(i) > 0;
        let config = Config {
            validator_enabled: !holds_guardians,
            guardian_enabled: holds_guardians,
            p2p_address: loopback,
            p2p_port: own.p2p,
            p2p_seeds: others,
            p2p_peers_max: defaults.p2p_peers_max.max(ports.len()),
            rpc_port: own.rpc,
            rpc_cors: true,
            eth_port: own.eth,
            eth_ws_port: own.eth_ws,
            eth_cors: true,
            metrics_port: own.metrics,
            ..defaults.clone()
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

    fn shape(validators: usize, guardians: usize, processes: Option<usize>) -> Shape {
        Shape::new(validators, guardians, processes).expect("possible")
    }

    #[test]
    fn a_network_is_made_once_and_opened_again() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let made = prepare(dir.path(), shape(2, 0, None), &["checkpoint_interval=10".into()], 5).expect("made");
        assert!(!made.reused && made.node_dirs.len() == 2);
        let again = prepare(dir.path(), shape(2, 0, None), &[], 99).expect("opened");
        assert!(again.reused);
        assert_eq!(again.genesis, made.genesis);
        let refused = |shape| prepare(dir.path(), shape, &[], 9).expect_err("another shape").to_string();
        assert!(refused(shape(3, 0, None)).contains("network of 2 validators, 3 were asked for: give --validators 2"));
        assert!(refused(shape(2, 1, None)).contains("network of 0 guardians, 1 were asked for: give --guardians 0"));
        let rules = prepare(dir.path(), shape(2, 0, None), &["delta_ms=99".into()], 9);
        assert!(matches!(rules, Err(SetupError::Rules { .. })));
        let text = std::fs::read_to_string(dir.path().join("localnet.json")).expect("written");
        assert!(!text.contains("guardians"), "as before there were any, so that old ones open: {text}");

        let ports = Ports::of_all(2, Some(20_000)).expect("in range");
        let specs = node_specs(&again, &ports, Path::new("/bin/vigil"), &[]).expect("written");
        let config = Config::load(Some(&Layout::new(&specs[1].dir).config()), [], []).expect("reads back");
        assert_eq!((config.rpc_port, config.p2p_port), (20_020, 20_023));
        assert_eq!(config.p2p_seeds, ["/ip4/127.0.0.1/tcp/20003"]);
        assert!(config.validator_enabled && !config.guardian_enabled);
    }

    #[test]
    fn guardians_have_keys_stakes_and_processes() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let five = shape(1, 5, Some(2));
        let made = prepare(dir.path(), five, &[], 5).expect("made");
        assert_eq!((made.node_dirs.len(), made.genesis.guardians.len()), (3, 5));
        let mut staked: Vec<_> = made.genesis.guardians.iter().map(|g| (g.holder, g.bls_pubkey.to_vec())).collect();
        for (dir, count) in made.node_dirs.iter().zip([0, 3, 2]) {
            let layout = Layout::new(dir);
            let keys = guardian_keys::load_all(&layout.guardian_keys(), devnet::PASSWORD).expect("opened");
            assert_eq!(keys.len(), count);
            let node = crate::node_key::address(layout.keys()).expect("one key").expect("one key");
            assert_eq!(keys.iter().any(|(address, _)| *address == node), count > 0);
            let held: Vec<_> = keys.iter().map(|(a, key)| (*a, key.public_key().to_bytes().to_vec())).collect();
            staked.retain(|one| !held.contains(one));
        }
        assert_eq!(staked, [], "each stake names a key that a node holds");

        let ports = Ports::of_all(3, Some(20_000)).expect("in range");
        let specs = node_specs(&made, &ports, Path::new("/bin/vigil"), &[]).expect("written");
        let config = |i: usize| Config::load(Some(&Layout::new(&specs[i].dir).config()), [], []).expect("reads back");
        assert!(config(0).validator_enabled && !config(0).guardian_enabled);
        assert!(config(2).guardian_enabled && !config(2).validator_enabled);
        assert_eq!((config(2).rpc_port, config(2).p2p_seeds.len()), (20_040, 2));

        assert_eq!(prepare(dir.path(), five, &[], 9).expect("opened").genesis, made.genesis);
        let error = prepare(dir.path(), shape(1, 5, Some(3)), &[], 9).expect_err("another shape").to_string();
        assert!(error.contains("2 processes with guardians, 3 were asked for: give --guardian-processes 2"), "{error}");
    }
}
