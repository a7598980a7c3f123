//! `/rpc`.

use super::Server;
use crate::jsonrpc::{RpcError, error_object};
use crate::limits::BODY_BYTES_MAX;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::sync::Arc;

pub(super) async fn rpc(State(server): State<Arc<Server>>, request: Request) -> Response {
    let answered = tokio::time::timeout(server.config.request_time_max, answer(&server, request)).await;
    let mut response = answered
        .unwrap_or_else(|_| json(StatusCode::SERVICE_UNAVAILABLE, br#"{"error": {"message":"Timeout"}}"#.to_vec()));
    if server.config.cors {
        let any = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any);
    }
    response
}

async fn answer(server: &Server, request: Request) -> Response {
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return empty(StatusCode::OK),
        _ => return empty(StatusCode::METHOD_NOT_ALLOWED),
    }
    if !is_json(request.headers()) {
        return empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if let Err(why) = server.config.authorize(request.headers()) {
        return error(StatusCode::UNAUTHORIZED, &RpcError::invalid(why));
    }
    let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(why) if why.is::<LengthLimitError>() => {
            let text = format!("invalid request: the body is larger than {BODY_BYTES_MAX} bytes");
            return error(StatusCode::PAYLOAD_TOO_LARGE, &RpcError::invalid(text));
        }
        Err(why) => return error(StatusCode::BAD_REQUEST, &RpcError::parse(format!("parse error: {why}"))),
    };
    match server.context.answer(&body).await {
        Some(line) => json(StatusCode::OK, line),
        None => empty(StatusCode::NO_CONTENT),
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

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
