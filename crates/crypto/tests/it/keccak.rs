//! Keccak-256 against the Keccak team's known answers. (The permutation's intermediate values need the state, which this
//! API does not show.)

use vigil_primitives::keccak256;
use vigil_testkit::signatures::keccak_known_answers;
use vigil_testkit::vectors::{self, array, hex_at, string};

#[test]
fn known_answers() {
    let Some(answers) = keccak_known_answers() else { return };
    assert!(answers.len() > 150, "only {} byte-aligned cases found", answers.len());
    for case in answers {
        assert_eq!(keccak256(&case.message), case.digest, "{}", case.name);
    }
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
