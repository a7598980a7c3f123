//! `vigil-bench`: what this machine does, measured against real processes and recorded with machine, commit and command.
#![forbid(unsafe_code)]

mod machine;
mod metrics;
mod process;
mod tps;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures Vigil on this machine.
#[derive(Parser)]
#[command(name = "vigil-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Open-loop load through RPC against validators that are real processes.
    Tps(tps::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Tps(options) = Cli::parse().command;
    match tps::run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigil-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
