//! `/ws`: the same requests and answers as text frames. No subscriptions, no pushed events.

use super::Server;
use super::connections::Slot;
use crate::limits::{BODY_BYTES_MAX, WS_IN_FLIGHT_MAX};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::stream::FuturesUnordered;
use futures::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;

/// A socket that brings nothing, not even a ping, for this long is closed.
const SILENCE_MAX: Duration = Duration::from_secs(300);

pub(super) async fn upgrade(
    State(server): State<Arc<Server>>,
    Extension(slot): Extension<Slot>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Err(why) = server.config.authorize(&headers) {
        return (StatusCode::UNAUTHORIZED, why).into_response();
    }
    if !server.config.cors && is_foreign(&headers) {
        return (StatusCode::FORBIDDEN, "this node takes no WebSocket from other origins").into_response();
    }
    let sized = upgrade.max_message_size(BODY_BYTES_MAX).max_frame_size(BODY_BYTES_MAX);
    sized.on_upgrade(async move |socket| {
        let _slot = slot;
        talk(socket, &server).await;
    })
}

/// True if a web page of another origin asks. Programs send no `Origin` (the Go node wants one; we do not).
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or("?"));
    let Some(origin) = text(header::ORIGIN) else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none() || host != text(header::HOST)
}

/// Answers until the peer closes, falls silent, or the server ends. Several requests run at once; the answer of each
/// is sent when it is ready.
async fn talk(socket: WebSocket, server: &Server) {
    let (mut sink, mut stream) = socket.split();
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(answer) = running.next(), if !running.is_empty() => {
                let Some(line): Option<Vec<u8>> = answer else { continue };
                let text = String::from_utf8(line).expect("answers are JSON");
                if sink.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            received = tokio::time::timeout(SILENCE_MAX, stream.next()), if running.len() < WS_IN_FLIGHT_MAX => {
                match received {
                    Ok(Some(Ok(Message::Text(text)))) => running.push(one(server, text.into())),
                    Ok(Some(Ok(Message::Binary(bytes)))) => running.push(one(server, bytes)),
                    Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                    _ => break,
                }
            }
            () = server.ended() => break,
        }
    }
    let _already_gone = sink.send(Message::Close(None)).await;
}

async fn one(server: &Server, bytes: bytes::Bytes) -> Option<Vec<u8>> {
    let limit = server.config.request_time_max;
    match tokio::time::timeout(limit, server.context.answer(&bytes)).await {
        Ok(answer) => answer,
        Err(_) => Some(b"{\"error\": {\"message\":\"Timeout\"}}\n".to_vec()),
    }
}
