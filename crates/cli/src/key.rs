//! `vigil key`: the wallet's keys (`spec/cli.md` §2).

use crate::{CliError, Globals, Output};

/// What to do with the keys.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the addresses of all keys
    List,
}

/// Runs one of them.
pub(crate) fn run(command: &Command, globals: &Globals, output: &Output) -> Result<(), CliError> {
    match command {
        Command::List => {
            output.line(globals.home()?.display().to_string());
            Ok(())
        }
    }
}
