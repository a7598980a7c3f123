//! Accepting, bounding and ending connections.

use super::intake::Intake;
use super::slots::{Slot, Slots};
use super::stall::Stalling;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long running requests may take to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long a connection may take to end whose place is wanted.
const LEAVE_GRACE: Duration = Duration::from_millis(500);
/// Pause after a failed accept (no file descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A client that has not read an answer after this, and a second for each 64 KiB that it has read, is disconnected.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Bounds of the connections of one listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most at once.
    pub(crate) connections_max: usize,
    /// Most at once from one IP address other than loopback.
    pub(crate) per_address_max: usize,
    /// A connection that waits this long for (the rest of) a request's head is closed.
    pub(crate) idle_time_max: Duration,
}

/// Accepts until `shutdown`, then tells `end`.
pub(crate) async fn run(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()> + Send,
    end: watch::Sender<bool>,
) {
    let slots = Arc::new(Slots::new(bounds.connections_max, bounds.per_address_max));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, slot) = tokio::select! {
            next = next(&listener, &slots) => next,
            () = &mut shutdown => break,
        };
        connections.spawn(connection(stream, router.clone(), slot, bounds.idle_time_max, end.subscribe()));
    }
    drop(listener);
    end.send_replace(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("RPC requests were still running after {} s and were cut off", GRACE.as_secs());
    }
}

/// The next connection that gets a place.
async fn next(listener: &TcpListener, slots: &Slots) -> (TcpStream, Slot) {
    loop {
        match accept(listener, slots).await {
            Ok((stream, _, Some(slot))) => return (stream, slot),
            Ok((_, from, None)) => tracing::debug!(%from, "too many RPC connections of one address"),
            Err(error) => {
                tracing::warn!(%error, "cannot accept an RPC connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept(listener: &TcpListener, slots: &Slots) -> std::io::Result<(TcpStream, SocketAddr, Option<Slot>)> {
    let (stream, from) = listener.accept().await?;
    Ok((stream, from, slots.admit(from.ip()).await))
}

async fn connection(
    stream: TcpStream,
    router: Router,
    slot: Slot,
    idle_time_max: Duration,
    ending: watch::Receiver<bool>,
) {
    // Without this, small answers wait for the client's delayed acknowledgements.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "RPC connection without TCP_NODELAY");
    }
    let intake = Intake::default();
    let router = router.layer(Extension(slot.clone())).layer(Extension(intake.clone()));
    let service = TowerToHyperService::new(router);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(idle_time_max);
    let io = TokioIo::new(Stalling::new(stream, STALL_MAX, intake));
    let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = ended(ending) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = slot.wanted() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LEAVE_GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "RPC connection ended");
    }
}

/// Ready when the server ends.
pub(super) async fn ended(mut ending: watch::Receiver<bool>) {
    // An error means that the sender is gone: the end as well.
    let _ = ending.wait_for(|ending| *ending).await;
}
