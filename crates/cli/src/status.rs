//! `vigil status`: where a node stands, for people.

use crate::output::plain;
use crate::remote::{Remote, block_on};
use crate::{CliError, Output};
use serde_json::{Value, json};

/// Whom to ask.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    remote: Remote,
}

/// Asks and prints.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let (status, peers) = block_on(async {
        let status = args.remote.call("theta.GetStatus", json!({})).await?;
        let peers = args.remote.call("theta.GetPeers", json!({ "skip_edge_node": true })).await?;
        Ok((status, peers))
    })?;
    let count = peers["peers"].as_array().map_or(0, Vec::len);
    let mut value = status.clone();
    value["peers"] = json!(count);
    output.result(describe(&status, count), &value);
    Ok(())
}

fn describe(status: &Value, peers: usize) -> String {
    let text = |key: &str| match &status[key] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let number = |key: &str| text(key).parse::<u64>().unwrap_or_default();
    let age = number("current_time").saturating_sub(number("latest_finalized_block_time"));
    let state = match (status["not_ready"].as_str(), status["syncing"].as_bool()) {
        (Some(why), _) => why,
        (None, Some(true)) => "catching up", // a node of other make
        (None, _) => "synced",
    };
    let mut rows = vec![
        ("chain", text("chain_id")),
        ("node", text("address")),
        ("state", state.to_owned()),
        ("committed", format!("{} {}", text("current_height"), text("current_hash"))),
        ("settled", format!("{} {}", text("latest_finalized_block_height"), text("latest_finalized_block_hash"))),
        ("finalized", format!("{} {}", text("finalized_height"), text("finalized_hash"))),
        ("block age", format!("{age} s")),
        ("epoch", text("current_epoch")),
        ("peers", peers.to_string()),
        ("genesis", text("genesis_block_hash")),
    ];
    rows.extend(status["graphics_cards"].as_array().into_iter().flatten().map(|card| ("card", plain(&in_words(card)))));
    let rows: Vec<String> = rows.into_iter().map(|(key, value)| format!("{key:<10}{value}")).collect();
    rows.join("\n")
}

/// `cuda 0: NVIDIA H200 in use, faults 0`
fn in_words(card: &Value) -> String {
    let name = card["name"].as_str().unwrap_or_default();
    match card["why_not"].as_str() {
        Some(why) => format!("{name} not used: {why}, faults {}", card["faults"]),
        None => format!("{name} in use, faults {}", card["faults"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: Value, peers: usize) -> String {
        let text = describe(&status, peers);
        text.lines().find_map(|line| line.strip_prefix("state     ")).expect("a state").to_owned()
    }

    #[test]
    fn cards_are_named_where_there_are_any() {
        let card = |why: Value| json!({ "name": "cuda 0: H\u{1b}[2J", "backend": "cuda", "why_not": why, "faults": 2 });
        let text = describe(&json!({ "graphics_cards": [card(Value::Null), card("a digest".into())] }), 0);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("card ")).collect();
        assert_eq!(
            rows,
            ["card      cuda 0: H[2J in use, faults 2", "card      cuda 0: H[2J not used: a digest, faults 2"]
        );
        assert!(!describe(&json!({}), 0).contains("card"));
    }

    #[test]
    fn the_state_is_what_the_node_says_is_wrong() {
        let rolled_back = "journal rolled back: not signing";
        assert_eq!(state(json!({ "syncing": false, "not_ready": rolled_back }), 3), rolled_back);
        assert_eq!(state(json!({ "syncing": true, "not_ready": "disk full" }), 3), "disk full");
        assert_eq!(state(json!({ "syncing": true }), 3), "catching up");
        assert_eq!(state(json!({ "syncing": false }), 0), "synced", "a chain of one validator has no peers");
    }
}
