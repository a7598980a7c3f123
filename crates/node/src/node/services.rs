//! The servers of a node: JSON-RPC, metrics and health.

use super::{NodeError, stopped};
use crate::backend::NodeBackend;
use crate::eth::EthNode;
use crate::health::{Fault, Health};
use crate::{Config, telemetry};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use vigil_rpc::eth::EthRpc;
use vigil_rpc::{Backend, JwtSecret, RenderMetrics, ServerConfig};

/// Sockets of the services, bound before anything runs.
pub(super) struct Listeners {
    jwt_secret: Option<JwtSecret>,
    eth_jwt_secret: Option<JwtSecret>,
    eth: [Option<TcpListener>; 2],
    rpc: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind(config: &Config) -> Result<Self, NodeError> {
        let bind = async |what, enabled: bool, address: SocketAddr| match enabled {
            false => Ok(None),
            true => match TcpListener::bind(address).await {
                Ok(listener) => Ok(Some(listener)),
                Err(source) => Err(NodeError::Listen { what, address, source }),
            },
        };
        let rpc = SocketAddr::new(config.rpc_address, config.rpc_port);
        let eth = |port| SocketAddr::new(config.eth_address, port);
        let metrics = SocketAddr::new(config.metrics_address, config.metrics_port);
        Ok(Self {
            jwt_secret: jwt_secret("rpc.jwt_secret_file", &config.rpc_jwt_secret_file)?,
            eth_jwt_secret: jwt_secret("eth.jwt_secret_file", &config.eth_jwt_secret_file)?,
            eth: [
                bind("Ethereum's JSON-RPC", config.eth_enabled, eth(config.eth_port)).await?,
                bind("Ethereum's WebSocket", config.eth_enabled, eth(config.eth_ws_port)).await?,
            ],
            rpc: bind("JSON-RPC", config.rpc_enabled, rpc).await?,
            metrics: bind("metrics", config.metrics_enabled, metrics).await?,
        })
    }

    pub(super) fn serve(
        self,
        config: &Config,
        backend: &Arc<NodeBackend>,
        stopping: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let until_stop = || {
            let mut stopping = stopping.clone();
            async move { stopped(&mut stopping).await }
        };
        let health = || Arc::clone(&backend.health);
        let mut tasks = Vec::new();
        if let Some(listener) = self.rpc {
            let server = ServerConfig {
                cors: config.rpc_cors,
                connections_max: config.rpc_connections_max,
                connections_per_address_max: config.rpc_connections_per_address_max,
                jwt_secret: self.jwt_secret,
                ..ServerConfig::default()
            };
            let backend: Arc<dyn Backend> = backend.clone();
            let serve = vigil_rpc::serve(listener, backend, server, until_stop());
            tasks.push(tokio::spawn(watch("JSON-RPC", serve, health(), stopping.clone())));
        }
        let rpc = EthRpc::new(EthNode::new(Arc::clone(backend)));
        for listener in self.eth.into_iter().flatten() {
            let server = ServerConfig {
                cors: config.eth_cors,
                connections_max: config.eth_connections_max,
                connections_per_address_max: config.eth_connections_per_address_max,
                jwt_secret: self.eth_jwt_secret.clone(),
                ..ServerConfig::default()
            };
            let serve = vigil_rpc::serve_eth(listener, rpc.clone(), server, until_stop());
            tasks.push(tokio::spawn(watch("Ethereum's JSON-RPC", serve, health(), stopping.clone())));
        }
        if let Some(listener) = self.metrics {
            let recorder = telemetry::recorder();
            let render: RenderMetrics = Arc::new(move || recorder.map(|r| r.render()).unwrap_or_default());
            let router = vigil_rpc::health_router(backend.clone(), render);
            let serve = vigil_rpc::serve_health(listener, router, until_stop());
            tasks.push(tokio::spawn(watch("metrics", serve, health(), stopping.clone())));
        }
        tasks
    }
}

/// Runs a server. If it ends before the node is told to stop, by a panic too, the node is not well.
async fn watch(
    what: &str,
    serve: impl Future<Output = std::io::Result<()>> + Send + 'static,
    health: Arc<Health>,
    stopping: watch::Receiver<bool>,
) {
    let mut server = JoinSet::new(); // a panic stays in there, and the server ends with this task
    server.spawn(serve);
    let why = match server.join_next().await {
        Some(Ok(Err(error))) => format!(": {error}"),
        Some(Err(error)) => format!(": {error}"),
        Some(Ok(Ok(()))) | None => String::new(),
    };
    if !*stopping.borrow() {
        health.raise(Fault::Server, format!("the {what} server ended{why}; start the node again"));
    }
}

fn jwt_secret(key: &'static str, path: &str) -> Result<Option<JwtSecret>, NodeError> {
    if path.is_empty() {
        return Ok(None);
    }
    let refused = |why: String| NodeError::JwtSecret { key, path: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    JwtSecret::from_hex(&text).map(Some).ok_or_else(|| refused("it must hold 64 hex digits".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn reason_after(
        serve: impl Future<Output = std::io::Result<()>> + Send + 'static,
        stop: bool,
    ) -> Option<String> {
        let health = Arc::new(Health::new(false, Duration::from_secs(3_600)));
        let (_stop, stopping) = watch::channel(stop);
        watch("JSON-RPC", serve, Arc::clone(&health), stopping).await;
        health.reason(0)
    }

    #[tokio::test]
    async fn a_node_whose_server_ended_is_not_ready() {
        let panicked = reason_after(async { panic!("no permits") }, false).await.expect("a reason");
        assert!(panicked.starts_with("the JSON-RPC server ended: ") && panicked.contains("no permits"), "{panicked}");
        let failed = reason_after(async { Err(std::io::Error::other("no socket")) }, false).await.expect("a reason");
        assert_eq!(failed, "the JSON-RPC server ended: no socket; start the node again");
        assert!(reason_after(async { Ok(()) }, false).await.is_some(), "nobody told it to end");
        assert_eq!(reason_after(async { Ok(()) }, true).await, None, "it was told to end");
    }
}
