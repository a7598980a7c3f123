//! `vigil guardian`: this node as a guardian.

use crate::tx::holder::Holder;
use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::PathBuf;
use vigil_node::guardian_keys;

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the summary that a deposit with --purpose 1 names as its --holder; makes the BLS key if there is none yet
    Key {
        /// Folder made by `vigil init` [default: node in the home folder]
        #[arg(long, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// Password of the node's key, and of its BLS key; otherwise it is asked for
        #[arg(long, env = "VIGIL_PASSWORD", hide_env_values = true, value_name = "TEXT")]
        password: Option<String>,
    },
}

/// Runs one of them.
pub(crate) fn run(command: &Command, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let Command::Key { data_dir, password } = command;
    let layout = crate::init::data_dir(data_dir.as_ref(), globals)?;
    crate::init::must_be_data_dir(&layout)?;
    let (key, password) = crate::start::unlock(password.as_deref(), &layout)?;
    let folder = layout.guardian_keys();
    let bls_key = guardian_keys::open_or_create(&folder, &key.address(), &password).map_err(CliError::failed)?;
    let holder = Holder::guardian(&key, &bls_key);
    let (address, summary) = (holder.address.to_checksum(None), holder.summary());
    output.note(format!(
        "guardian {address}, key in {}\n\
         No other node may vote with this key. Deposit with: vigil tx deposit --purpose 1 --holder SUMMARY\n\
         Start the node with guardian.enabled = true.",
        folder.display()
    ));
    // The keys of thetacli's `query guardian`.
    let object = json!({
        "Address": address,
        "BlsPubkey": hex::encode(&holder.bls_pubkey),
        "BlsPop": hex::encode(&holder.bls_pop),
        "Signature": hex::encode(&holder.signature.0),
        "Summary": summary,
    });
    output.result(summary, &object);
    Ok(())
}
