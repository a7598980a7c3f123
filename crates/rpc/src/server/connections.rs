//! Accepting, bounding and ending connections.

use super::Server;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// How long running requests may take to end.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after a failed accept (no file descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The place of a connection among those allowed at once; a WebSocket keeps it after its HTTP connection ended.
#[derive(Clone)]
pub(super) struct Slot {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Accepts until `shutdown`.
pub(super) async fn run(
    listener: TcpListener,
    router: Router,
    server: &Arc<Server>,
    shutdown: impl Future<Output = ()> + Send,
    end: watch::Sender<bool>,
) {
    let slots = Arc::new(Semaphore::new(server.config.connections_max));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let permit = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let slot = Slot { _permit: Arc::new(permit) };
                connections.spawn(connection(stream, router.clone(), server.clone(), slot));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept an RPC connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    end.send_replace(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("RPC requests were still running after {} s and were cut off", GRACE.as_secs());
    }
}

async fn connection(stream: TcpStream, router: Router, server: Arc<Server>, slot: Slot) {
    // Without this, small answers wait for the client's delayed acknowledgements.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "RPC connection without TCP_NODELAY");
    }
    let service = TowerToHyperService::new(router.layer(Extension(slot)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(server.config.idle_time_max);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = server.ended() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "RPC connection ended");
    }
}
