//! Blocks and certificates for peers that ask consensus for them, off the engine's thread.

use crate::chain::{Chain, ChainError};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use vigil_consensus::{Lookup, Message, Peer};
use vigil_net::NetHandle;
use vigil_primitives::Bytes;

/// Look-ups at once. What comes beyond is dropped: anybody may ask, and who needs an answer asks again.
const LOOK_UPS_MAX: usize = 32;

/// Answers look-ups, each on a thread that may wait for the disk.
#[derive(Clone)]
pub struct LookUps {
    chain: Arc<Chain>,
    net: NetHandle,
    runtime: Handle,
    permits: Arc<Semaphore>,
}

impl LookUps {
    /// Reads from `chain`, sends over `net`.
    pub fn new(chain: Arc<Chain>, net: NetHandle, runtime: Handle) -> Self {
        Self { chain, net, runtime, permits: Arc::new(Semaphore::new(LOOK_UPS_MAX)) }
    }

    pub(super) fn answer(&self, to: Peer, lookup: Lookup) {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::counter!("vigil_look_ups_dropped_total").increment(1);
            return;
        };
        let this = self.clone();
        self.runtime.spawn_blocking(move || {
            match this.find(lookup) {
                Ok(Some(message)) => this.send(to, &message),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "look-up for a peer failed"),
            }
            drop(permit);
        });
    }

    fn find(&self, lookup: Lookup) -> Result<Option<Message>, ChainError> {
        Ok(match lookup {
            Lookup::Block(hash) => self.chain.block(&hash)?.map(Message::Block),
            Lookup::Cert(hash) => self.chain.cert(&hash)?.map(|cert| Message::Certificate(Arc::new(cert))),
        })
    }

    fn send(&self, to: Peer, message: &Message) {
        metrics::counter!("vigil_consensus_sent_total", "kind" => message.kind()).increment(1);
        if let Err(error) = self.net.send_consensus(to, Bytes::from(message.encode())) {
            tracing::debug!(%error, kind = message.kind(), "message dropped");
        }
    }
}
