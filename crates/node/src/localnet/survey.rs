//! Do all nodes have the same chain?

use serde_json::{Value, json};
use vigil_rpc::Client;

/// What the nodes that answer have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Nodes that answered.
    pub nodes: usize,
    /// Highest certified block of any.
    pub height: u64,
    /// Height that all have settled.
    pub settled_height: u64,
    /// Height that all have as finalized by guardians.
    pub finalized_height: u64,
    /// Heights up to `settled_height` at which not all have the same block. A block names its parent, so forks are
    /// counted from where the chains part.
    pub forks: u64,
    /// True if all have the same state root at `settled_height`.
    pub roots_equal: bool,
}

/// A status or block number, which travels as text; 0 if it is absent.
pub(crate) fn number(object: &Value, key: &str) -> u64 {
    let value = &object[key];
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// Asks every node where it stands and compares them at the greatest height that all have settled.
pub async fn survey(clients: &[Client]) -> Survey {
    let mut alive = Vec::with_capacity(clients.len());
    for client in clients {
        if let Ok(status) = client.call::<Value>("theta.GetStatus", json!({})).await {
            alive.push((client, status));
        }
    }
    let least = |key: &str| alive.iter().map(|(_, s)| number(s, key)).min().unwrap_or_default();
    let settled_height = least("latest_finalized_block_height");
    let nodes: Vec<_> = alive.iter().map(|(client, _)| *client).collect();
    let top = blocks_at(&nodes, settled_height).await;
    let same = |key: &str| !top.is_empty() && top.iter().all(|b| b[key].is_string() && b[key] == top[0][key]);
    Survey {
        nodes: nodes.len(),
        height: alive.iter().map(|(_, s)| number(s, "current_height")).max().unwrap_or_default(),
        settled_height,
        finalized_height: least("finalized_height"),
        forks: if same("hash") || top.is_empty() {
            0
        } else {
            settled_height - last_common(&nodes, settled_height).await
        },
        roots_equal: top.len() == nodes.len() && same("state_hash"),
    }
}

/// The block of each node at a height; nodes that do not answer are left out.
async fn blocks_at(nodes: &[&Client], height: u64) -> Vec<Value> {
    let mut blocks = Vec::with_capacity(nodes.len());
    for client in nodes {
        if let Ok(block) = client.call("theta.GetBlockByHeight", json!({ "height": height.to_string() })).await {
            blocks.push(block);
        }
    }
    blocks
}

/// The greatest height below `different` at which all have the same block.
async fn last_common(nodes: &[&Client], different: u64) -> u64 {
    let (mut same, mut different) = (0, different);
    while different - same > 1 {
        let middle = same + (different - same) / 2;
        let blocks = blocks_at(nodes, middle).await;
        if blocks.iter().all(|b| b["hash"] == blocks[0]["hash"]) { same = middle } else { different = middle }
    }
    same
}
