//! Requests over HTTP.

use super::Server;
use super::origin::is_foreign;
use super::slots::Slot;
use crate::answering::{self, Caller};
use crate::jsonrpc::{Dialect, RpcError, error_object};
use crate::limits::BODY_BYTES_MAX;
use crate::quota::Share;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::sync::Arc;

pub(super) async fn rpc(
    State(server): State<Arc<Server>>,
    Extension(slot): Extension<Slot>,
    request: Request,
) -> Response {
    let answered = tokio::time::timeout(server.config.request_time_max, answer(&server, &slot, request)).await;
    let mut response = answered
        .unwrap_or_else(|_| json(StatusCode::SERVICE_UNAVAILABLE, br#"{"error": {"message":"Timeout"}}"#.as_slice()));
    if server.config.cors {
        let any = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any);
    }
    response
}

async fn answer(server: &Server, slot: &Slot, request: Request) -> Response {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return empty(StatusCode::OK),
        _ => return empty(StatusCode::METHOD_NOT_ALLOWED),
    }
    if !is_json(request.headers()) {
        return empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if !server.config.cors && is_foreign(request.headers()) {
        let why = "invalid request: this node takes no requests of web pages";
        return error(StatusCode::FORBIDDEN, &RpcError::invalid(why));
    }
    if let Err(why) = server.config.authorize(request.headers()) {
        return error(StatusCode::UNAUTHORIZED, &RpcError::invalid(why));
    }
    let share = server.bodies.account(slot.from()).share();
    let body = match read(server, request.into_body(), &share).await {
        Ok(body) => body,
        Err((status, why)) => return error(status, &why),
    };
    let _work = slot.work();
    let (caller, account) = (Caller::new(slot.from(), None), server.answers.account(slot.from()));
    match answering::answer(server.methods.as_ref(), &body, &caller, &account).await {
        Some(line) => json(StatusCode::OK, Bytes::from_owner(line)),
        None => empty(StatusCode::NO_CONTENT),
    }
}

/// Reads a body within its time.
async fn read(server: &Server, body: Body, share: &Share) -> Result<Vec<u8>, (StatusCode, RpcError)> {
    let limit = server.config.body_time_max;
    tokio::time::timeout(limit, collect(body, share)).await.unwrap_or_else(|_| {
        let text = format!("invalid request: the body did not arrive within {} s", limit.as_secs_f32());
        Err((StatusCode::REQUEST_TIMEOUT, RpcError::invalid(text)))
    })
}

/// `share` grows with what has arrived: what a client announces costs it nothing.
async fn collect(mut body: Body, share: &Share) -> Result<Vec<u8>, (StatusCode, RpcError)> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|why| (StatusCode::BAD_REQUEST, RpcError::parse(format!("parse error: {why}"))))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > BODY_BYTES_MAX {
            let text = format!("invalid request: the body is larger than {BODY_BYTES_MAX} bytes");
            return Err((StatusCode::PAYLOAD_TOO_LARGE, RpcError::invalid(text)));
        }
        if !share.grow(data.len()) {
            let text = "the node is busy with large requests: try again";
            return Err((StatusCode::SERVICE_UNAVAILABLE, RpcError::method(text)));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// True for `application/json` in any case, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn error(status: StatusCode, error: &RpcError) -> Response {
    let mut line = error_object(Dialect::Theta, None, error);
    line.push(b'\n');
    json(status, line)
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
