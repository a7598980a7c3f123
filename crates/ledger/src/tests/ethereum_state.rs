//! `vectors/ethereum-state-tests`: Ethereum's own state tests, run through our view, trie and store of nodes.
//!
//! The rules are Ethereum's (fees to the coinbase, no stake token). The state after a test is read from the committed
//! nodes alone and put into a trie of Ethereum's form, whose root must be the recorded one.

use crate::contracts::{Ancestors, Contracts};
use crate::error::{ApplyError, StateError};
use crate::keys;
use crate::state::{State, decode};
use crate::tx::contract;
use crate::view::View;
use alloy_rlp::Encodable;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_crypto::SecretKey;
use vigil_evm::{Access, BlockContext, Fees, Fork, Message, Rules};
use vigil_primitives::{Account, Address, Bytes, ChainParams, Coins, Hash, Height, Receipt, U256, keccak256, rlp};
use vigil_testkit::vectors::{dir, long, unhex};
use vigil_trie::{EMPTY_ROOT, NoNodes, ScalarHasher, Trie};

/// Of the test files, one in so many is run in the short tier.
const SHARE: usize = 8;

/// Rules that revm does not know: EIP-1283 without its repeal, which no network ever ran
/// (`docs/decisions/0015-evm.md`).
const UNKNOWN_FORK: &str = "Constantinople";

/// Tests that begin with an account that has storage, but neither code nor nonce, where a contract is created then. No
/// chain has such an account, ours neither; what is to happen was unspecified until EIP-7610, which revm leaves to its
/// database (`docs/decisions/0015-evm.md`).
const STORAGE_WITHOUT_CODE: [&str; 5] = [
    "InitCollision",
    "RevertInCreateInInit_Paris",
    "RevertInCreateInInitCreate2",
    "RevertInCreateInInitCreate2Paris",
    "dynamicAccountOverwriteEmpty_Paris",
];

fn fork(name: &str) -> Option<&'static str> {
    Some(match name {
        "Frontier" => "frontier",
        "Homestead" => "homestead",
        "EIP150" => "tangerine",
        "EIP158" => "spurious_dragon",
        "Byzantium" => "byzantium",
        "ConstantinopleFix" => "petersburg",
        "Istanbul" => "istanbul",
        "Berlin" => "berlin",
        "London" => "london",
        "Paris" | "Merge" => "paris",
        "Shanghai" => "shanghai",
        "Cancun" => "cancun",
        "Prague" => "prague",
        "Osaka" => "osaka",
        UNKNOWN_FORK => return None,
        other => panic!("no such fork: {other}"),
    })
}

#[test]
fn state_tests() {
    let Some(root) = dir() else { return };
    let mut files = Vec::new();
    collect(&root.join("ethereum-state-tests"), &mut files);
    files.sort();
    assert!(files.len() > 1_000, "{} files", files.len());
    let step = if long() { 1 } else { SHARE };
    let (mut cases, mut unknown, mut failed, mut listed) = (0, 0, Vec::new(), BTreeSet::new());
    for file in files.iter().step_by(step) {
        let json: Value = serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
        for (name, test) in json.as_object().expect("an object") {
            for (fork_name, posts) in object(&test["post"]) {
                let posts = posts.as_array().expect("a list");
                let Some(fork) = fork(fork_name) else {
                    unknown += posts.len();
                    continue;
                };
                for (index, post) in posts.iter().enumerate() {
                    cases += 1;
                    let Err(why) = run(test, fork, post) else { continue };
                    if STORAGE_WITHOUT_CODE.contains(&name.as_str()) {
                        listed.insert(name.clone());
                    } else {
                        failed.push(format!("{} {name} {fork_name} {index}: {why}", short(file, &root)));
                    }
                }
            }
        }
    }
    if long() {
        let unused = STORAGE_WITHOUT_CODE.iter().filter(|name| !listed.contains(**name)).collect::<Vec<_>>();
        assert!(unused.is_empty(), "{unused:?} pass: take them off the list");
    }
    eprintln!("{cases} cases, {unknown} of a fork that revm does not know, {} failed", failed.len());
    assert!(failed.is_empty(), "{} of {cases} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(cases > 6_000 / step, "{cases} cases");
}

/// Hashes of the state tests' blocks: Keccak-256 of the decimal number.
pub(super) struct Numbers;

impl Ancestors for Numbers {
    fn hash_at(&self, _parent: &Hash, height: Height) -> Result<Option<Hash>, StateError> {
        Ok(Some(keccak256(height.to_string())))
    }
}

fn run(test: &Value, fork: &str, post: &Value) -> Result<(), String> {
    let fork = Fork::from_name(fork).expect("known");
    let mut nodes = HashMap::new();
    let before = pre_state(&test["pre"], &mut nodes);
    let block = block(&test["env"]);
    let rules =
        Rules { fork, chain_number: U256::from(1), tx_gas_max: u64::MAX, fees: Fees::ToProposer, stake_token: false };
    let parent = keccak256(block.height.saturating_sub(1).to_string());
    let contracts = Contracts::with(rules, block, parent, &Numbers);
    let mut view = View::new(State::open(before, Arc::new(nodes.clone())), block.height.saturating_sub(1));
    let refused = match message(&test["transaction"], &post["indexes"], fork) {
        None => true,
        Some(message) => {
            let params = ChainParams::default();
            match contract::run(&mut view, &contracts, &params, message, (Hash::ZERO, 0)) {
                Ok(()) => {
                    view.keep().expect("no overflow");
                    false
                }
                Err(ApplyError::Refused(_)) => {
                    view.discard();
                    true
                }
                Err(ApplyError::State(error)) => return Err(format!("{error:?}")),
            }
        }
    };
    let expected = post.get("expectException").is_some();
    if refused != expected {
        return Err(format!("refused: {refused}, should be {expected}"));
    }
    let receipts: Vec<Receipt> = view.take_receipts();
    let logs: Vec<_> = receipts.into_iter().flat_map(|receipt| receipt.logs).collect();
    let got = keccak256(rlp::encode(&logs));
    if got != hash(&post["logs"]) {
        return Err(format!("{} logs hash to {got}", logs.len()));
    }
    let (_, commit) = view.commit(&ScalarHasher).map_err(|error| error.to_string())?;
    nodes.extend(commit.nodes);
    let got = ethereum_root(&State::open(commit.root, Arc::new(nodes)));
    if got != hash(&post["hash"]) { Err(format!("root {got}")) } else { Ok(()) }
}

/// Writes the accounts of a test into a state of ours.
fn pre_state(pre: &Value, nodes: &mut HashMap<Hash, Bytes>) -> Hash {
    let mut view = View::new(State::open(EMPTY_ROOT, Arc::new(NoNodes)), 0);
    for (address, given) in object(pre) {
        let address: Address = address.parse().expect("an address");
        let code = Bytes::from(unhex(given["code"].as_str().expect("text")));
        let account = Account {
            sequence: number(&given["nonce"]).to(),
            balance: Coins::tfuel(number(&given["balance"])),
            code_hash: keccak256(&code),
            ..Account::new(address, 0)
        };
        view.set_account(account);
        if !code.is_empty() {
            view.set_raw(keys::code(&keccak256(&code)), code);
        }
        let slots = object(&given["storage"]).iter();
        let slots = slots.map(|(slot, value)| (number(&Value::from(slot.as_str())), number(value)));
        view.write_storage(address, true, slots.collect());
    }
    view.keep().expect("no overflow");
    let (_, commit) = view.commit(&ScalarHasher).expect("in memory");
    nodes.extend(commit.nodes);
    commit.root
}

fn block(env: &Value) -> BlockContext {
    BlockContext {
        height: number(&env["currentNumber"]).to(),
        timestamp: number(&env["currentTimestamp"]).to(),
        proposer: env["currentCoinbase"].as_str().expect("text").parse().expect("an address"),
        gas_max: number(&env["currentGasLimit"]).saturating_to(),
        base_fee: number(&env["currentBaseFee"]).to(),
        randomness: number(&env["currentRandom"]).into(),
        difficulty: number(&env["currentDifficulty"]),
        excess_blob_gas: number(&env["currentExcessBlobGas"]).to(),
    }
}

/// The transaction of a case. `None`: a field does not fit, so no node could decode it.
fn message(tx: &Value, indexes: &Value, fork: Fork) -> Option<Message> {
    let at = |list: &Value, index: &str| list[indexes[index].as_u64().expect("an index") as usize].clone();
    let key: [u8; 32] = unhex(tx["secretKey"].as_str().expect("text")).try_into().expect("32 bytes");
    let fee = if tx["maxFeePerGas"].is_null() { &tx["gasPrice"] } else { &tx["maxFeePerGas"] };
    let priority = &tx["maxPriorityFeePerGas"];
    let priority = if priority.is_null() { None } else { Some(number(priority).try_into().ok()?) };
    let access = tx["accessLists"].as_array().map(|_| at(&tx["accessLists"], "data")).filter(|list| !list.is_null());
    let blobs = tx["blobVersionedHashes"].as_array();
    // In tests of older forks the fields of newer ones stand beside: a transaction without them is meant.
    let typed = fork.includes("berlin");
    Some(Message {
        from: SecretKey::from_bytes(&key).expect("a key").address(),
        to: Some(tx["to"].as_str().expect("text"))
            .filter(|to| !to.is_empty())
            .map(|to| to.parse().expect("an address")),
        nonce: number(&tx["nonce"]).try_into().ok()?,
        value: value_number(&at(&tx["value"], "value"))?,
        stake_token: U256::ZERO,
        data: unhex(at(&tx["data"], "data").as_str().expect("text")).into(),
        gas_limit: number(&at(&tx["gasLimit"], "gas")).try_into().ok()?,
        max_fee_per_gas: number(fee).try_into().ok()?,
        max_priority_fee_per_gas: priority,
        access_list: access
            .filter(|_| typed)
            .map(|list| list.as_array().expect("a list").iter().map(access_item).collect()),
        blobs: blobs.map(|hashes| (hashes.iter().map(hash).collect(), number(&tx["maxFeePerBlobGas"]).to())),
    })
}

fn access_item(item: &Value) -> Access {
    let slots = item["storageKeys"].as_array().expect("a list").iter();
    let address = item["address"].as_str().expect("text").parse().expect("an address");
    Access { address, slots: slots.map(|slot| number(slot).into()).collect() }
}

/// The root that Ethereum gives a state of ours: keys hashed, accounts in its own encoding.
fn ethereum_root(state: &State) -> Hash {
    let mut trie = Trie::empty();
    for entry in state.scan(keys::ACCOUNT_PREFIX, &[]) {
        let (key, value) = entry.expect("its nodes are all there");
        let account: Account = decode(&key, &value).expect("an account");
        let mut encoded = Vec::new();
        let storage = ethereum_storage(state, account.storage_root);
        let payload: [&dyn Encodable; 4] = [&account.sequence, &account.balance.tfuel, &storage, &account.code_hash];
        alloy_rlp::Header { list: true, payload_length: payload.iter().map(|item| item.length()).sum() }
            .encode(&mut encoded);
        payload.iter().for_each(|item| item.encode(&mut encoded));
        trie.insert(&NoNodes, keccak256(account.address).as_slice(), encoded).expect("in memory");
    }
    trie.commit(&ScalarHasher).root
}

fn ethereum_storage(state: &State, root: Hash) -> Hash {
    if root.is_zero() {
        return EMPTY_ROOT;
    }
    let (_, reader) = state.trie();
    let mut hashed = Trie::empty();
    for entry in Trie::open(root).iter(&**reader, &[], &[]) {
        let (slot, value) = entry.expect("its nodes are all there");
        hashed.insert(&NoNodes, keccak256(slot).as_slice(), value).expect("in memory");
    }
    hashed.commit(&ScalarHasher).root
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => collect(&path, files),
            false if path.extension().is_some_and(|end| end == "json") => files.push(path),
            false => {}
        }
    }
}

fn short<'a>(file: &'a Path, root: &Path) -> std::path::Display<'a> {
    file.strip_prefix(root).unwrap_or(file).display()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

fn hash(value: &Value) -> Hash {
    Hash::from_slice(&unhex(value.as_str().expect("text")))
}

/// A hex number; 0 where there is none.
fn number(value: &Value) -> U256 {
    value_number(value).expect("at most 256 bits")
}

fn value_number(value: &Value) -> Option<U256> {
    let text = value.as_str().unwrap_or("0x0");
    let text = text.strip_prefix("0x:bigint ").unwrap_or(text);
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.is_empty() { Some(U256::ZERO) } else { U256::from_str_radix(digits, 16).ok() }
}
