//! The `vigil` binary: every subcommand, thin. One file a subcommand; each has `Args` and `run`.
#![forbid(unsafe_code)]

mod calibrate;
mod call;
mod db;
mod doctor;
mod error;
mod files;
mod genesis;
mod gpu;
mod guardian;
mod init;
mod key;
mod localnet;
mod output;
mod query;
mod remote;
mod start;
mod status;
mod tx;
mod wallet;

use clap::{Parser, Subcommand};
use error::CliError;
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

/// A node allocates on one thread and frees on another: under full load it holds a third more memory with glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A full node for the Theta ledger protocol, its wallet and its tools.
#[derive(Parser)]
#[command(name = "vigil", version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("VIGIL_COMMIT"), ")"), propagate_version = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every subcommand.
#[derive(clap::Args)]
struct Globals {
    /// Folder of the wallet and of node data [default: ~/.vigil]
    #[arg(long, global = true, env = "VIGIL_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Print results as JSON on stdout
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Make, list, delete keys of the wallet
    #[command(subcommand)]
    Key(key::Command),
    /// This node as a guardian
    #[command(subcommand)]
    Guardian(guardian::Command),
    /// Sign and send transactions
    #[command(subcommand)]
    Tx(tx::Command),
    /// Run a transaction on a node without sending it
    #[command(subcommand)]
    Call(call::Command),
    /// Ask a node
    Query(query::Args),
    /// Make a data folder for a node
    Init(init::Args),
    /// Make a genesis file
    Genesis(genesis::Args),
    /// Run a node
    Start(Box<start::Args>),
    /// Run a private network on this machine
    Localnet(localnet::Args),
    /// Where a node stands
    Status(status::Args),
    /// Look into a data folder
    #[command(subcommand)]
    Db(db::Command),
    /// Measure which backend of the verification engine is fastest here
    Calibrate(calibrate::Args),
    /// What this machine has, what the verification engine will use, what is missing
    Doctor(doctor::Args),
    /// Graphics cards: what is there, whether it calculates rightly, what a node does with it
    #[command(subcommand)]
    Gpu(gpu::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.globals.json);
    match run(&cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            error.exit_code()
        }
    }
}

fn run(cli: &Cli, output: &Output) -> Result<(), CliError> {
    match &cli.command {
        Command::Key(command) => key::run(command, &cli.globals, output),
        Command::Guardian(command) => guardian::run(command, &cli.globals, output),
        Command::Tx(command) => tx::run(command, &cli.globals, output),
        Command::Call(command) => call::run(command, output),
        Command::Query(args) => query::run(args, output),
        Command::Init(args) => init::run(args, &cli.globals, output),
        Command::Genesis(args) => genesis::run(args, output),
        Command::Start(args) => start::run(args, &cli.globals, output),
        Command::Localnet(args) => localnet::run(args, &cli.globals, output),
        Command::Status(args) => status::run(args, output),
        Command::Db(command) => db::run(command, &cli.globals, output),
        Command::Calibrate(args) => calibrate::run(args, &cli.globals, output),
        Command::Doctor(args) => doctor::run(args, &cli.globals, output),
        Command::Gpu(command) => gpu::run(command, output),
    }
}

impl Globals {
    /// `--home`, `VIGIL_HOME` or `~/.vigil`.
    fn home(&self) -> Result<PathBuf, CliError> {
        if let Some(home) = &self.home {
            return Ok(home.clone());
        }
        let home = std::env::home_dir().filter(|h| !h.as_os_str().is_empty());
        let home = home.ok_or_else(|| CliError::failed("there is no home folder: set HOME, VIGIL_HOME or --home"))?;
        Ok(home.join(".vigil"))
    }
}
