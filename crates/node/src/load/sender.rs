//! Sends what is due to one node.

use super::accounts::{self, Account};
use super::report::Shared;
use super::{BATCH_MAX, OUTSTANDING_MAX, TICK};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use vigil_primitives::Address;
use vigil_rpc::Client;

/// Pause after a node did not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The sender of one share of the accounts.
pub(super) struct Sender {
    pub(super) clients: Vec<Client>,
    /// Which of them is sent to.
    pub(super) target: usize,
    pub(super) accounts: Vec<Account>,
    /// Transactions a second.
    pub(super) rate: f64,
    pub(super) chain_id: String,
    pub(super) shared: Arc<Shared>,
}

#[derive(Deserialize)]
struct Broadcast {}

impl Sender {
    /// Sends until told to stop. Transaction k is due k / rate seconds after `start`.
    pub(super) async fn run(mut self, start: Instant) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sent = 0usize;
        while !self.shared.stop.load(Ordering::Relaxed) && !self.accounts.is_empty() {
            tick.tick().await;
            loop {
                let due = (start.elapsed().as_secs_f64() * self.rate) as usize;
                let room = OUTSTANDING_MAX.saturating_sub(self.shared.outstanding());
                let count = due.saturating_sub(sent).min(BATCH_MAX).min(room);
                if count == 0 || self.shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                self.send(sent, count, start).await;
                sent += count;
            }
        }
    }

    /// Signs and sends transactions `first` to `first + count` - 1 of this sender.
    async fn send(&mut self, first: usize, count: usize, start: Instant) {
        let mut hashes = Vec::with_capacity(count);
        let mut params = Vec::with_capacity(count);
        for k in first..first + count {
            let index = k % self.accounts.len();
            let signed = self.accounts[index].next(&self.chain_id);
            let due = start + Duration::from_secs_f64(k as f64 / self.rate);
            self.shared.submitted(signed.hash, due);
            params.push(json!({ "tx_bytes": alloy_primitives::hex::encode(&signed.raw) }));
            hashes.push((signed.hash, index));
        }
        let answer = self.clients[self.target].batch::<Broadcast>("theta.BroadcastRawTransactionAsync", &params).await;
        let mut confused = BTreeSet::new();
        match answer {
            Ok(answers) => {
                for ((hash, index), answer) in hashes.into_iter().zip(answers) {
                    if let Err(refusal) = answer {
                        self.shared.refused(&hash, &refusal.to_string());
                        confused.insert(index);
                    }
                }
            }
            Err(error) => {
                // Whether they were taken is unknown: they stay outstanding, and are lost if no block ever holds them.
                self.shared.unreachable(&error.to_string());
                confused.extend(hashes.into_iter().map(|(_, index)| index));
                self.target = (self.target + 1) % self.clients.len();
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        if !confused.is_empty() {
            self.resynchronise(&confused).await;
        }
    }

    /// Asks the node where these accounts stand.
    async fn resynchronise(&mut self, indices: &BTreeSet<usize>) {
        let addresses: Vec<Address> = indices.iter().map(|i| self.accounts[*i].address).collect();
        if let Ok(sequences) = accounts::sequences(&self.clients[self.target], &addresses).await {
            for (index, sequence) in indices.iter().zip(sequences) {
                self.accounts[*index].sequence = sequence;
            }
        }
    }
}
