//! `vigil call`: run a transaction on a node without sending it (`spec/cli.md` §2). No key is needed.

use crate::remote::{Remote, block_on};
use crate::tx::{Message, build};
use crate::{CliError, Output};
use serde_json::json;
use vigil_primitives::{Tx, U256};

/// What to run.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Call a contract, or create one, and keep nothing
    #[command(name = "smart_contract")]
    SmartContract(Box<Args>),
}

/// Flags of a run.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    message: Message,
    /// Amount of the operational token that goes along, in wei: a whole number, unlike that of `vigil tx`
    #[arg(long, value_parser = parse_wei, default_value = "0")]
    value: U256,
    /// Sequence; the node does not look at it
    #[arg(long, default_value_t = 0)]
    seq: u64,
    /// Chain id; ignored, for there is no signature
    #[arg(long)]
    chain: Option<String>,
    /// Print the encoded transaction first
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Asks a node to run it and prints what comes of it.
pub(crate) fn run(command: &Command, output: &Output) -> Result<(), CliError> {
    let Command::SmartContract(args) = command;
    let mut tx = build::contract(&args.message, args.value)?;
    tx.from.sequence = args.seq;
    let encoded = hex::encode(Tx::SmartContract(tx).to_raw());
    if args.verbose {
        let line = format!("Encoded Tx: {encoded}");
        if output.json { output.note(line) } else { output.line(line) }
    }
    let result = block_on(args.remote.call("theta.CallSmartContract", json!({"sctx_bytes": encoded})))?;
    output.json(&result);
    Ok(())
}

fn parse_wei(text: &str) -> Result<U256, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let wei = digits.then(|| U256::from_str_radix(text, 10).ok()).flatten();
    wei.ok_or_else(|| {
        "write a whole number of wei, at most 2^256 - 1, as in 1000000000000000000 for one token".to_owned()
    })
}
