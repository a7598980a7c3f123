//! The theta RPC server: `/rpc`, `/ws` and `/` (`spec/rpc.md` §1; DESIGN §6 for the limits).

mod auth;
mod connections;
mod http;
mod intake;
mod origin;
mod slots;
mod stall;
mod ws;

pub use auth::JwtSecret;
pub(crate) use connections::{Bounds, run};

use crate::Backend;
use crate::limits::{BODIES_BYTES_MAX, BROADCAST_WAIT_MARGIN, REQUEST_TIME_MAX, RESPONSES_BYTES_MAX};
use crate::methods::Context;
use crate::quota::Quota;
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
    /// requests and WebSocket handshakes from pages of other origins are refused.
    pub cors: bool,
    /// Most connections at once. For more, those are closed that have waited longest for their client; if all are at
    /// work, the newcomer waits.
    pub connections_max: usize,
    /// Most connections at once from one IP address other than loopback. For more, the same; if all are at work, the
    /// newcomer is closed.
    pub connections_per_address_max: usize,
    /// A connection that waits this long for (the rest of) a request's head is closed. A WebSocket that is silent for
    /// this long is pinged, and closed if it stays silent for as long again.
    pub idle_time_max: Duration,
    /// A request's body arrives within this, or gets HTTP 408.
    pub body_time_max: Duration,
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
            connections_per_address_max: 50,
            idle_time_max: Duration::from_secs(30),
            body_time_max: Duration::from_secs(15),
            request_time_max: REQUEST_TIME_MAX,
            jwt_secret: None,
        }
    }
}

/// What all connections share.
pub(crate) struct Server {
    pub(crate) context: Context,
    pub(crate) config: ServerConfig,
    /// For the bodies of requests.
    pub(crate) bodies: Quota,
    /// For answers.
    pub(crate) answers: Quota,
    /// Becomes true when the server ends; WebSockets close then.
    pub(crate) ending: watch::Receiver<bool>,
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
    let bounds = Bounds {
        connections_max: config.connections_max,
        per_address_max: config.connections_per_address_max,
        idle_time_max: config.idle_time_max,
    };
    let context = Context::new(backend, broadcast_wait);
    let (bodies, answers) = (Quota::new(BODIES_BYTES_MAX), Quota::new(RESPONSES_BYTES_MAX));
    let server = Arc::new(Server { context, config, bodies, answers, ending });
    run(listener, router(server), bounds, shutdown, end).await;
    Ok(())
}

fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/", any(async || "Theta Node is up and running!"))
        .route("/rpc", any(http::rpc))
        .route("/ws", any(ws::upgrade))
        .with_state(server)
}
