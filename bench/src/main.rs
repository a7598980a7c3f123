//! `vigil-bench`: what this machine does, measured against real processes and recorded with machine, commit and command.
#![forbid(unsafe_code)]

mod engine;
mod evm;
mod machine;
mod metrics;
mod process;
mod tps;

use clap::{Parser, Subcommand};

use std::error::Error;
use std::process::ExitCode;

/// As the node allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Vigil on this machine.
#[derive(Parser)]
#[command(name = "vigil-bench", version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("VIGIL_COMMIT"), ")"))]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The engine's operations on each backend, beside the libraries that others use.
    Engine(engine::Options),
    /// Gas a second of the executor alone, beside plain revm with a database in memory.
    Evm(evm::Options),
    /// Open-loop load through RPC against validators that are real processes.
    Tps(tps::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigil-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Engine(options) => Ok(engine::run(&options)?),
        Command::Evm(options) => Ok(evm::run(&options)?),
        Command::Tps(options) => Ok(tokio::runtime::Runtime::new()?.block_on(tps::run(&options))?),
    }
}

#[allow(clippy::print_stdout)]
fn println_json(json: &str) {
    println!("{json}");
}
