//! The servers: that of `theta.*` with `/rpc`, `/ws` and `/` (`spec/rpc.md` §1), and that of the Ethereum side with any
//! path (§6). DESIGN §6 for the limits, which are the same.

mod auth;
mod connections;
mod feed;
mod http;
mod intake;
mod origin;
mod slots;
mod stall;
mod ws;

pub use auth::JwtSecret;
pub(crate) use connections::{Bounds, run};
pub(crate) use feed::{Feed, Gone, Pusher, Subscription};

use crate::Backend;
use crate::answering::Methods;
use crate::eth::EthRpc;
use crate::limits::{BODIES_BYTES_MAX, BROADCAST_WAIT_MARGIN, REQUEST_TIME_MAX, RESPONSES_BYTES_MAX};
use crate::methods::Context;
use crate::quota::Quota;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use intake::Intake;
use slots::Slot;
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
    pub(crate) methods: Arc<dyn Methods>,
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
    let broadcast_wait = config.request_time_max.saturating_sub(BROADCAST_WAIT_MARGIN);
    let methods = Arc::new(Context::new(backend, broadcast_wait));
    let (bodies, answers) = (Quota::new(BODIES_BYTES_MAX), Quota::new(RESPONSES_BYTES_MAX));
    let routes = |server| {
        Router::new()
            .route("/", any(async || "Theta Node is up and running!"))
            .route("/rpc", any(http::rpc))
            .route("/ws", any(ws::upgrade))
            .with_state(server)
    };
    listen(listener, config, shutdown, |config, ending| {
        routes(Arc::new(Server { methods, config, bodies, answers, ending }))
    })
    .await;
    Ok(())
}

/// Serves the Ethereum side as [`serve`] does: HTTP and WebSocket alike, on any path. Where they have ports of their own,
/// serve the same `rpc` on both.
///
/// # Errors
/// As [`serve`].
pub async fn serve_eth(
    listener: TcpListener,
    rpc: EthRpc,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let (bodies, answers) = rpc.quotas();
    listen(listener, config, shutdown, |config, ending| {
        let server = Arc::new(Server { methods: rpc.methods(), config, bodies, answers, ending });
        Router::new().fallback(either).with_state(server)
    })
    .await;
    Ok(())
}

/// A WebSocket where one is asked for, else a request.
async fn either(
    State(server): State<Arc<Server>>,
    Extension(slot): Extension<Slot>,
    Extension(intake): Extension<Intake>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    match upgrade {
        Ok(upgrade) => {
            let headers = request.headers().clone();
            ws::upgrade(State(server), Extension(slot), Extension(intake), headers, upgrade).await
        }
        Err(why) if wants_websocket(request.headers()) => why.into_response(),
        Err(_) => http::rpc(State(server), Extension(slot), request).await,
    }
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn listen(
    listener: TcpListener,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send,
    router: impl FnOnce(ServerConfig, watch::Receiver<bool>) -> Router,
) {
    let (end, ending) = watch::channel(false);
    let bounds = Bounds {
        connections_max: config.connections_max,
        per_address_max: config.connections_per_address_max,
        idle_time_max: config.idle_time_max,
    };
    run(listener, router(config, ending), bounds, shutdown, end).await;
}
