//! Health and metrics, on a port of their own: `/health/live`, `/health/ready`, `/metrics`.

use crate::server::{Bounds, run};
use crate::{Backend, Card};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A scraper keeps one connection or two.
const BOUNDS: Bounds = Bounds { connections_max: 64, per_address_max: 16, idle_time_max: Duration::from_secs(30) };

/// Makes the text of `/metrics` (Prometheus exposition format).
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Routes of the metrics port.
///
/// - `/health/live`: 200 as long as the process answers.
/// - `/health/ready`: 200, or 503 with `{"ready":false,"reason":".."}` ([`Backend::not_ready`]); with `"warnings":[".."]` where
///   a graphics card is not used because of a fault, which makes no node unready.
/// - `/metrics`: what `render` says.
pub fn health_router(backend: Arc<dyn Backend>, render: RenderMetrics) -> Router {
    Router::new()
        .route("/health/live", get(async || axum::Json(json!({"live": true}))))
        .route("/health/ready", get(ready).with_state(backend))
        .route("/metrics", get(metrics).with_state(render))
}

/// Serves [`health_router`] (or a router it was merged into) until `shutdown`.
///
/// # Errors
/// None today: failing to accept a connection is logged and tried again.
pub async fn serve_health(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (end, _) = watch::channel(false);
    run(listener, router, BOUNDS, shutdown, end).await;
    Ok(())
}

async fn ready(State(backend): State<Arc<dyn Backend>>) -> Response {
    let (status, mut answer) = match backend.not_ready().await {
        None => (StatusCode::OK, json!({"ready": true})),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, json!({"ready": false, "reason": reason})),
    };
    let warnings: Vec<String> = backend.cards().iter().filter_map(Card::warning).collect();
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    (status, axum::Json(answer)).into_response()
}

async fn metrics(State(render): State<RenderMetrics>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], render()).into_response()
}
