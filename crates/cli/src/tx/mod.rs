//! `vigil tx`: sign and send (`spec/cli.md` §2).

pub(crate) mod build;
pub(crate) mod holder;

use crate::remote::{Remote, block_on};
use crate::wallet::{open, parse_address, unlock};
use crate::{CliError, Globals, Output};
use serde::Serialize;
use serde_json::{Value, json};
use vigil_primitives::{Address, Bytes, Tx, U256, parse_amount};

/// Which transaction.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Send tokens
    Send {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fee: Fee,
        /// Who pays
        #[arg(long, value_parser = parse_address)]
        from: Address,
        /// Who receives
        #[arg(long, value_parser = parse_address)]
        to: Address,
        /// Amount of the stake token
        #[arg(long, value_parser = parse_amount, default_value = "0")]
        theta: U256,
        /// Amount of the operational token
        #[arg(long, value_parser = parse_amount, default_value = "0")]
        tfuel: U256,
    },
    /// Stake on a validator, guardian or elite edge node
    Deposit {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fee: Fee,
        /// Who stakes
        #[arg(long, value_parser = parse_address)]
        source: Address,
        /// The node: an address for validators, else the summary the node prints
        #[arg(long)]
        holder: String,
        /// How much: of the stake token, for elite edge nodes of the operational token
        #[arg(long, value_parser = parse_amount)]
        stake: U256,
        /// 0 validator, 1 guardian, 2 elite edge node
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
        purpose: u8,
    },
    /// Begin the return of stake
    Withdraw {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fee: Fee,
        /// Who staked
        #[arg(long, value_parser = parse_address)]
        source: Address,
        /// The node: its address or summary
        #[arg(long)]
        holder: String,
        /// 0 validator, 1 guardian, 2 elite edge node
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
        purpose: u8,
    },
    /// Share a stake holder's rewards
    #[command(name = "distribute_staking_reward")]
    DistributeStakingReward {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        fee: Fee,
        /// The stake holder, who signs
        #[arg(long, value_parser = parse_address)]
        holder: Address,
        /// Who gets the share
        #[arg(long, value_parser = parse_address, default_value = "0x0000000000000000000000000000000000000000")]
        beneficiary: Address,
        /// The share in hundredths of a per cent, 0 to 1000; 0 ends the sharing
        #[arg(long = "split_basis_point", default_value_t = 0)]
        split_basis_point: u64,
    },
    /// Call a contract, or create one
    #[command(name = "smart_contract")]
    SmartContract {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        message: Message,
        /// Amount of the operational token that goes along
        #[arg(long, value_parser = parse_amount, default_value = "0")]
        value: U256,
    },
}

/// Flags of a contract transaction, signed or only run.
#[derive(clap::Args)]
pub(crate) struct Message {
    /// Who calls
    #[arg(long, value_parser = parse_address)]
    pub(crate) from: Address,
    /// The contract; without it the data creates one
    #[arg(long, value_parser = parse_address)]
    pub(crate) to: Option<Address>,
    /// Price of a unit of gas
    #[arg(long = "gas_price", value_parser = parse_amount, default_value = "4000000000000wei")]
    gas_price: U256,
    /// Most gas to use
    #[arg(long = "gas_limit")]
    gas_limit: u64,
    /// Function and arguments, or the creation code, in hex; 0x optional
    #[arg(long, value_parser = parse_data, default_value = "")]
    data: Bytes,
}

/// Bytes from hex digits, `0x` optional.
fn parse_data(text: &str) -> Result<Bytes, String> {
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text));
    bytes.map(Bytes::from).map_err(|why| format!("{why}: write the bytes as hex digits, two a byte, as in 6080604052"))
}

/// What a transaction costs that uses no gas.
#[derive(clap::Args)]
pub(crate) struct Fee {
    /// Fee
    #[arg(long, value_parser = parse_amount, default_value = "300000000000000000wei")]
    fee: U256,
}

/// Flags of every transaction.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// Chain id that the signature covers
    #[arg(long)]
    chain: String,
    /// Sequence: that of the signer's last transaction + 1 [default: asked of the node]
    #[arg(long)]
    seq: Option<u64>,
    /// Kind of wallet; hardware wallets are not supported
    #[arg(long, default_value = "soft", value_parser = ["soft"])]
    wallet: String,
    /// Password of the key; asked for if absent
    #[arg(long)]
    password: Option<String>,
    /// Do not wait until a settled block holds the transaction
    #[arg(
        long = "async", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    at_once: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Signs and sends one of them.
pub(crate) fn run(command: &Command, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let (common, signer) = match command {
        Command::Send { common, from, .. } => (common, from),
        Command::Deposit { common, source, .. } | Command::Withdraw { common, source, .. } => (common, source),
        Command::DistributeStakingReward { common, holder, .. } => (common, holder),
        Command::SmartContract { common, message, .. } => (common, &message.from),
    };
    let mut tx = build::unsigned(command)?;
    let key = unlock(&open(&globals.home()?)?, signer, common.password.as_deref())?;
    let sent = block_on(async {
        let sequence = match common.seq {
            Some(sequence) => sequence,
            None => next_sequence(&common.remote, signer).await?,
        };
        build::set_sequence(&mut tx, sequence);
        vigil_crypto::sign_tx(&common.chain, &mut tx, 0, &key).map_err(CliError::failed)?;
        send(common, &tx).await
    })?;
    match command {
        _ if output.json => output.line(sent.text()),
        Command::Send { .. } | Command::SmartContract { .. } => {
            output.line(format!("Successfully broadcasted transaction:\n{}", sent.text()))
        }
        _ => output.line("Successfully broadcasted transaction."),
    }
    Ok(())
}

/// What the node says about a transaction it took.
#[derive(Serialize)]
struct Sent {
    hash: Value,
    /// The header of the block that holds it; null if it was not waited for.
    block: Value,
}

impl Sent {
    /// JSON indented by 4, `hash` first.
    fn text(&self) -> String {
        crate::output::indented(self)
    }
}

async fn send(common: &Common, tx: &Tx) -> Result<Sent, CliError> {
    let method = match common.at_once {
        true => "theta.BroadcastRawTransactionAsync",
        false => "theta.BroadcastRawTransaction",
    };
    let mut answer = common.remote.call(method, json!({"tx_bytes": hex::encode(tx.to_raw())})).await?;
    Ok(Sent { hash: answer["hash"].take(), block: answer["block"].take() })
}

/// The sequence after the last one the node knows of, its mempool included.
async fn next_sequence(remote: &Remote, signer: &Address) -> Result<u64, CliError> {
    let params = json!({"address": signer.to_checksum(None), "preview": true});
    let account = remote.call("theta.GetAccount", params).await?;
    let sequence = account["sequence"].as_str().and_then(|text| text.parse::<u64>().ok());
    let sequence = sequence.and_then(|sequence| sequence.checked_add(1));
    sequence.ok_or_else(|| CliError::failed(format!("the node gave no sequence for {signer}: {account}")))
}
