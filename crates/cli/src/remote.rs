//! Talking to a node.

use crate::CliError;
use serde_json::Value;
use std::future::Future;
use vigil_rpc::Client;

/// Which node.
#[derive(clap::Args)]
pub(crate) struct Remote {
    /// The node's RPC
    #[arg(
        long = "remote",
        alias = "rpc",
        global = true,
        env = "VIGIL_REMOTE_RPC_ENDPOINT",
        default_value = "http://localhost:16888/rpc",
        value_name = "URL"
    )]
    endpoint: String,
}

impl Remote {
    /// Calls one method; `params` is the object of arguments.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, CliError> {
        let client = Client::new(&self.endpoint).map_err(CliError::usage)?;
        client.call(method, [params]).await.map_err(CliError::failed)
    }
}

/// Runs a short exchange on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::while_doing("cannot start the runtime"))?.block_on(work)
}
