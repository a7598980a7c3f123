//! `vectors/ledger/evm.json`: result code, success and return data of every step, as the reference, but for a closed list.

use super::vectors::{code, hash, mainnet, state_of, text};
use crate::contracts::Contracts;
use crate::tx::{Context, Runner, apply};
use crate::view::View;
use crate::{NoAncestors, ScalarProofs};
use alloy_primitives::Log;
use serde_json::Value;
use vigil_crypto::{TxDomain, verify_tx};
use vigil_primitives::{Address, BlockHeader, ChainParams, Hash, Receipt, SignDomain};
use vigil_testkit::vectors::{json, unhex};
use vigil_trie::ScalarHasher;

/// What we answer instead.
struct Ours {
    label: &'static str,
    success: bool,
    output: &'static str,
    why: &'static str,
}

const fn ours(label: &'static str, success: bool, output: &'static str, why: &'static str) -> Ours {
    Ours { label, success, output, why }
}

/// A word that ends with these 4 bytes.
macro_rules! word {
    ($end:literal) => {
        concat!("00000000000000000000000000000000000000000000000000000000", $end)
    };
}

/// Steps with another result than the reference's (`docs/decisions/0015-evm.md`, "evm.json").
const DIFFERENT: [Ours; 12] = [
    ours("deploy_out_of_gas_for_code", false, "", "the reference returns the code that it did not store"),
    ours("call_timestamp", true, word!("6553f106"), "TIMESTAMP is the block's, not the parent's"),
    ours("call_gaslimit", true, word!("03938700"), "GASLIMIT is the block's, not the transaction's"),
    ours("call_coinbase_unsupported", true, word!("00000000"), "COINBASE: the proposer, here nobody"),
    ours("call_difficulty_unsupported", true, word!("00000000"), "PREVRANDAO: the parent's hash, here zero"),
    ours("call_blockhash_unsupported", true, word!("00000000"), "BLOCKHASH of a block too far below"),
    ours(
        "call_basefee_invalid",
        true,
        concat!("000000000000000000000000000000000000000000000000", "000003a352944000"),
        "BASEFEE",
    ),
    ours("call_push0_invalid", true, word!("00000000"), "PUSH0"),
    ours("204_stake_to_guardian", false, "", "a proof of possession of the old form"),
    ours("206_stake_to_een_amount_at_offset_261", false, "", "a proof of possession of the old form"),
    ours("205_unstake_from_guardian", false, "", "there is no such stake, see 204"),
    ours("207_unstake_from_een", false, "", "there is no such stake, see 206"),
];

#[test]
fn evm() {
    let Some(file) = json("ledger/evm.json") else { return };
    let scenarios = file["vectors"].as_array().expect("a list");
    let (mut steps, mut found, mut wrong) = (0, 0, Vec::new());
    for scenario in scenarios {
        let mut replay = Replay::new(scenario);
        for step in scenario["steps"].as_array().expect("a list") {
            steps += 1;
            let label = text(&step["label"]);
            let got = replay.run(step);
            let theirs = theirs(step);
            match DIFFERENT.iter().find(|ours| ours.label == label) {
                Some(listed) => {
                    found += 1;
                    let listed_answer =
                        Answer { code: 0, receipt: Some((listed.success, unhex(listed.output), Vec::new())) };
                    assert_ne!(listed_answer, theirs, "{label} is no exception: {}", listed.why);
                    if got != listed_answer {
                        wrong.push(format!("{label}: {got:?}, listed {listed_answer:?}"));
                    }
                }
                None if got != theirs => wrong.push(format!("{label}: {got:?}, theirs {theirs:?}")),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {steps} steps:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((steps, found), (72, DIFFERENT.len()), "steps compared, exceptions found");
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: u32,
    /// Success, return data and logs.
    receipt: Option<(bool, Vec<u8>, Vec<Log>)>,
}

/// The reference's answer.
fn theirs(step: &Value) -> Answer {
    let code = step["result_code"].as_u64().expect("a code") as u32;
    let receipt = step.get("receipt").filter(|receipt| !receipt.is_null());
    let receipt = receipt.map(|receipt| {
        let success = text(&receipt["evm_err"]).is_empty();
        let logs = receipt["logs"].as_array().expect("a list").iter().map(log).collect();
        (success, unhex(text(&receipt["evm_ret"])), logs)
    });
    Answer { code, receipt }
}

fn log(log: &Value) -> Log {
    let topics = log["topics"].as_array().expect("a list").iter().map(hash).collect();
    Log::new_unchecked(address(&log["address"]), topics, unhex(text(&log["data"])).into())
}

fn address(value: &Value) -> Address {
    text(value).parse().expect("an address")
}

struct Replay {
    params: ChainParams,
    view: View,
    timestamp: u64,
}

impl Replay {
    fn new(scenario: &Value) -> Self {
        let state = state_of(&scenario["initial_state"]);
        assert_eq!(state.root(), hash(&scenario["initial_root"]), "initial root");
        let chain_id = text(&scenario["chain_id"]).into();
        Self {
            params: ChainParams { chain_id, forks: mainnet(), ..ChainParams::default() },
            view: View::new(state, scenario["initial_parent_height"].as_u64().expect("a height")),
            timestamp: scenario["parent_block_timestamp"].as_u64().expect("a time") + 6,
        }
    }

    /// Each step is a block of its own on the same height, as in the reference's run.
    fn run(&mut self, step: &Value) -> Answer {
        let params = self.params.clone();
        let domain = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() };
        let verified = verify_tx(&domain, unhex(text(&step["raw_tx"])).into()).expect("a transaction");
        assert_eq!(verified.hash(), hash(&step["tx_hash"]), "hash");
        let header = BlockHeader { height: self.view.height(), timestamp: self.timestamp, ..BlockHeader::default() };
        let contracts = Contracts::new(&params, &header, &NoAncestors);
        let domain = SignDomain { chain_id: params.chain_id.clone(), genesis_hash: Hash::ZERO };
        let proofs = ScalarProofs::new(domain, &params);
        let context = Context::new(&params, &proofs, &verified, header.height);
        let code = code(apply(&mut self.view, Runner::Block(&contracts), &context));
        let receipts: Vec<Receipt> = self.view.take_receipts();
        self.view.flush(&ScalarHasher).expect("commits");
        assert_eq!(receipts.len(), usize::from(code == 0), "a receipt if it was executed");
        let receipt = receipts.into_iter().next();
        Answer { code, receipt: receipt.map(|receipt| (receipt.success, receipt.output.to_vec(), receipt.logs)) }
    }
}
