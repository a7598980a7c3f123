//! The requests of `vectors/execution-apis` as they are, before a node that has their answers: ours are the same but for
//! what is listed here. So fields, types, the digits of numbers and data, and error codes are those of Ethereum.

use super::running::Eth;
use super::vector_chain::{Pair, fill};
use serde_json::Value;
use vigil_rpc::ServerConfig;
use vigil_testkit::vectors;

/// Pairs that do not apply, the answer they get, and why.
const NOT_OURS: [(&str, i64, &str); 6] = [
    ("eth_getProof/get-account-proof-blockhash.io", -32601, "the state is another trie, with other proofs"),
    ("eth_getProof/get-account-proof-default-block.io", -32601, "the same"),
    ("eth_getProof/get-account-proof-latest.io", -32601, "the same"),
    ("eth_getProof/get-account-proof-with-storage.io", -32601, "the same"),
    ("eth_getTransactionByHash/get-setcode-tx.io", 0, "the chain has no transactions of type 4"),
    ("eth_getTransactionReceipt/get-blob-tx.io", 0, "nor of type 3"),
];

/// Fields that the chain has no use for: uncles and difficulty are of the past, blobs, withdrawals and the beacon chain of
/// another chain, and `root` of before Byzantium.
const ABSENT: [&str; 7] =
    ["blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash", "root", "withdrawals", "withdrawalsRoot"];

/// Fields that the blocks and receipts before some fork lack, and one that tools still ask for.
const ADDED: [&str; 3] = ["baseFeePerGas", "status", "totalDifficulty"];

/// Fields with other values: the base fee (with what is paid above it) and the gas limit never change, nothing is mined,
/// `mixHash` is the parent's hash.
const OTHER_VALUES: [&str; 5] = ["baseFeePerGas", "difficulty", "gasLimit", "mixHash", "reward"];

/// Fields with a number, in hex without leading zeros; all other hex text is data.
const QUANTITIES: [&str; 29] = [
    "baseFeePerBlobGas",
    "baseFeePerGas",
    "blockNumber",
    "blockTimestamp",
    "chainId",
    "cumulativeGasUsed",
    "difficulty",
    "effectiveGasPrice",
    "gas",
    "gasLimit",
    "gasPrice",
    "gasUsed",
    "logIndex",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "number",
    "oldestBlock",
    "r",
    "reward",
    "s",
    "size",
    "status",
    "timestamp",
    "totalDifficulty",
    "transactionIndex",
    "type",
    "v",
    "value",
    "yParity",
];

fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let folders = vectors::files("execution-apis").unwrap_or_default();
    for folder in folders.into_iter().filter(|path| path.is_dir()) {
        let folder = folder.file_name().expect("a name").to_string_lossy().into_owned();
        for file in vectors::files(&format!("execution-apis/{folder}")).unwrap_or_default() {
            let name = format!("{folder}/{}", file.file_name().expect("a name").to_string_lossy());
            let text = std::fs::read_to_string(&file).expect("text");
            let lines = |mark| text.lines().filter_map(move |line| line.strip_prefix(mark));
            let json = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
            for (request, answer) in lines(">> ").zip(lines("<< ")) {
                pairs.push(Pair { name: name.clone(), request: json(request), answer: json(answer) });
            }
        }
    }
    pairs
}

#[tokio::test]
async fn answers_are_ethereums() {
    let pairs = pairs();
    let mut names: Vec<_> = pairs.iter().map(|pair| pair.name.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        return;
    }
    assert_eq!(names.len(), 68);
    assert!(NOT_OURS.iter().all(|(name, ..)| names.contains(name)));
    let node = Eth::start(fill(&pairs), ServerConfig::default()).await;
    let mut compared = 0;
    for Pair { name, request, answer } in &pairs {
        let ours = node.post(&request.to_string()).await;
        assert_eq!(ours["id"], answer["id"]);
        let refused = NOT_OURS.iter().find(|(not_ours, ..)| not_ours == name);
        if let Some((_, code, _)) = refused {
            assert!(*code == 0 || ours["error"]["code"] == *code, "{name}: {ours}");
        } else if request["params"][0].get("authorizationList").is_some() {
            // estimate-with-eip7702.io, the second pair: there are no transactions of type 4.
            assert_eq!(ours["error"]["code"], -32602, "{name}: {ours}");
        } else {
            let method = request["method"].as_str().expect("a method");
            same(name, method, &answer["error"], &ours["error"]);
            same(name, method, &answer["result"], &ours["result"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 62);
}

/// `field`: where the values stand.
fn same(name: &str, field: &str, theirs: &Value, ours: &Value) {
    let at = || format!("{name}, {field}: {theirs} and {ours}");
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, value) in theirs {
                match ours.get(key) {
                    Some(our_value) => same(name, key, value, our_value),
                    None => assert!(ABSENT.contains(&key.as_str()), "{name}: {key} is missing"),
                }
            }
            for (key, value) in ours.iter().filter(|(key, _)| !theirs.contains_key(*key)) {
                assert!(ADDED.contains(&key.as_str()), "{name}: {key} is not Ethereum's");
                well_formed(name, key, value);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            assert_eq!(theirs.len(), ours.len(), "{}", at());
            theirs.iter().zip(ours).for_each(|(theirs, ours)| same(name, field, theirs, ours));
        }
        (Value::Number(theirs), Value::Number(ours)) => assert_eq!(theirs.as_f64(), ours.as_f64(), "{}", at()),
        _ if OTHER_VALUES.contains(&field) => {
            well_formed(name, field, theirs);
            well_formed(name, field, ours);
            let lengths = [theirs, ours].map(|value| value.as_str().map_or(0, str::len));
            assert!(QUANTITIES.contains(&field) || lengths[0] == lengths[1], "{}", at());
        }
        _ => {
            assert_eq!(theirs, ours, "{}", at());
            well_formed(name, field, ours);
        }
    }
}

fn well_formed(name: &str, field: &str, value: &Value) {
    let Some(digits) = value.as_str().and_then(|text| text.strip_prefix("0x")) else { return };
    let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let number = digits == "0" || !digits.is_empty() && !digits.starts_with('0');
    let data = digits.len() % 2 == 0;
    // A method's own name stands for its whole result.
    // A block's nonce is eight bytes, a transaction's a number.
    let good = match QUANTITIES.contains(&field) {
        true => number,
        false if field == "nonce" => number || digits.len() == 16,
        false if field.contains('_') => number || data,
        false => data,
    };
    assert!(lower && good, "{name}, {field}: {value}");
}
