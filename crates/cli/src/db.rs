//! `vigil db`: looks into a data folder. The node need not run; nothing is changed.

use crate::{CliError, Globals, Output};
use serde_json::{Value, json};
use std::path::PathBuf;
use vigil_consensus::{JournalRecord, JournalState};
use vigil_node::chain::GenesisBlock;
use vigil_node::engine::journal_owner;
use vigil_node::layout::Layout;
use vigil_node::node_key;
use vigil_primitives::Address;

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
    let genesis = GenesisBlock::of(&crate::genesis::read(&layout.genesis())?).map_err(CliError::failed)?;
    let owner = journal_owner(&address, &genesis.hash());
    let contents =
        vigil_store::read_journal(&layout.journal(&address), &owner).map_err(|why| CliError::caused(&why))?;
    let records = contents.records.iter().map(|bytes| JournalRecord::from_bytes(bytes));
    let records = records.collect::<Result<Vec<_>, _>>().map_err(CliError::failed)?;
    let value = summary(address, records);
    if output.json {
        output.line(value.to_string())
    } else {
        output.json(&without_null(value))
    }
    Ok(())
}

/// What the records of a journal add up to; `null` where there is nothing.
fn summary(address: Address, records: Vec<JournalRecord>) -> Value {
    let count = records.len();
    let state = JournalState::replay(records);
    json!({
        "address": address,
        "records": count,
        "last_vote": state.last_vote.as_ref().map(|v| json!({
            "height": v.height, "epoch": v.block_epoch, "hash": v.block_hash,
            "source_set": v.source_set, "source_height": v.source_height,
        })),
        "last_proposal": state.last_proposal.map(|(epoch, hash)| json!({ "epoch": epoch, "hash": hash })),
        "last_ec": Some(state.change_target).filter(|target| *target > 0),
        "rolled_back": state.rolled_back.map(|found| json!({ "signed": found.signed, "known": found.known })),
    })
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, v)| !v.is_null()).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_consensus::RolledBack;

    #[test]
    fn a_journal_that_was_rolled_back_says_so() {
        let mut records = vec![JournalRecord::EpochChange { target: 7 }];
        let before = summary(Address::ZERO, records.clone());
        assert_eq!((&before["last_ec"], &before["rolled_back"]), (&json!(7), &Value::Null));
        records.push(JournalRecord::RolledBack(RolledBack { signed: 90, known: 6 }));
        let after = without_null(summary(Address::ZERO, records));
        assert_eq!(after["rolled_back"], json!({ "signed": 90, "known": 6 }));
        assert_eq!((&after["records"], after.get("last_vote")), (&json!(2), None));
    }
}
