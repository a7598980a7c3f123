//! `vigil genesis`: a genesis file from balances and stakes.

use crate::{CliError, Output};
use serde_json::json;
use std::path::{Path, PathBuf};
use vigil_node::chain::GenesisBlock;
use vigil_node::genesis::{self, Preset};
use vigil_primitives::{Genesis, U256, WEI};

/// What each preset's supply is, in whole stake tokens.
const STAKE_TOKENS: u64 = 1_000_000_000;

/// What goes into it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rules and token names: theta, sky or allaudio
    #[arg(long, value_name = "PRESET", default_value = "theta", value_parser = crate::init::preset)]
    chain: Preset,
    /// JSON file of balances: address -> wei of the stake token, as text; five operational tokens come with each
    #[arg(long, value_name = "FILE")]
    balances: PathBuf,
    /// JSON file of validator stakes: [{"source", "holder", "amount"}], amounts in wei, taken from the balances
    #[arg(long, value_name = "FILE")]
    stakes: PathBuf,
    /// Sets a rule, as `checkpoint_interval=10` or `chain_id=mychain`; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    rules: Vec<String>,
    /// Time of the genesis block, in Unix seconds; every operator must give the same
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timestamp: u64,
    /// File to write
    #[arg(long, short, visible_alias = "out", value_name = "FILE", default_value = "genesis.json")]
    output: PathBuf,
}

/// Builds and writes it.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let mut params = args.chain.params();
    for rule in &args.rules {
        genesis::set_param(&mut params, rule).map_err(CliError::usage)?;
    }
    params.validate().map_err(CliError::usage)?;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(CliError::while_doing(path.display()));
    let at = |path: &Path| {
        let path = path.display().to_string();
        move |why: genesis::GenesisInputError| CliError::failed(format!("{path}: {why}"))
    };
    let accounts = genesis::read_balances(&read(&args.balances)?).map_err(at(&args.balances))?;
    let stakes = genesis::read_stakes(&read(&args.stakes)?).map_err(at(&args.stakes))?;
    let genesis = genesis::assemble(params, args.timestamp, accounts, stakes, Vec::new()).map_err(CliError::failed)?;
    let hash = GenesisBlock::of(&genesis).map_err(CliError::failed)?.hash();
    if args.output.exists() {
        return Err(CliError::failed(format!("{} exists: move it away first", args.output.display())));
    }
    let text = serde_json::to_string_pretty(&genesis).map_err(CliError::failed)? + "\n";
    crate::files::write(&args.output, text.as_bytes())?;
    let (stake, operational) = genesis::totals(&genesis);
    if stake != U256::from(STAKE_TOKENS) * U256::from(WEI) {
        output.note(format!("warning: balances sum to {stake} wei of the stake token, not to the usual 10^27"));
    }
    output.result(
        format!("Genesis block hash: {hash}"),
        &json!({
            "genesis_hash": hash,
            "file": args.output,
            "chain_id": genesis.params.chain_id,
            "stake_wei": stake.to_string(),
            "operational_wei": operational.to_string(),
        }),
    );
    Ok(())
}

/// Reads and checks a genesis file.
pub(crate) fn read(path: &Path) -> Result<Genesis, CliError> {
    let text = std::fs::read_to_string(path).map_err(CliError::while_doing(path.display()))?;
    let genesis: Genesis =
        serde_json::from_str(&text).map_err(|e| CliError::failed(format!("{}: {e}", path.display())))?;
    genesis.validate().map_err(|e| CliError::failed(format!("{}: {e}", path.display())))?;
    Ok(genesis)
}
