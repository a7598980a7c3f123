//! Reads settled blocks back and counts what they hold.

use super::POLL;
use super::report::Shared;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use vigil_primitives::Hash;
use vigil_rpc::Client;

/// Most blocks read in one request.
const BLOCKS_MAX: u64 = 20;

#[derive(Deserialize)]
struct Status {
    latest_finalized_block_height: String,
}

#[derive(Deserialize)]
struct Block {
    transactions: Option<Vec<BlockTx>>,
}

#[derive(Deserialize)]
struct BlockTx {
    hash: Hash,
}

/// Follows the settled head of the first node that answers.
pub(super) async fn run(clients: Vec<Client>, shared: Arc<Shared>) {
    let mut seen: Option<u64> = None;
    let mut node = 0;
    loop {
        match read(&clients[node % clients.len()], seen, &shared).await {
            Ok(height) => seen = Some(height),
            Err(error) => {
                tracing::debug!(%error, "load: the watched node does not answer");
                node += 1;
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Reads the blocks after `seen` (`None`: none yet, begin after the head) and answers the height it has read up to.
async fn read(client: &Client, seen: Option<u64>, shared: &Shared) -> Result<u64, String> {
    let status: Status = client.call("theta.GetStatus", json!({})).await.map_err(|e| e.to_string())?;
    let head: u64 = status.latest_finalized_block_height.parse().map_err(|_| "height is no number".to_owned())?;
    shared.head(head);
    let Some(mut seen) = seen else { return Ok(head) };
    while seen < head {
        let end = head.min(seen + BLOCKS_MAX);
        let range = json!({ "start": (seen + 1).to_string(), "end": end.to_string() });
        let blocks: Vec<Block> = client.call("theta.GetBlocksByRange", range).await.map_err(|e| e.to_string())?;
        if blocks.len() as u64 != end - seen {
            return Err(format!("{} blocks between {seen} and {end}", blocks.len()));
        }
        let now = Instant::now();
        for tx in blocks.iter().flat_map(|block| block.transactions.iter().flatten()) {
            shared.settled(&tx.hash, now);
        }
        seen = end;
    }
    Ok(seen.max(head))
}
