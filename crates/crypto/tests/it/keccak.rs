//! Keccak-256 against the Keccak team's known answers. (The permutation's intermediate values need the state, which this
//! API does not show.)

use vigil_primitives::keccak256;
use vigil_testkit::vectors::{self, array, hex_at, string, unhex};

#[test]
fn known_answers() {
    let mut checked = 0;
    for file in ["ShortMsgKAT_256.txt", "LongMsgKAT_256.txt"] {
        let Some(text) = vectors::text(&format!("keccak/{file}")) else { return };
        let mut bits = 0;
        let mut message = Vec::new();
        for line in text.lines() {
            match line.split_once(" = ") {
                Some(("Len", n)) => bits = n.trim().parse::<usize>().unwrap(),
                Some(("Msg", hex)) => message = unhex(hex.trim()),
                Some(("MD", hex)) if bits % 8 == 0 => {
                    message.truncate(bits / 8);
                    assert_eq!(keccak256(&message).to_vec(), unhex(hex.trim()), "{file}: {bits} bits");
                    checked += 1;
                }
                _ => {}
            }
        }
    }
    assert!(checked > 150, "only {checked} byte-aligned cases found");
}

#[test]
fn ethers_and_reference_hashes() {
    let Some(file) = vectors::json("ethers-signed-tx/hashes.json") else { return };
    for case in file.as_array().unwrap() {
        assert_eq!(keccak256(hex_at(case, "data")).to_vec(), hex_at(case, "keccak256"), "{}", case["name"]);
    }
    let Some(file) = vectors::json("ledger/crypto.json") else { return };
    for case in array(&file, "keccak256") {
        assert_eq!(keccak256(string(case, "message_text")).to_vec(), hex_at(case, "hash"));
    }
}
