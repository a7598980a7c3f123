//! `vigil gpu`: the graphics cards of this machine, and what a running node does with them.

mod fetch;
mod list;
mod page;
mod rates;
mod selftest;
mod top;

pub(crate) use list::{Card, found, ready};

use crate::{CliError, Output};

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// The cards of this machine: what they are, and why one is not used
    List,
    /// Ask every card questions with known answers
    Selftest(selftest::Args),
    /// What each backend of a running node does at present
    Top(top::Args),
}

/// Does it.
pub(crate) fn run(command: &Command, output: &Output) -> Result<(), CliError> {
    match command {
        Command::List => {
            list::run(output);
            Ok(())
        }
        Command::Selftest(args) => selftest::run(args, output),
        Command::Top(args) => top::run(args, output),
    }
}
