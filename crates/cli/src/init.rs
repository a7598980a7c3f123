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

/// Refuses a folder that `vigil init` has not made.
pub(crate) fn must_be_data_dir(layout: &Layout) -> Result<(), CliError> {
    match layout.config().exists() {
        true => Ok(()),
        false => Err(CliError::failed(format!(
            "{0} is no data folder: `vigil init --data-dir {0}` makes one",
            layout.root().display()
        ))),
    }
}

/// The configuration of the folder, if there is one; variables go before it, and `flags` before those.
pub(crate) fn config(layout: &Layout, flags: impl IntoIterator<Item = (String, String)>) -> Result<Config, CliError> {
    let file = Some(layout.config()).filter(|file| file.exists());
    let env =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Config::load(file.as_deref(), env, flags).map_err(CliError::usage)
}

/// Makes the folder.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let layout = data_dir(args.data_dir.as_ref(), globals)?;
    if layout.config().exists() {
        let config = layout.config();
        return Err(CliError::failed(format!("{} exists: this folder has been initialised", config.display())));
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
    let text = std::fs::read(&args.genesis).map_err(CliError::while_doing(args.genesis.display()))?;
    make(&layout, &text)?;
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

/// Makes the folder, or leaves what was there before.
fn make(layout: &Layout, genesis: &[u8]) -> Result<(), CliError> {
    let (folder_was_there, genesis_was_there) = (layout.root().exists(), layout.genesis().exists());
    if genesis_was_there && std::fs::read(layout.genesis()).ok().as_deref() != Some(genesis) {
        let path = layout.genesis();
        return Err(CliError::failed(format!("{} exists with other content: move it away first", path.display())));
    }
    let made = fill(layout, genesis);
    if made.is_err() {
        // The first error is the one to tell.
        if !folder_was_there {
            let _ = std::fs::remove_dir_all(layout.root());
        } else if !genesis_was_there {
            let _ = std::fs::remove_file(layout.genesis());
        }
    }
    made
}

/// The configuration comes last: it is what marks a folder as initialised.
fn fill(layout: &Layout, genesis: &[u8]) -> Result<(), CliError> {
    std::fs::create_dir_all(layout.root()).map_err(CliError::while_doing(layout.root().display()))?;
    Keystore::open(layout.keys()).map_err(CliError::failed)?; // so that an operator's key can be put there
    crate::files::write(&layout.genesis(), genesis)?;
    crate::files::write(&layout.config(), Config::default().to_documented_toml().as_bytes())
}
