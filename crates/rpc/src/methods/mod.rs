//! The methods of `theta.*` (`spec/rpc.md` §4), by what they are about.

mod accounts;
mod blocks;
mod broadcast;
mod guardians;
mod node;
mod pools;

use crate::Backend;
use crate::jsonrpc::{Answer, Args, Body, Budget, Line, Request, RpcError, error_object, read_body};
use crate::limits::{BATCH_MAX, HEAVY_RANGES_MAX};
use crate::quota::Account;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What every method needs.
pub(crate) struct Context {
    /// The node.
    pub(crate) backend: Arc<dyn Backend>,
    /// How long a blocking broadcast waits.
    pub(crate) broadcast_wait: Duration,
    /// One permit for each heavy range that may run.
    pub(crate) heavy_ranges: Semaphore,
}

impl Context {
    pub(crate) fn new(backend: Arc<dyn Backend>, broadcast_wait: Duration) -> Self {
        Self { backend, broadcast_wait, heavy_ranges: Semaphore::new(HEAVY_RANGES_MAX) }
    }

    /// Answers a body: one line with its newline, or `None` if there is nothing to answer (only notifications).
    /// The answer's bytes are taken from `account`.
    pub(crate) async fn answer(&self, bytes: &[u8], account: &Account) -> Option<Line> {
        let budget = Budget::of(account);
        let mut line = match read_body(bytes) {
            Err(error) => error_object(None, &error),
            Ok(Body::Single(request)) => self.one(request, &budget).await?,
            Ok(Body::Batch(requests)) => self.batch(requests, &budget).await?,
        };
        line.push(b'\n');
        Some(Line::new(line, budget))
    }

    /// All requests of a batch at once, answers in their order.
    async fn batch(&self, requests: Vec<Option<Request<'_>>>, budget: &Budget) -> Option<Vec<u8>> {
        let requests: Vec<_> = requests.into_iter().map(|request| self.one(request, budget)).collect();
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

    async fn one(&self, request: Option<Request<'_>>, budget: &Budget) -> Option<Vec<u8>> {
        let Some(request) = request else { return Some(error_object(None, &RpcError::invalid("invalid request"))) };
        let mut answer = Answer::new(request.id, budget);
        let outcome = self.call(&request, &mut answer).await;
        request.id.is_some().then(|| answer.finish(outcome))
    }

    /// Runs a method; it writes its result.
    async fn call(&self, request: &Request<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
        let name = request.method.as_ref();
        let Some((service, method)) = name.rsplit_once('.') else {
            return Err(RpcError::no_method(format!("rpc: service/method request ill-formed: {name}")));
        };
        if service != "theta" {
            return Err(RpcError::no_method(format!("rpc: can't find service {name}")));
        }
        let args = Args::read(method, request.params);
        match method {
            "GetVersion" => node::version(self, &args?, out),
            "GetStatus" => node::status(self, &args?, out).await,
            "GetPeers" => node::peers(self, &args?, out).await,
            "GetPeerURLs" => node::peer_urls(self, &args?, out).await,
            "GetPendingTransactions" => node::pending_transactions(self, &args?, out).await,
            "GetAccount" => accounts::account(self, &args?, out).await,
            "GetCode" => accounts::code(self, &args?, out).await,
            "GetStorageAt" => accounts::storage(self, &args?, out).await,
            "GetSplitRule" => accounts::split_rule(self, &args?, out).await,
            "GetTransaction" => blocks::transaction(self, &args?, out).await,
            "GetBlock" => blocks::block(self, &args?, out).await,
            "GetBlockByHeight" => blocks::block_by_height(self, &args?, out).await,
            "GetBlocksByRange" => blocks::blocks_by_range(self, &args?, out).await,
            "TraceBlocks" => blocks::trace(self, &args?, out).await,
            "GetFinalityCert" => guardians::finality_cert(self, &args?, out).await,
            "GetGuardianInfo" => guardians::info(self, &args?, out),
            "GetVcpByHeight" => pools::validators(self, &args?, out).await,
            "GetGcpByHeight" => pools::guardians(self, &args?, out).await,
            "GetEenpByHeight" => pools::edge_nodes(self, &args?, out).await,
            "GetEenpStakeByHeight" => pools::edge_node_stake(self, &args?, out).await,
            "GetStakeRewardDistributionByHeight" => pools::reward_distributions(self, &args?, out).await,
            "GetEliteEdgeNodeStakeReturnsByHeight" => pools::stake_returns(self, &args?, out).await,
            "GetAllPendingEliteEdgeNodeStakeReturns" => pools::pending_stake_returns(self, &args?, out).await,
            "BroadcastRawTransaction" => broadcast::wait(self, &args?, out).await,
            "BroadcastRawTransactionAsync" => broadcast::at_once(self, &args?, out).await,
            _ => Err(RpcError::no_method(format!("rpc: can't find method {name}"))),
        }
    }
}
