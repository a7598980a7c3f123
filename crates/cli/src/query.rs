//! `vigil query`: ask a node (`spec/cli.md` §2).

use crate::{CliError, Output};

/// What to ask, and whom.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Asks and prints.
pub(crate) fn run(_args: &Args, output: &Output) -> Result<(), CliError> {
    output.json(&serde_json::Value::Null);
    Ok(())
}
