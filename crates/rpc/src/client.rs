//! A small JSON-RPC client over HTTP with kept-alive connections; for the command line, load and benches.

use crate::limits::RESPONSE_BYTES_MAX;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A connection is not used again after it was idle for this long; shorter than the reference server's one second.
const IDLE_TIME_MAX: Duration = Duration::from_millis(900);
/// A connection must be made within this.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// An answer larger than this is refused; more than our server sends.
const ANSWER_BYTES_MAX: usize = 4 * RESPONSE_BYTES_MAX;

/// A client of one endpoint. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
    authorization: Option<HeaderValue>,
    next_id: Arc<AtomicU64>,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint is no `http://host[:port]/path`.
    #[error("`{0}` is not a URL of the form http://host:port/rpc")]
    Endpoint(String),
    /// Nobody answered.
    #[error("no answer from {endpoint}: {why}")]
    Transport {
        /// Who was asked.
        endpoint: Uri,
        /// What went wrong, with its causes.
        why: String,
    },
    /// An answer that is not JSON-RPC.
    #[error("{endpoint} answered HTTP {status}, which is no JSON-RPC answer: {text}")]
    Answer {
        /// Who was asked.
        endpoint: Uri,
        /// HTTP status.
        status: StatusCode,
        /// The beginning of the body, or what is wrong with it.
        text: String,
    },
    /// The server refused; `<code>:<text>` is thetacli's form.
    #[error("Server returned error: {0}")]
    Rpc(#[from] RpcRefusal),
}

/// A JSON-RPC error object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{code}:{message}")]
pub struct RpcRefusal {
    /// -32000 for what a method says itself.
    pub code: i64,
    /// The text.
    pub message: String,
}

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a P,
}

/// The `error` decides: a result may be anything, `null` included.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<RpcRefusal>,
}

impl Client {
    /// A client of `endpoint`; connects on first use. Must be made and used inside a Tokio runtime.
    ///
    /// # Errors
    /// [`ClientError::Endpoint`] if the URL is not `http`.
    pub fn new(endpoint: &str) -> Result<Self, ClientError> {
        let uri: Option<Uri> = endpoint.parse().ok();
        let usable = |uri: &Uri| uri.scheme_str() == Some("http") && uri.host().is_some();
        let endpoint = uri.filter(usable).ok_or_else(|| ClientError::Endpoint(endpoint.to_owned()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .build(connector);
        Ok(Self { http, endpoint, authorization: None, next_id: Arc::default() })
    }

    /// The same client with a bearer token in every request.
    pub fn with_token(mut self, token: &str) -> Self {
        self.authorization = HeaderValue::from_str(&format!("Bearer {token}")).ok();
        self
    }

    /// Calls `method`; `params` is an array or an object.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Rpc`] is the server's own refusal.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<T, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::to_vec(&Call { jsonrpc: "2.0", id, method, params: &params });
        let (status, answer) = self.post(body.map_err(|why| self.broken(StatusCode::OK, &why.to_string()))?).await?;
        let reply: Reply = self.parse(status, &answer)?;
        self.outcome(status, reply)?.map_err(ClientError::Rpc)
    }

    /// Calls `method` once for each of `params`, in one request. Outcomes are in the order of `params`.
    ///
    /// # Errors
    /// [`ClientError`] about the request as a whole; refusals of single calls are in the list.
    pub async fn batch<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<Vec<Result<T, RpcRefusal>>, ClientError> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let calls = params.iter().zip(0..).map(|(params, id)| Call { jsonrpc: "2.0", id, method, params });
        let body = serde_json::to_vec(&calls.collect::<Vec<_>>());
        let (status, answer) = self.post(body.map_err(|why| self.broken(StatusCode::OK, &why.to_string()))?).await?;
        if !answer.trim_ascii_start().starts_with(b"[") {
            let reply: Reply = self.parse(status, &answer)?;
            let refusal = reply.error.ok_or_else(|| self.broken(status, "one answer to a batch"))?;
            return Err(refusal.into());
        }
        let mut outcomes: Vec<Option<_>> = params.iter().map(|_| None).collect();
        for reply in self.parse::<Vec<Reply>>(status, &answer)? {
            let place = reply.id.as_u64().and_then(|id| outcomes.get_mut(usize::try_from(id).ok()?));
            let place = place.ok_or_else(|| self.broken(status, "an answer with an id that was not asked"))?;
            *place = Some(self.outcome(status, reply)?);
        }
        let missing = || self.broken(status, "an answer is missing");
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
    }

    /// Whom it asks.
    pub fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    async fn post(&self, body: Vec<u8>) -> Result<(StatusCode, Bytes), ClientError> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let response = self.http.request(request).await.map_err(|why| self.transport(&why))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|why| self.transport(why.as_ref()))?.to_bytes()))
    }

    fn parse<'a, T: Deserialize<'a>>(&self, status: StatusCode, answer: &'a [u8]) -> Result<T, ClientError> {
        serde_json::from_slice(answer).map_err(|_| self.broken(status, &String::from_utf8_lossy(answer)))
    }

    fn outcome<T: DeserializeOwned>(
        &self,
        status: StatusCode,
        reply: Reply,
    ) -> Result<Result<T, RpcRefusal>, ClientError> {
        match reply.error {
            Some(refusal) => Ok(Err(refusal)),
            None if status != StatusCode::OK => Err(self.broken(status, "neither an error nor success")),
            None => match serde_json::from_value(reply.result) {
                Ok(result) => Ok(Ok(result)),
                Err(why) => Err(self.broken(status, &format!("unexpected result: {why}"))),
            },
        }
    }

    fn transport(&self, why: &(dyn std::error::Error + 'static)) -> ClientError {
        let causes = std::iter::successors(Some(why), |why| why.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        ClientError::Transport { endpoint: self.endpoint.clone(), why: causes.join(": ") }
    }

    fn broken(&self, status: StatusCode, text: &str) -> ClientError {
        let text = text.trim().chars().take(200).collect();
        ClientError::Answer { endpoint: self.endpoint.clone(), status, text }
    }
}
