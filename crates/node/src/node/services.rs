//! The servers of a node: JSON-RPC, metrics and health.

use super::{NodeError, stopped};
use crate::backend::NodeBackend;
use crate::{Config, telemetry};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vigil_rpc::{Backend, JwtSecret, RenderMetrics, ServerConfig};

/// Sockets of the services, bound before anything runs.
pub(super) struct Listeners {
    jwt_secret: Option<JwtSecret>,
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
        let metrics = SocketAddr::new(config.metrics_address, config.metrics_port);
        Ok(Self {
            jwt_secret: jwt_secret(&config.rpc_jwt_secret_file)?,
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
            tasks.push(tokio::spawn(async move {
                if let Err(error) = serve.await {
                    tracing::error!(%error, "the JSON-RPC server ended");
                }
            }));
        }
        if let Some(listener) = self.metrics {
            let recorder = telemetry::recorder();
            let render: RenderMetrics = Arc::new(move || recorder.map(|r| r.render()).unwrap_or_default());
            let router = vigil_rpc::health_router(backend.clone(), render);
            let serve = vigil_rpc::serve_health(listener, router, until_stop());
            tasks.push(tokio::spawn(async move {
                if let Err(error) = serve.await {
                    tracing::error!(%error, "the metrics server ended");
                }
            }));
        }
        tasks
    }
}

fn jwt_secret(path: &str) -> Result<Option<JwtSecret>, NodeError> {
    if path.is_empty() {
        return Ok(None);
    }
    let refused = |why: String| NodeError::JwtSecret { path: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    JwtSecret::from_hex(&text).map(Some).ok_or_else(|| refused("it must hold 64 hex digits".to_owned()))
}
