//! `vigil tx`: sign and send (`spec/cli.md` §2).

use crate::{CliError, Globals, Output};

/// Which transaction.
#[derive(clap::Subcommand)]
pub(crate) enum Command {}

/// Signs and sends one of them.
pub(crate) fn run(command: &Command, _globals: &Globals, _output: &Output) -> Result<(), CliError> {
    match *command {}
}
