//! `vigil guardian`: this node as a guardian.

use crate::{CliError, Globals, Output};
use serde_json::{Value, json};
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
    let info = guardian_keys::info(&key, &bls_key);
    let rest = [&info.bls_pubkey[..], &info.bls_pop, &info.signature.0].map(hex::encode);
    let object = object(&info.address.to_checksum(None), &rest[0], &rest[1], &rest[2]);
    output.note(format!(
        "guardian {}, key in {}\n\
         No other node may vote with this key. Deposit with: vigil tx deposit --purpose 1 --holder SUMMARY\n\
         Start the node with guardian.enabled = true.",
        info.address.to_checksum(None),
        folder.display()
    ));
    output.result(object["Summary"].as_str().unwrap_or_default(), &object);
    Ok(())
}

/// What thetacli's `query guardian` prints; the summary is what `tx deposit --holder` takes.
pub(crate) fn object(address: &str, bls_pubkey: &str, bls_pop: &str, signature: &str) -> Value {
    json!({
        "Address": address,
        "BlsPubkey": bls_pubkey,
        "BlsPop": bls_pop,
        "Signature": signature,
        "Summary": format!("{address}{bls_pubkey}{bls_pop}{signature}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tx::holder::Holder;
    use vigil_crypto::{SecretKey, bls};

    #[test]
    fn the_summary_reads_back() {
        let info = guardian_keys::info(&SecretKey::generate(), &bls::SecretKey::generate());
        let rest = [&info.bls_pubkey[..], &info.bls_pop, &info.signature.0].map(hex::encode);
        let address = info.address.to_checksum(None);
        let object = object(&address, &rest[0], &rest[1], &rest[2]);
        let summary = object["Summary"].as_str().expect("text");
        assert!(summary.starts_with(&address));
        let holder = Holder::parse(summary, 1).expect("a summary");
        let read = (holder.address, holder.bls_pubkey, holder.bls_pop, holder.signature);
        assert_eq!(read, (info.address, info.bls_pubkey, info.bls_pop, info.signature));
    }
}
