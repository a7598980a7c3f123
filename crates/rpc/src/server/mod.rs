//! The theta RPC server: `/rpc`, `/ws` and `/` (`spec/rpc.md` §1; DESIGN §6 for the limits).

mod auth;
mod connections;
mod http;
mod ws;

pub use auth::JwtSecret;

use crate::Backend;
use crate::limits::{BROADCAST_WAIT_MARGIN, REQUEST_TIME_MAX};
use crate::methods::Context;
use axum::Router;
use axum::routing::any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How a server behaves. The default is for loopback use.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Let web pages of any origin call this node (on a localnet). If false, browsers get no CORS permission and
    /// WebSocket handshakes from pages of other origins are refused.
    pub cors: bool,
    /// Most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// A connection that waits this long for (the rest of) a request's head is closed.
    pub idle_time_max: Duration,
    /// A request, its body included, is answered within this, or gets HTTP 503.
    pub request_time_max: Duration,
    /// If set, requests need a bearer token signed with it.
    pub jwt_secret: Option<JwtSecret>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            cors: false,
            connections_max: 200,
            idle_time_max: Duration::from_secs(30),
            request_time_max: REQUEST_TIME_MAX,
            jwt_secret: None,
        }
    }
}

/// What all connections share.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) config: ServerConfig,
    /// Becomes true when the server ends; WebSockets close then.
    pub(crate) ending: watch::Receiver<bool>,
}

impl Server {
    /// Ready when the server ends.
    pub(crate) async fn ended(&self) {
        // An error means that the sender is gone: the end as well.
        let _ = self.ending.clone().wait_for(|ending| *ending).await;
    }
}

/// Serves until `shutdown` is ready, then lets running requests end (at most five seconds).
///
/// # Errors
/// None today: failing to accept a connection is logged and tried again.
pub async fn serve(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (end, ending) = watch::channel(false);
    let broadcast_wait = config.request_time_max.saturating_sub(BROADCAST_WAIT_MARGIN);
    let server = Arc::new(Server { context: Context::new(backend, broadcast_wait), config, ending });
    connections::run(listener, router(server.clone()), &server, shutdown, end).await;
    Ok(())
}

fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/", any(async || "Theta Node is up and running!"))
        .route("/rpc", any(http::rpc))
        .route("/ws", any(ws::upgrade))
        .with_state(server)
}
