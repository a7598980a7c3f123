//! From the body of a request to its answer, for either side.

use crate::jsonrpc::{Answer, Body, Budget, Dialect, Line, Request, RpcError, error_object, read_body};
use crate::limits::BATCH_MAX;
use crate::quota::Account;
use crate::server::{Feed, Subscription};
use async_trait::async_trait;
use futures::StreamExt as _;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Who answers: the `theta.*` methods, or those of the Ethereum side.
#[async_trait]
pub(crate) trait Methods: Send + Sync + 'static {
    /// How requests and answers are written.
    fn dialect(&self) -> Dialect;

    /// Runs a method; it writes its result.
    async fn call(&self, request: &Request<'_>, caller: &Caller<'_>, out: &mut Answer<'_>) -> Result<(), RpcError>;
}

/// Who asks, for the time of one body.
pub(crate) struct Caller<'a> {
    /// The client's address.
    pub(crate) from: IpAddr,
    /// Where a WebSocket is told what it subscribes to; `None` over HTTP.
    pub(crate) feed: Option<&'a Feed>,
    /// Subscriptions that begin once the answer is sent: a client must know their names first.
    beginning: Mutex<Vec<Subscription>>,
}

impl<'a> Caller<'a> {
    /// A client at `from`.
    pub(crate) fn new(from: IpAddr, feed: Option<&'a Feed>) -> Self {
        Self { from, feed, beginning: Mutex::default() }
    }

    /// Begins a subscription after the answer.
    pub(crate) fn begin_later(&self, subscription: Subscription) {
        self.beginning.lock().unwrap_or_else(PoisonError::into_inner).push(subscription);
    }

    /// What is to begin now that the answer is made.
    pub(crate) fn into_subscriptions(self) -> Vec<Subscription> {
        self.beginning.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a body: one line with its newline, or `None` if there is nothing to answer (only notifications). The answer's
/// bytes are taken from `account`.
pub(crate) async fn answer(
    methods: &dyn Methods,
    bytes: &[u8],
    caller: &Caller<'_>,
    account: &Account,
) -> Option<Line> {
    let budget = Budget::of(account);
    let dialect = methods.dialect();
    let mut line = match read_body(bytes, dialect) {
        Err(error) => error_object(dialect, None, &error),
        Ok(Body::Single(request)) => one(methods, request, caller, &budget).await?,
        Ok(Body::Batch(requests)) => batch(methods, requests, caller, &budget).await?,
    };
    line.push(b'\n');
    Some(Line::new(line, budget))
}

/// All requests of a batch at once, answers in their order.
async fn batch(
    methods: &dyn Methods,
    requests: Vec<Option<Request<'_>>>,
    caller: &Caller<'_>,
    budget: &Budget,
) -> Option<Vec<u8>> {
    let requests: Vec<_> = requests.into_iter().map(|request| one(methods, request, caller, budget)).collect();
    let mut answers = futures::stream::iter(requests).buffered(BATCH_MAX);
    let mut out = Vec::new();
    while let Some(answer) = answers.next().await {
        if let Some(answer) = answer {
            out.push(if out.is_empty() { b'[' } else { b',' });
            out.extend_from_slice(&answer);
        }
    }
    out.push(b']');
    (out.len() > 1).then_some(out)
}

async fn one(
    methods: &dyn Methods,
    request: Option<Request<'_>>,
    caller: &Caller<'_>,
    budget: &Budget,
) -> Option<Vec<u8>> {
    let dialect = methods.dialect();
    let Some(request) = request else {
        return Some(error_object(dialect, None, &RpcError::invalid("invalid request")));
    };
    let mut answer = Answer::new(dialect, request.id, budget);
    let outcome = methods.call(&request, caller, &mut answer).await;
    request.id.is_some().then(|| answer.finish(outcome))
}
