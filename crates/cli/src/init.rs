//! `vigil init`: a data directory with a documented configuration.

use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::PathBuf;
use vigil_crypto::keystore::Keystore;
use vigil_node::Config;
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::Preset;
use vigil_node::layout::Layout;

/// Where, and of which chain.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to make [default: node in the home folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Genesis file of the chain (`vigil genesis` makes one)
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Network that the genesis file must be of: theta, sky or allaudio
    #[arg(long, value_name = "PRESET", value_parser = preset)]
    chain: Option<Preset>,
}

/// A preset by name.
pub(crate) fn preset(name: &str) -> Result<Preset, String> {
    let known = || Preset::ALL.map(|(name, _)| name).join(", ");
    Preset::named(name).ok_or_else(|| format!("no such preset; there are {}", known()))
}

/// Folder of the node: the one given, or `node` in the home folder.
pub(crate) fn data_dir(given: Option<&PathBuf>, globals: &Globals) -> Result<Layout, CliError> {
    match given {
        Some(folder) => Ok(Layout::new(folder)),
        None => Ok(Layout::new(globals.home()?.join("node"))),
    }
}

/// Makes the folder.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let layout = data_dir(args.data_dir.as_ref(), globals)?;
    for path in [layout.config(), layout.genesis()] {
        if path.exists() {
            return Err(CliError::failed(format!("{} exists: this folder has been initialised", path.display())));
        }
    }
    let genesis = crate::genesis::read(&args.genesis)?;
    if let Some(preset) = args.chain {
        let (want, got) = (preset.params().stake_token, &genesis.params.stake_token);
        if want != *got {
            let file = args.genesis.display();
            return Err(CliError::failed(format!("{file} has the stake token {got}, --chain asks for {want}")));
        }
    }
    let hash = GenesisBlock::of(&genesis).map_err(CliError::failed)?.hash();
    std::fs::create_dir_all(layout.root()).map_err(CliError::while_doing(layout.root().display()))?;
    Keystore::open(layout.keys()).map_err(CliError::failed)?; // so that an operator's key can be put there
    let text = std::fs::read(&args.genesis).map_err(CliError::while_doing(args.genesis.display()))?;
    std::fs::write(layout.genesis(), text).map_err(CliError::while_doing(layout.genesis().display()))?;
    let config = Config::default().to_documented_toml();
    std::fs::write(layout.config(), config).map_err(CliError::while_doing(layout.config().display()))?;
    let (config, root) = (layout.config(), layout.root());
    output.result(
        format!(
            "Genesis block hash: {hash}\nConfiguration: {}\nStart with: vigil start --data-dir {}",
            config.display(),
            root.display()
        ),
        &json!({ "genesis_hash": hash, "config": config, "data_dir": root }),
    );
    Ok(())
}
