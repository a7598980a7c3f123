//! `vigil start`: runs a node until it is told to stop.

use crate::{CliError, Globals, Output};
use clap::{Arg, ArgMatches, Command, FromArgMatches};
use std::path::PathBuf;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};
use vigil_crypto::SecretKey;
use vigil_node::accel::{self, AccelError};
use vigil_node::guardian_keys::{self, GuardianKey};
use vigil_node::layout::Layout;
use vigil_node::{Config, Node, NodeError, StartOptions, node_key, telemetry};
use vigil_rpc::Version;

/// How to run it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder made by `vigil init` [default: node in the home folder]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Password of the node's key; otherwise it is asked for
    #[arg(long, env = "VIGIL_PASSWORD", hide_env_values = true, value_name = "TEXT")]
    password: Option<String>,
    /// Sign although the journal of what this key, or that of a guardian here, has signed is missing. Only if it is lost
    /// for good and no other node signs with that key: otherwise the stake may be slashed
    #[arg(long)]
    fresh_journal: bool,
    /// Write every signed message that leaves to sent.jsonl in the data folder
    #[arg(long)]
    sent_log: bool,
    /// Stop when stdin is closed
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// A flag for every key of the configuration, `--p2p.port` and so on.
struct ConfigFlags(Vec<(String, String)>);

impl clap::Args for ConfigFlags {
    fn augment_args(command: Command) -> Command {
        Config::KEYS.iter().fold(command, |command, key| {
            let help: String = key.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            let arg = Arg::new(key.name).long(key.name).value_name("VALUE").help(help).allow_hyphen_values(true);
            command.arg(arg.help_heading("Configuration (overrides config.toml and VIGIL_* variables)"))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ConfigFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: &vigil_node::Key| Some((key.name.to_owned(), matches.get_one::<String>(key.name)?.clone()));
        Ok(Self(Config::KEYS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The commit that this program is built from.
pub(crate) const COMMIT: &str = env!("VIGIL_COMMIT");

fn version() -> Version {
    let [version, git_hash, timestamp] =
        [env!("CARGO_PKG_VERSION"), COMMIT, env!("VIGIL_COMMIT_TIME")].map(str::to_owned);
    Version { version, git_hash, timestamp }
}

/// Runs the node.
pub(crate) fn run(args: &Args, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let layout = crate::init::data_dir(args.data_dir.as_ref(), globals)?;
    crate::init::must_be_data_dir(&layout)?;
    let config = crate::init::config(&layout, args.config.0.iter().cloned())?;
    start_log(&config)?;
    let genesis = crate::genesis::read(&layout.genesis())?;
    let (key, password) = unlock(args.password.as_deref(), &layout)?;
    let guardians = match config.guardian_enabled {
        true => open_guardians(&layout, &password)?,
        false => Vec::new(),
    };
    let engine = accel::start(&config, &layout.calibration(), COMMIT).map_err(no_engine)?;
    let address = key.address();
    let (rpc, metrics) = (config.rpc_port, config.metrics_port);
    let Args { fresh_journal, sent_log, .. } = *args;
    let options =
        StartOptions { layout, config, genesis, key, guardians, fresh_journal, sent_log, engine, version: version() };
    telemetry::recorder();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::while_doing("cannot start the runtime"))?;
    let stop_with_stdin = args.stop_with_stdin;
    runtime.block_on(async {
        let stopped = until_told(stop_with_stdin)?;
        let node = Node::start(options).await.map_err(|why| match why {
            NodeError::Multiaddress { .. } => CliError::usage(why),
            _ => CliError::caused(&why),
        })?;
        output.note(format!("node {address}  rpc port {rpc}  metrics port {metrics}"));
        stopped.await;
        tracing::info!("stopping");
        node.stop().await;
        tracing::info!("stopped");
        Ok(())
    })?;
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(())
}

/// A backend that is not there is asked for by the configuration.
pub(crate) fn no_engine(why: AccelError) -> CliError {
    match why {
        AccelError::Backend { .. } => CliError::usage(why),
        AccelError::Threads(_) => CliError::caused(&why),
    }
}

fn start_log(config: &Config) -> Result<(), CliError> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log_filter)
        .map_err(|why| CliError::usage(format!("`log.filter` is `{}`: {why}", config.log_filter)))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    subscriber.with_target(false).try_init().map_err(CliError::failed)
}

/// Opens the node's key with the given password, or one asked for; answers both. If there is no key yet, asks twice,
/// makes one and says so.
pub(crate) fn unlock(password: Option<&str>, layout: &Layout) -> Result<(SecretKey, String), CliError> {
    let known = node_key::address(layout.keys()).map_err(CliError::failed)?;
    let password = match (password, known) {
        (Some(password), _) => password.to_owned(),
        (None, Some(address)) => crate::wallet::ask_password(&format!("Please enter password of {address}: "))?,
        (None, None) => {
            let first = crate::wallet::ask_password("Please enter a password for the new node key: ")?;
            if first != crate::wallet::ask_password("Please enter it again: ")? {
                return Err(CliError::failed("the passwords differ"));
            }
            first
        }
    };
    let keys = layout.keys();
    let key = node_key::open_or_create(keys.clone(), &password)
        .map_err(|why| CliError::failed(format!("key in {}: {}", keys.display(), CliError::caused(&why))))?;
    if known.is_none() {
        let (address, folder) = (key.address(), keys.display());
        tracing::warn!(
            "no key in {folder}: made a new one, {address}, which holds no stake in the genesis, so the node only \
             follows. If it should sign with another key, stop it and replace the file there by that key's"
        );
    }
    Ok((key, password))
}

/// Opens the keys of all guardians of this data folder; to have none is no error, but surely a mistake.
fn open_guardians(layout: &Layout, password: &str) -> Result<Vec<GuardianKey>, CliError> {
    let keys = guardian_keys::load_all(&layout.guardian_keys(), password).map_err(CliError::failed)?;
    if keys.is_empty() {
        let folder = layout.guardian_keys();
        tracing::warn!(
            "`guardian.enabled` is true, but there is no key in {}: `vigil guardian key` makes one",
            folder.display()
        );
    }
    Ok(keys)
}

/// Ends on SIGINT, SIGTERM or, if asked for, at the end of stdin.
pub(crate) fn until_told(stdin_too: bool) -> Result<impl Future<Output = ()>, CliError> {
    let listen = |kind| signal(kind).map_err(CliError::while_doing("cannot listen to signals"));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let stdin_ends = async move {
        if !stdin_too {
            return std::future::pending().await;
        }
        let mut buffer = [0; 64];
        let mut stdin = tokio::io::stdin();
        while stdin.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
    };
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = stdin_ends => {}
        }
    })
}
