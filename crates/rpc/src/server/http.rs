//! `/rpc`.

use super::Server;
use super::origin::is_foreign;
use super::slots::Slot;
use crate::jsonrpc::{RpcError, error_object};
use crate::limits::BODY_BYTES_MAX;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Extension, Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
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
    let share = server.bodies.share();
    if !share.grow(announced(request.body())) {
        return error(StatusCode::SERVICE_UNAVAILABLE, &RpcError::method("the node is busy with large requests"));
    }
    let body = match read(server, request.into_body()).await {
        Ok(body) => body,
        Err((status, why)) => return error(status, &why),
    };
    let _work = slot.work();
    match server.context.answer(&body).await {
        Some(line) => json(StatusCode::OK, Bytes::from_owner(line)),
        None => empty(StatusCode::NO_CONTENT),
    }
}

/// The bytes that a body may turn out to have.
fn announced(body: &Body) -> usize {
    let upper = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    upper.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX)
}

async fn read(server: &Server, body: Body) -> Result<Bytes, (StatusCode, RpcError)> {
    let limit = server.config.body_time_max;
    let whole = tokio::time::timeout(limit, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    match whole {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => {
            let text = format!("invalid request: the body is larger than {BODY_BYTES_MAX} bytes");
            Err((StatusCode::PAYLOAD_TOO_LARGE, RpcError::invalid(text)))
        }
        Ok(Err(why)) => Err((StatusCode::BAD_REQUEST, RpcError::parse(format!("parse error: {why}")))),
        Err(_) => {
            let text = format!("invalid request: the body did not arrive within {} s", limit.as_secs_f32());
            Err((StatusCode::REQUEST_TIMEOUT, RpcError::invalid(text)))
        }
    }
}

/// True for `application/json` in any case, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn error(status: StatusCode, error: &RpcError) -> Response {
    let mut line = error_object(None, error);
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
