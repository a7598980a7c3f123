//! `vectors/ledger/state_transition.json`: result code and state root after every step, as the reference.

use crate::contracts::Contracts;
use crate::error::ApplyError;
use crate::stake::return_stakes;
use crate::state::State;
use crate::tx::{Context, Runner, apply};

use crate::view::View;
use crate::{NoAncestors, ScalarProofs};
use serde_json::Value;
use std::sync::Arc;
use vigil_crypto::{TxDomain, verify_tx};
use vigil_primitives::{Address, BlockHeader, ChainParams, Forks, Hash, SignDomain};
use vigil_testkit::vectors::{json, unhex};
use vigil_trie::{NoNodes, ScalarHasher, Trie};

/// Scenarios that are replayed.
const IN_SCOPE: [&str; 3] = ["send", "stake", "coinbase"];
/// Scenarios of transaction types that do not exist yet (`docs/decisions/0002-state-transition-exceptions.md`).
const OUT_OF_SCOPE: [&str; 2] = ["reserve_service_payment_release", "split_rule_expiry_sweep"];

/// A step where we answer otherwise than the reference, and how the replay goes on.
struct Exception {
    scenario: &'static str,
    label: &'static str,
    code: u32,
    then: Then,
}

enum Then {
    /// Our answer is compared, then the step is applied with the reference's verdict on the proof of possession.
    AssumePop,
    /// The state stays as it was.
    Stay,
}

/// The closed list; each is explained in `docs/decisions/0002-state-transition-exceptions.md`.
const EXCEPTIONS: [Exception; 4] = [
    Exception { scenario: "stake", label: "guardian_ok", code: 100_000, then: Then::AssumePop },
    Exception { scenario: "stake", label: "een_ok", code: 100_000, then: Then::AssumePop },
    Exception {
        scenario: "coinbase",
        label: "ok_no_outputs_block_height_field_is_parent_height",
        code: 100_000,
        then: Then::Stay,
    },
    Exception { scenario: "coinbase", label: "checkpoint_no_votes_ok", code: 100_000, then: Then::Stay },
];

#[test]
fn state_transition() {
    let Some(file) = json("ledger/state_transition.json") else { return };
    let scenarios = file["vectors"].as_array().expect("a list");
    let names: Vec<&str> = scenarios.iter().map(|s| text(&s["name"])).collect();
    for listed in IN_SCOPE.iter().chain(&OUT_OF_SCOPE) {
        assert!(names.contains(listed), "the vectors have no scenario {listed}");
    }
    for exception in &EXCEPTIONS {
        let scenario = scenarios.iter().find(|s| s["name"] == exception.scenario).expect("listed");
        let found = scenario["steps"].as_array().expect("a list").iter().any(|s| s["label"] == exception.label);
        assert!(found, "{} has no step {}", exception.scenario, exception.label);
    }
    let mut steps = 0;
    for scenario in scenarios {
        let name = text(&scenario["name"]);
        assert!(IN_SCOPE.contains(&name) || OUT_OF_SCOPE.contains(&name), "scenario {name} is in no list");
        if IN_SCOPE.contains(&name) {
            steps += Replay::new(scenario).run(scenario);
        }
    }
    assert_eq!(steps, 56, "steps compared");
}

/// One scenario.
struct Replay<'a> {
    name: &'a str,
    params: ChainParams,
    view: View,
    root: Hash,
}

impl<'a> Replay<'a> {
    fn new(scenario: &'a Value) -> Self {
        let state = state_of(&scenario["initial_state"]);
        let root = state.root();
        assert_eq!(root, hash(&scenario["initial_root"]), "initial root");
        let mut view = View::new(state, scenario["initial_parent_height"].as_u64().expect("a height"));
        view.proposer = Some(a1());
        let params =
            ChainParams { chain_id: text(&scenario["chain_id"]).into(), forks: mainnet(), ..Default::default() };
        Self { name: text(&scenario["name"]), params, view, root }
    }

    fn run(mut self, scenario: &Value) -> usize {
        let steps = scenario["steps"].as_array().expect("a list");
        let mut matched = true;
        for step in steps {
            let label = text(&step["label"]);
            match label {
                "advance" => self.advance(step["new_parent_height"].as_u64().expect("a height")),
                "delayed_state_updates" => return_stakes(&mut self.view, &self.params).expect("returns"),
                _ => matched = self.transaction(label, step),
            }
            let root = self.flush();
            if matched {
                assert_eq!(root, hash(&step["root_after"]), "{} {label}: root", self.name);
            } else {
                assert_eq!(root, self.root, "{} {label}: the state must stay", self.name);
            }
            self.root = root;
        }
        if matched {
            assert_eq!(self.root, hash(&scenario["final_root"]), "{}: final root", self.name);
        }
        steps.len()
    }

    /// Applies a transaction; true if the state must now be the reference's.
    fn transaction(&mut self, label: &str, step: &Value) -> bool {
        let domain = TxDomain { chain_id: self.params.chain_id.clone(), forks: self.params.forks.clone() };
        let verified = verify_tx(&domain, unhex(text(&step["raw_tx"])).into()).expect("a transaction");
        assert_eq!(verified.hash(), hash(&step["tx_hash"]), "{} {label}: hash", self.name);
        let (params, height) = (self.params.clone(), self.view.height());
        let expected = step["result_code"].as_u64().expect("a code") as u32;
        let exception = EXCEPTIONS.iter().find(|e| e.scenario == self.name && e.label == label);
        let domain = SignDomain { chain_id: params.chain_id.clone(), genesis_hash: Hash::ZERO };
        let proofs = ScalarProofs::new(domain, &params);
        let context = Context::new(&params, &proofs, &verified, height);
        let header = BlockHeader { height, ..BlockHeader::default() };
        let contracts = Contracts::new(&params, &header, &NoAncestors);
        let runner = Runner::Block(&contracts);
        let got = code(apply(&mut self.view, runner, &context));
        let Some(exception) = exception else {
            assert_eq!(got, expected, "{} {label}: result code", self.name);
            return true;
        };
        assert_eq!(got, exception.code, "{} {label}: our result code", self.name);
        assert_eq!(self.flush(), self.root, "{} {label}: a refusal leaves nothing", self.name);
        match exception.then {
            Then::AssumePop => {
                assert_eq!(
                    code(apply(&mut self.view, runner, &context.assume_pop_valid())),
                    expected,
                    "{} {label}: assumed",
                    self.name
                );
                true
            }
            Then::Stay => false,
        }
    }

    fn advance(&mut self, parent_height: u64) {
        self.flush();
        let state = self.view.state().clone();
        self.view = View::new(state, parent_height);
        self.view.proposer = Some(a1());
    }

    fn flush(&mut self) -> Hash {
        self.view.flush(&ScalarHasher).expect("commit").root
    }
}

/// `vectors/ledger/genesis.json`: the full states of the small files have the listed roots.
#[test]
fn genesis_roots() {
    let Some(file) = json("ledger/genesis.json") else { return };
    let vectors = file["vectors"].as_array().expect("a list");
    let full: Vec<_> = vectors.iter().filter(|v| v["state"].is_array()).collect();
    assert_eq!(full.len(), 2, "files with a full state");
    for vector in full {
        assert_eq!(state_of(&vector["state"]).root(), hash(&vector["state_root"]), "{}", vector["file"]);
    }
}

pub(super) fn state_of(entries: &Value) -> State {
    let mut trie = Trie::empty();
    for entry in entries.as_array().expect("a list") {
        trie.insert(&NoNodes, &unhex(text(&entry["key"])), unhex(text(&entry["value"]))).expect("in memory");
    }
    let commit = trie.commit(&ScalarHasher);
    let nodes: std::collections::HashMap<_, _> = commit.nodes.into_iter().collect();
    State::open(commit.root, Arc::new(nodes))
}

pub(super) fn code(result: Result<(), ApplyError>) -> u32 {
    match result {
        Ok(()) => 0,
        Err(ApplyError::Refused(error)) => error.code,
        Err(ApplyError::State(error)) => panic!("{error}"),
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

pub(super) fn hash(value: &Value) -> Hash {
    Hash::from_slice(&unhex(text(value)))
}

/// Address of the key `11..11`: the validator of the scenario `coinbase`.
fn a1() -> Address {
    vigil_crypto::SecretKey::from_bytes(&[0x11; 32]).expect("a key").address()
}

/// Fork heights of main net (`spec/ledger.md` §8).
pub(super) fn mainnet() -> Forks {
    Forks {
        validator_reward: 4_164_982,
        theta2: 5_877_350,
        guardian_minimum_1000: 8_411_427,
        smart_contract: 8_411_427,
        sample_staking_reward: 9_497_418,
        june_2021_fee_adjustment: 10_709_540,
        theta3: 10_968_061,
        rpc_compatibility: 11_354_820,
        tx_wrapper_extension: 12_749_952,
        theta_in_smart_contract: 13_123_789,
        validator_minimum_200k: 14_526_120,
        wrapped_theta: 17_285_755,
        metachain: 17_790_756,
    }
}
