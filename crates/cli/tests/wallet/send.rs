//! `vigil tx`: byte for byte what theta-js makes of the same input.

use crate::node::Node;
use crate::{Home, secret};
use serde_json::{Value, json};
use vigil_testkit::vectors;

const KEY: &str = "93a90ea508331dfdf27fb79757d4250b4e84954927ba0073cd67454ac432c737";
const ADDRESS: &str = "2E833968E5bB786Ae419c4d13189fB081Cc43bab";
const OTHER: &str = "9F1233798E905E173560071255140b4A8aBd3Ec6";

fn node() -> Node {
    Node::new(|method, _| match method {
        "theta.BroadcastRawTransaction" => Ok(json!({"hash": "0xab", "block": {"Height": 5, "ChainID": "privatenet"}})),
        "theta.BroadcastRawTransactionAsync" => Ok(json!({"hash": "0xab"})),
        "theta.GetAccount" => Ok(json!({"sequence": "41"})),
        other => Err(json!({"code": -32601, "message": other})),
    })
}

/// Cases of a theta-js vector file that `flags` can express, each sent and compared; `price`: the flag of its gas price.
fn compare(file: &str, price: &str, flags: impl Fn(&Value) -> Option<Vec<String>>) -> usize {
    let Some(vectors) = vectors::json(&format!("theta-js/{file}.json")) else { return 0 };
    let (node, home) = (node(), Home::new());
    let mut compared = 0;
    for case in vectors["cases"].as_array().expect("cases") {
        let input = &case["input"];
        let Some(mut args) = flags(input) else { continue };
        let key = secret(case["private_key"].as_str().expect("a key"));
        if !home.keys().join(&key.address().to_checksum(None)[2..]).exists() {
            home.add(&key);
        }
        args.push(format!("--chain={}", case["chain_id"].as_str().expect("a chain")));
        args.push(format!("--seq={}", input["sequence"]));
        args.push("--password=pw".into());
        args.extend(input["gasPrice"].as_str().map(|wei| format!("--{price}={wei}wei")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = home.vigil_at(&node.url, &args, "");
        assert_eq!(ended.code, 0, "{}: {ended:?}", case["name"]);
        let want = json!([{"tx_bytes": case["signed_tx"]}]);
        assert_eq!(node.asked(), [("theta.BroadcastRawTransaction".to_owned(), want)], "{}", case["name"]);
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} cases of {file} were compared");
    compared
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn sends() {
    compare("send", "fee", |input| {
        let [output] = input["outputs"].as_array().expect("outputs").as_slice() else { return None };
        let amount = |key: &str| format!("--{}={}wei", &key[..5], text(&output[key]));
        let mut args = vec!["tx".into(), "send".into(), amount("thetaWei"), amount("tfuelWei")];
        args.extend([format!("--from={}", text(&input["from"])), format!("--to={}", text(&output["address"]))]);
        Some(args)
    });
}

#[test]
fn deposits() {
    compare("deposit_stake_v2", "fee", |input| {
        let holder = text(&input["holderSummary"]);
        let purpose = &input["purpose"];
        // thetacli checks the closing hash of an edge node's summary, the package does not; made-up ones are left out.
        let digits = holder.trim_start_matches("0x");
        if *purpose == 2 {
            let hash = vigil_primitives::keccak256(format!("0x{}", &digits[..458]));
            if hex::encode(hash) != digits[458..].to_lowercase() {
                return None;
            }
        }
        Some(vec![
            "tx".into(),
            "deposit".into(),
            format!("--source={}", text(&input["source"])),
            format!("--holder={holder}"),
            format!("--purpose={purpose}"),
            format!("--stake={}wei", text(&input["amount"])),
        ])
    });
}

#[test]
fn withdrawals() {
    compare("withdraw_stake", "fee", |input| {
        Some(vec![
            "tx".into(),
            "withdraw".into(),
            format!("--source={}", text(&input["source"])),
            format!("--holder={}", text(&input["holder"])),
            format!("--purpose={}", input["purpose"]),
        ])
    });
}

#[test]
fn reward_distributions() {
    compare("stake_reward_distribution", "fee", |input| {
        Some(vec![
            "tx".into(),
            "distribute_staking_reward".into(),
            format!("--holder={}", text(&input["holder"])),
            format!("--beneficiary={}", text(&input["beneficiary"])),
            format!("--split_basis_point={}", input["splitBasisPoint"]),
        ])
    });
}

/// Flags of a contract transaction, but for value and price, if `vigil` has flags for all of it.
fn contract_flags(command: &str, input: &Value) -> Option<Vec<String>> {
    if input.get("thetaValue").is_some() {
        return None;
    }
    let gas_limit = input.get("gasLimit").map_or("10000000".into(), Value::to_string);
    let mut args = vec![command.into(), "smart_contract".into(), format!("--from={}", text(&input["from"]))];
    args.extend(input["to"].as_str().map(|to| format!("--to={to}")));
    args.extend([format!("--gas_limit={gas_limit}"), format!("--data={}", text(&input["data"]))]);
    Some(args)
}

#[test]
fn contract_transactions() {
    compare("smart_contract", "gas_price", |input| {
        let mut args = contract_flags("tx", input)?;
        args.extend(input["value"].as_str().map(|wei| format!("--value={wei}wei")));
        Some(args)
    });
}

/// What is run is what would be signed; no wallet is opened.
#[test]
fn runs_of_contract_transactions() {
    let Some(vectors) = vectors::json("theta-js/smart_contract.json") else { return };
    let answer = json!({"vm_return": "09", "contract_address": "0x11", "gas_used": "7", "vm_error": ""});
    let told = answer.clone();
    let (node, home) = (Node::new(move |_, _| Ok(told.clone())), Home::new());
    let printed = "{\n    \"contract_address\": \"0x11\",\n    \"gas_used\": \"7\",\n    \"vm_error\": \"\",\n    \"vm_return\": \"09\"\n}\n";
    let mut compared = 0;
    for case in vectors["cases"].as_array().expect("cases") {
        let input = &case["input"];
        let Some(mut args) = contract_flags("call", input) else { continue };
        args.extend(input["value"].as_str().map(|wei| format!("--value={wei}")));
        args.extend(input["gasPrice"].as_str().map(|wei| format!("--gas_price={wei}wei")));
        args.push(format!("--seq={}", input["sequence"]));
        args.extend(["--chain=ignored".into(), "--verbose".into()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = home.vigil_at(&node.url, &args, "");
        let unsigned = text(&case["unsigned_tx"]);
        assert_eq!((ended.code, ended.stdout), (0, format!("Encoded Tx: {unsigned}\n{printed}")), "{}", case["name"]);
        let asked = json!([{"sctx_bytes": unsigned}]);
        assert_eq!(node.asked(), [("theta.CallSmartContract".to_owned(), asked)], "{}", case["name"]);
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} cases were compared");
    let args = ["call", "smart_contract", &format!("--from={ADDRESS}"), "--gas_limit=7", "--verbose", "--json"];
    let ended = home.vigil_at(&node.url, &args, "");
    assert_eq!(ended.stdout, printed, "JSON only");
    assert!(ended.stderr.starts_with("Encoded Tx: 07"), "{}", ended.stderr);
    assert!(!home.keys().exists(), "no wallet was made");
}

#[test]
fn a_run_is_not_asked_for_after_a_mistake() {
    let (node, home) = (node(), Home::new());
    let from = format!("--from={ADDRESS}");
    let zero = format!("--to=0x{}", "0".repeat(40));
    for (args, says) in [
        (vec!["--gas_limit=1"], "--from"),
        (vec![from.as_str()], "--gas_limit"),
        (vec![&from, "--gas_limit=-1"], "--gas_limit"),
        (vec![&from, "--gas_limit=18446744073709551616"], "--gas_limit"),
        (vec![&from, "--gas_limit=1", "--value=0.5"], "a whole number of wei"),
        (vec![&from, "--gas_limit=1", "--value=5wei"], "a whole number of wei"),
        (vec![&from, "--gas_limit=1", "--value=-5"], "a whole number of wei"),
        (vec![&from, "--gas_limit=1", "--value="], "a whole number of wei"),
        (vec![&from, "--gas_limit=1", "--gas_price=cheap"], "no amount"),
        (vec![&from, "--gas_limit=1", "--data=608"], "two a byte"),
        (vec![&from, "--gas_limit=1", "--data=60zz"], "hex digits"),
        (vec![&from, "--gas_limit=1", "--to=5c31"], "40 hex digits"),
        (vec![&from, "--gas_limit=1", &zero], "leave --to away"),
    ] {
        let ended = home.vigil_at(&node.url, &[&["call", "smart_contract"], args.as_slice()].concat(), "");
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
        assert_eq!(node.asked(), [], "{args:?}");
    }
    let fee = [&["tx", "smart_contract", "--chain=x", "--gas_limit=1", "--fee=1"], &[from.as_str()][..]].concat();
    assert_eq!(home.vigil_at(&node.url, &fee, "").code, 2, "gas is the fee");
}

#[test]
fn success_reads_as_thetaclis() {
    let (node, home) = (node(), Home::new());
    home.add(&secret(KEY));
    let (from, to) = (format!("--from={ADDRESS}"), format!("--to=0x{OTHER}"));
    let send = ["tx", "send", "--chain=privatenet", &from, &to, "--theta=10", "--tfuel=20", "--seq=1"];
    let json = "{\n    \"hash\": \"0xab\",\n    \"block\": {\n        \"ChainID\": \"privatenet\",\n        \"Height\": 5\n    }\n}\n";
    let ended = home.vigil_at(&node.url, &send, "pw\n");
    assert_eq!((ended.code, ended.stdout), (0, format!("Successfully broadcasted transaction:\n{json}")));
    let ended = home.vigil_at(&node.url, &[&send[..], &["--json"]].concat(), "pw\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, json));
    node.asked();
    for asynchronous in ["--async", "--async=true"] {
        let ended = home.vigil_at(&node.url, &[&send[..], &[asynchronous]].concat(), "pw\n");
        assert!(ended.stdout.ends_with("{\n    \"hash\": \"0xab\",\n    \"block\": null\n}\n"), "{ended:?}");
        assert_eq!(node.asked()[0].0, "theta.BroadcastRawTransactionAsync");
    }
    let (source, holder) = (format!("--source={ADDRESS}"), format!("--holder={OTHER}"));
    let deposit =
        ["tx", "deposit", "--chain=privatenet", &source, &holder, "--stake=200000", "--seq=1", "--password=pw"];
    let ended = home.vigil_at(&node.url, &deposit, "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "Successfully broadcasted transaction.\n"), "{ended:?}");
}

#[test]
fn the_sequence_is_asked_for_when_it_is_not_given() {
    let (node, home) = (node(), Home::new());
    home.add(&secret(KEY));
    let (from, to) = (format!("--from={ADDRESS}"), format!("--to={OTHER}"));
    let given = home.vigil_at(
        &node.url,
        &["tx", "send", "--chain=privatenet", &from, &to, "--theta=1", "--password=pw", "--seq=42"],
        "",
    );
    assert_eq!(given.code, 0, "{given:?}");
    let by_hand = node.asked();
    let asked = home.vigil_at(&node.url, &["tx", "send", "--chain=privatenet", &from, &to, "--theta=1"], "pw\n");
    assert_eq!(asked.code, 0, "{asked:?}");
    let calls = node.asked();
    assert_eq!(calls[0], ("theta.GetAccount".into(), json!([{"address": format!("0x{ADDRESS}"), "preview": true}])));
    assert_eq!(calls[1..], by_hand);
}

#[test]
fn nothing_is_sent_after_a_mistake() {
    let (node, home) = (node(), Home::new());
    home.add(&secret(KEY));
    let (from, to, stranger) = (format!("--from={ADDRESS}"), format!("--to={OTHER}"), format!("--from={OTHER}"));
    let (same, source) = (format!("--to={ADDRESS}"), format!("--source={ADDRESS}"));
    for (args, code, says) in [
        (vec!["send", &from, &to, "--theta=1", "--password=wrong"], 1, "Failed to unlock address 0x2E83"),
        (vec!["send", &stranger, "--to=11", "--password=pw"], 2, "40 hex digits"),
        (vec!["send", &stranger, &same, "--password=pw"], 1, "Failed to unlock address 0x9F12"),
        (vec!["send", &from, &same, "--password=pw"], 2, "The from and to address cannot be identical"),
        (vec!["send", &from, &to, "--theta=-1", "--password=pw"], 2, "no amount"),
        (vec!["send", &from, &to, "--fee=x", "--password=pw"], 2, "no amount"),
        (vec!["send", &from, &to, "--wallet=nano"], 2, "nano"),
        (
            vec!["deposit", &source, "--holder=abcd", "--stake=1", "--purpose=1"],
            2,
            "Holder must be a valid guardian summary",
        ),
        (vec!["deposit", &source, "--holder=abcd", "--stake=1", "--purpose=3"], 2, "3"),
        (vec!["send", &from, &to, "--theta=1"], 1, "stdin ended"),
    ] {
        let args = [&["tx"], args.as_slice(), &["--chain=privatenet", "--seq=1"]].concat();
        let ended = home.vigil_at(&node.url, &args, "");
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{args:?}: {}", ended.stderr);
        assert_eq!(node.asked(), [], "{args:?}");
    }
}

#[test]
fn a_refusal_is_exit_code_1() {
    let node = Node::new(|_, _| {
        Err(json!({"code": -32000, "message": "ValidateInputAdvanced: Got 1, expected 2. (acc.seq=1)"}))
    });
    let home = Home::new();
    home.add(&secret(KEY));
    let (from, to) = (format!("--from={ADDRESS}"), format!("--to={OTHER}"));
    let ended = home.vigil_at(&node.url, &["tx", "send", "--chain=x", &from, &to, "--seq=1", "--password=pw"], "");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    let text = "Error: Server returned error: -32000:ValidateInputAdvanced: Got 1, expected 2. (acc.seq=1)\n";
    assert_eq!(ended.stderr, text);
}
