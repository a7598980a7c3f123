//! The Ethereum side: what tools for Ethereum call (`spec/rpc.md` §6, §7; decision 0016).
//!
//! [`EthBackend`] is what a node must answer; [`crate::serve_eth`] serves an [`EthRpc`] over HTTP and WebSocket.

mod backend;
mod error;
mod filters;
mod json;
mod methods;
mod revert;
mod tags;
mod values;

pub use backend::EthBackend;
pub use error::EthError;
pub use values::{
    Bloom, CallArgs, CallOutcome, Estimate, EthAccount, EthAt, EthBlock, EthBlockSummary, EthFees, EthFound, EthHeads,
    EthPlace, EthPool, EthReceipt, EthRules, EthSyncing, EthTx, EthTxInfo,
};

use crate::answering::Methods;
use crate::limits::{BODIES_BYTES_MAX, RESPONSES_BYTES_MAX};
use crate::quota::Quota;
use methods::EthMethods;
use std::sync::Arc;

/// The methods of the Ethereum side, and what all its ports share: filters and the memory for requests and answers.
#[derive(Clone)]
pub struct EthRpc {
    methods: Arc<EthMethods>,
    bodies: Quota,
    answers: Quota,
}

impl EthRpc {
    /// Answers from `backend`.
    pub fn new(backend: Arc<dyn EthBackend>) -> Self {
        let (bodies, answers) = (Quota::new(BODIES_BYTES_MAX), Quota::new(RESPONSES_BYTES_MAX));
        Self { methods: Arc::new(EthMethods::new(backend)), bodies, answers }
    }

    pub(crate) fn methods(&self) -> Arc<dyn Methods> {
        self.methods.clone()
    }

    /// For bodies and for answers.
    pub(crate) fn quotas(&self) -> (Quota, Quota) {
        (self.bodies.clone(), self.answers.clone())
    }
}
