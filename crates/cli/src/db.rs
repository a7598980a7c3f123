//! `vigil db`: looks into a data folder. The node need not run; nothing is changed.

use crate::{CliError, Globals, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use vigil_consensus::{JournalRecord, JournalState};
use vigil_node::layout::Layout;
use vigil_node::node_key;

/// What to look at.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// What the node's key has signed, by its journal
    Journal {
        /// The data folder [default: node in the home folder]
        #[arg(long, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
    },
}

/// Looks.
pub(crate) fn run(command: &Command, globals: &Globals, output: &Output) -> Result<(), CliError> {
    match command {
        Command::Journal { data_dir } => journal(&crate::init::data_dir(data_dir.as_ref(), globals)?, output),
    }
}

fn journal(layout: &Layout, output: &Output) -> Result<(), CliError> {
    let address = node_key::address(layout.keys()).map_err(CliError::failed)?;
    let address = address.ok_or_else(|| CliError::failed(format!("no key in {}", layout.keys().display())))?;
    let contents = vigil_store::read_journal(&layout.journal(&address)).map_err(|why| CliError::caused(&why))?;
    let records = contents.records.iter().map(|bytes| JournalRecord::from_bytes(bytes));
    let state = JournalState::replay(records.collect::<Result<Vec<_>, _>>().map_err(CliError::failed)?);
    let value = json!({
        "address": address,
        "records": contents.records.len(),
        "last_vote": state.last_vote.as_ref().map(|v| json!({
            "height": v.height, "epoch": v.block_epoch, "hash": v.block_hash, "source_height": v.source_height,
        })),
        "last_proposal": state.last_proposal.map(|(epoch, hash)| json!({ "epoch": epoch, "hash": hash })),
        "last_ec": Some(state.change_target).filter(|target| *target > 0),
    });
    if output.json {
        output.line(value.to_string())
    } else {
        output.json(&without_null(value))
    }
    Ok(())
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, v)| !v.is_null()).collect()),
        other => other,
    }
}
