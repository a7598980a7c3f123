//! The RLP rules, against foreign vectors: whatever breaks one of them is refused.

use alloy_primitives::U512;
use serde_json::Value;
use vigil_primitives::rlp::{self, Decodable, Encodable};
use vigil_primitives::{Bytes, U256};
use vigil_testkit::vectors::{self, string, unhex};

/// Any RLP item.
#[derive(Debug, PartialEq)]
enum Item {
    Bytes(Bytes),
    List(Vec<Item>),
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        match self {
            Self::Bytes(bytes) => bytes.encode(out),
            Self::List(items) => items.encode(out),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.length(),
            Self::List(items) => items.length(),
        }
    }
}

impl Decodable for Item {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        if buf.first().is_some_and(|b| *b >= 0xc0) {
            Vec::<Self>::decode(buf).map(Self::List)
        } else {
            Bytes::decode(buf).map(Self::Bytes)
        }
    }
}

/// Ethereum's notation: text, numbers, `#` and a large number, lists.
fn item(value: &Value) -> Item {
    let number = |n: U512| Item::Bytes(n.to_be_bytes_trimmed_vec().into());
    match value {
        Value::Array(items) => Item::List(items.iter().map(item).collect()),
        Value::Number(n) => number(U512::from(n.as_u64().unwrap())),
        Value::String(text) => match text.strip_prefix('#') {
            Some(decimal) => number(decimal.parse().unwrap()),
            None => Item::Bytes(text.clone().into_bytes().into()),
        },
        other => panic!("no RLP item: {other}"),
    }
}

fn decode(bytes: &[u8]) -> Option<Item> {
    rlp::decode_exact("item", bytes, bytes.len()).ok()
}

#[test]
fn ethereum_vectors() {
    let Some(file) = vectors::json("ethereum-trie-rlp-basic/RLPTests/rlptest.json") else { return };
    for (name, case) in file.as_object().unwrap() {
        let (value, bytes) = (item(&case["in"]), unhex(string(case, "out")));
        assert_eq!(rlp::encode(&value), bytes, "{name}");
        assert_eq!(decode(&bytes), Some(value), "{name}");
    }
}

#[test]
fn ethereum_invalid_and_random_vectors() {
    for path in ["RLPTests/invalidRLPTest.json", "RLPTests/RandomRLPTests/example.json"] {
        let Some(file) = vectors::json(&format!("ethereum-trie-rlp-basic/{path}")) else { return };
        for (name, case) in file.as_object().unwrap() {
            let valid = decode(&unhex(string(case, "out"))).is_some();
            assert_eq!(valid, case["in"] == "VALID", "{name}");
        }
    }
}

#[test]
fn ethers_vectors() {
    fn hex_item(value: &Value) -> Item {
        match value {
            Value::Array(items) => Item::List(items.iter().map(hex_item).collect()),
            other => Item::Bytes(unhex(other.as_str().unwrap()).into()),
        }
    }
    let Some(file) = vectors::json("ethers-signed-tx/rlp.json") else { return };
    for case in file.as_array().unwrap() {
        let (value, bytes) = (hex_item(&case["decoded"]), unhex(string(case, "encoded")));
        assert_eq!(rlp::encode(&value), bytes, "{}", case["name"]);
        assert_eq!(decode(&bytes), Some(value), "{}", case["name"]);
    }
}

/// `spec/ledger.md` §1.1, rule by rule.
#[test]
fn strictness() {
    fn is<T: Decodable>(hex: &str) -> bool {
        rlp::decode_exact::<T>("value", &unhex(hex), 1_000).is_ok()
    }
    assert!(is::<u64>("80") && is::<u64>("7f") && is::<u64>("8180"));
    for bad in ["00", "8100", "8101", "817f", "820080", "89010000000000000000", "c0", "b800", ""] {
        assert!(!is::<u64>(bad), "{bad}");
    }
    assert!(is::<bool>("80") && is::<bool>("01") && !is::<bool>("02") && !is::<bool>("00"));
    assert!(is::<U256>("80") && !is::<U256>("00") && !is::<U256>("820001"));
    let digits = |n: usize| format!("{:02x}{}", 0x80 + n, "ff".repeat(n));
    assert!(is::<U256>(&digits(32)) && !is::<U256>(&digits(33)));
    let fixed = |n: usize| format!("{:02x}{}", 0x80 + n, "11".repeat(n));
    use vigil_primitives::{Address, Coins, Hash, Signature};
    assert!(is::<Address>(&fixed(20)) && !is::<Address>(&fixed(19)) && !is::<Address>(&fixed(21)));
    assert!(is::<Hash>(&fixed(32)) && !is::<Hash>(&fixed(31)) && !is::<Hash>(&fixed(33)));
    assert!(is::<Coins>("c28080") && !is::<Coins>("c180") && !is::<Coins>("c3808080"), "exact number of fields");
    assert!(is::<Signature>("80") && is::<Signature>("05") && is::<Signature>(&fixed(40)), "any length decodes");
    assert!(!is::<Signature>("8105") && !is::<Signature>("c0"));
    assert!(!is::<Bytes>("b838"), "announces more than there is");
}
