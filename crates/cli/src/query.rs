//! `vigil query`: ask a node and print its answer as JSON, indented by 4, keys sorted (`spec/cli.md` §2).

use crate::remote::{Remote, block_on};
use crate::{CliError, Output};
use serde_json::{Value, json};

/// What to ask, and whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

/// What to ask.
#[derive(clap::Subcommand)]
enum What {
    /// Where the node stands: heights that are committed, settled (also as latest_finalized_block_*) and finalized
    Status,
    /// An account
    Account {
        /// Its address, 0x optional
        #[arg(long)]
        address: String,
        /// Its state after this height; 0: now
        #[arg(long, default_value_t = 0)]
        height: u64,
        /// Include transactions that are not in a settled block yet
        #[arg(
            long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true",
            action = clap::ArgAction::Set
        )]
        preview: bool,
    },
    /// A block by hash or height, or a range of blocks; `finality` says how far it has come
    Block(BlockArgs),
    /// Hashes along the chain from a block
    #[command(name = "chain_of_blocks")]
    ChainOfBlocks {
        /// Where to start
        #[arg(long, default_value = "")]
        hash: String,
        /// Towards genesis, until the first settled block; false: away from it
        #[arg(
            long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true",
            action = clap::ArgAction::Set
        )]
        upstream: bool,
    },
    /// A transaction; `finality` says how far it has come
    Tx {
        /// Its hash
        #[arg(long, default_value = "")]
        hash: String,
    },
    /// A rule for sharing service payments
    #[command(name = "split_rule")]
    SplitRule {
        /// The resource
        #[arg(long = "resource_id")]
        resource_id: String,
    },
    /// Validator candidates
    Vcp(AtHeight),
    /// Guardian candidates
    Gcp(AtHeight),
    /// Elite edge nodes
    Eenp(AtHeight),
    /// Stake reward distribution rules
    Srdrs {
        #[command(flatten)]
        at: AtHeight,
        /// Of this stake holder only
        #[arg(long, default_value = "")]
        address: String,
    },
    /// Elite edge node stakes on their way back
    #[command(name = "stake_returns")]
    StakeReturns {
        /// Only 2 (elite edge node) is known
        #[arg(long, default_value_t = 2)]
        purpose: u8,
        /// Those of one height; 0: all
        #[arg(long, default_value_t = 0)]
        height: u64,
    },
    /// A guardians' certificate: the proof that a checkpoint, and every block below it, is final
    Finality {
        /// Height of the checkpoint; 0: the highest that is final
        #[arg(long, default_value_t = 0)]
        height: u64,
    },
    /// The node as a guardian, and the summary that a deposit on it takes as its --holder
    Guardian,
    /// The node's peers
    Peers {
        /// Leave edge nodes out
        #[arg(
            long = "skip_edge_node", num_args = 0..=1, require_equals = true, default_value_t = true,
            default_missing_value = "true", action = clap::ArgAction::Set
        )]
        skip_edge_node: bool,
    },
    /// The node's version
    Version,
}

/// A height.
#[derive(clap::Args)]
struct AtHeight {
    /// Block height
    #[arg(long)]
    height: u64,
}

/// `--hash`, or `--start` and `--end`, else `--height`.
#[derive(clap::Args)]
struct BlockArgs {
    /// The block with this hash
    #[arg(long, default_value = "")]
    hash: String,
    /// The settled block at this height
    #[arg(long, default_value_t = 0)]
    height: u64,
    /// First of a range
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Last of a range, included
    #[arg(long, default_value_t = 0)]
    end: u64,
    /// Add the Ethereum hash of each transaction
    #[arg(long = "include_eth_tx_hashes")]
    include_eth_tx_hashes: bool,
    /// With --height: a block that is not settled will do
    #[arg(long = "include_unfinalized_blocks")]
    include_unfinalized_blocks: bool,
}

/// Asks and prints.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let (method, params) = request(&args.what)?;
    let result = block_on(args.remote.call(method, params))?;
    match args.what {
        What::Guardian => output.json(&guardian(&result)?),
        _ => output.json(&result),
    }
    Ok(())
}

/// The keys that thetacli prints, out of those that the node answers.
fn guardian(info: &Value) -> Result<Value, CliError> {
    let text = |key: &str| {
        info[key].as_str().ok_or_else(|| CliError::failed(format!("the node's answer has no text `{key}`: {info}")))
    };
    Ok(crate::guardian::object(text("Address")?, text("BLSPubkey")?, text("BLSPop")?, text("Signature")?))
}

/// Method and arguments; heights travel as text.
fn request(what: &What) -> Result<(&'static str, Value), CliError> {
    let at = |height: u64| json!({"height": height.to_string()});
    Ok(match what {
        What::Status => ("theta.GetStatus", json!({})),
        What::Account { address, height, preview } => {
            ("theta.GetAccount", json!({"address": address, "height": height.to_string(), "preview": preview}))
        }
        What::Block(block) => block.request(),
        What::ChainOfBlocks { hash, upstream } => ("theta.TraceBlocks", json!({"hash": hash, "upstream": upstream})),
        What::Tx { hash } => ("theta.GetTransaction", json!({"hash": hash})),
        What::SplitRule { resource_id } => ("theta.GetSplitRule", json!({"resource_id": resource_id})),
        What::Vcp(AtHeight { height }) => ("theta.GetVcpByHeight", at(*height)),
        What::Gcp(AtHeight { height }) => ("theta.GetGcpByHeight", at(*height)),
        What::Eenp(AtHeight { height }) => ("theta.GetEenpByHeight", at(*height)),
        What::Srdrs { at: AtHeight { height }, address } => {
            ("theta.GetStakeRewardDistributionByHeight", json!({"height": height.to_string(), "address": address}))
        }
        What::StakeReturns { purpose: 2, height: 0 } => ("theta.GetAllPendingEliteEdgeNodeStakeReturns", json!({})),
        What::StakeReturns { purpose: 2, height } => ("theta.GetEliteEdgeNodeStakeReturnsByHeight", at(*height)),
        What::StakeReturns { purpose, .. } => {
            return Err(CliError::usage(format!("--purpose is {purpose}, only 2 (elite edge node) is known")));
        }
        What::Finality { height } => ("theta.GetFinalityCert", at(*height)),
        What::Guardian => ("theta.GetGuardianInfo", json!({})),
        What::Peers { skip_edge_node } => ("theta.GetPeers", json!({"skip_edge_node": skip_edge_node})),
        What::Version => ("theta.GetVersion", json!({})),
    })
}

impl BlockArgs {
    fn request(&self) -> (&'static str, Value) {
        let eth = self.include_eth_tx_hashes;
        if !self.hash.is_empty() {
            return ("theta.GetBlock", json!({"hash": self.hash, "include_eth_tx_hashes": eth}));
        }
        if self.end != 0 {
            let (start, end) = (self.start.to_string(), self.end.to_string());
            return ("theta.GetBlocksByRange", json!({"start": start, "end": end, "include_eth_tx_hashes": eth}));
        }
        let unsettled = self.include_unfinalized_blocks;
        let height = self.height.to_string();
        let params = json!({"height": height, "include_eth_tx_hashes": eth, "include_unfinalized_blocks": unsettled});
        ("theta.GetBlockByHeight", params)
    }
}
