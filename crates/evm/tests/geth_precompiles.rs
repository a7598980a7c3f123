//! `vectors/geth-precompiles`: every case called by a contract in a transaction of the machine.
//!
//! A case that works is called with exactly its gas, and with one unit less, which must fail. One that must fail is given
//! much gas, and must take all of it.

use serde_json::Value;
use std::collections::BTreeSet;
use std::convert::Infallible;
use vigil_evm::{BlockContext, Code, EvmAccount, Fees, Fork, Machine, Message, Rules, StakeOp, World};
use vigil_primitives::{Address, Bytes, EMPTY_CODE_HASH, Hash, Height, U256, keccak256};
use vigil_testkit::vectors::{dir, unhex};

/// Files, the precompile's address, the first fork with the prices that the file has.
const FILES: [(&str, u8, &str); 15] = [
    ("modexp", 5, "byzantium"),
    ("modexp_eip2565", 5, "berlin"),
    ("bn256Add", 6, "istanbul"),
    ("bn256ScalarMul", 7, "istanbul"),
    ("bn256Pairing", 8, "istanbul"),
    ("blake2F", 9, "istanbul"),
    ("blsG1Add", 0x0b, "prague"),
    ("blsG1Mul", 0x0c, "prague"),
    ("blsG1MultiExp", 0x0c, "prague"),
    ("blsG2Add", 0x0d, "prague"),
    ("blsG2Mul", 0x0e, "prague"),
    ("blsG2MultiExp", 0x0e, "prague"),
    ("blsPairing", 0x0f, "prague"),
    ("blsMapG1", 0x10, "prague"),
    ("blsMapG2", 0x11, "prague"),
];
/// Files of inputs that must fail.
const FAILING: [(&str, u8, &str); 10] = [
    ("fail-blake2f", 9, "istanbul"),
    ("fail-blsG1Add", 0x0b, "prague"),
    ("fail-blsG1Mul", 0x0c, "prague"),
    ("fail-blsG1MultiExp", 0x0c, "prague"),
    ("fail-blsG2Add", 0x0d, "prague"),
    ("fail-blsG2Mul", 0x0e, "prague"),
    ("fail-blsG2MultiExp", 0x0e, "prague"),
    ("fail-blsPairing", 0x0f, "prague"),
    ("fail-blsMapG1", 0x10, "prague"),
    ("fail-blsMapG2", 0x11, "prague"),
];
const MUCH_GAS: u64 = 10_000_000;

#[test]
fn cases_that_work() {
    let Some(root) = dir() else { return };
    let (mut cases, mut wrong) = (0, Vec::new());
    for (file, precompile, fork) in FILES {
        for case in read(&root, file) {
            let (input, gas) = (unhex(text(&case["Input"])), case["Gas"].as_u64().expect("gas"));
            let name = format!("{file} {}", text(&case["Name"]));
            cases += 1;
            let exact = call(precompile, fork, gas, &input);
            if (exact.success, &exact.output) != (true, &unhex(text(&case["Expected"]))) {
                wrong.push(format!("{name}: {} of {} bytes", exact.success, exact.output.len()));
            }
            if gas > 0 && call(precompile, fork, gas - 1, &input).success {
                wrong.push(format!("{name}: it costs less than {gas}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 649);
}

#[test]
fn cases_that_fail() {
    let Some(root) = dir() else { return };
    let mut cases = 0;
    for (file, precompile, fork) in FAILING {
        for case in read(&root, file) {
            let got = call(precompile, fork, MUCH_GAS, &unhex(text(&case["Input"])));
            cases += 1;
            assert!(!got.success && got.output.is_empty(), "{file} {}", case["Name"]);
            assert!(got.gas >= MUCH_GAS, "{file} {}: it took {}", case["Name"], got.gas);
        }
    }
    assert_eq!(cases, 40);
}

/// The lists above and the folder agree.
#[test]
fn every_file_is_run() {
    let Some(root) = dir() else { return };
    let files = std::fs::read_dir(root.join("geth-precompiles")).expect("readable");
    let names = files.map(|file| file.expect("readable").file_name().into_string().expect("text"));
    let found: BTreeSet<String> = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    let listed = FILES.iter().chain(&FAILING).map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(found, listed);
}

/// A precompile is a plain account before its fork.
#[test]
fn none_before_its_fork() {
    for (precompile, before) in [(5u8, "spurious_dragon"), (9, "petersburg"), (0x0b, "cancun"), (0x11, "cancun")] {
        // The caller has STATICCALL since Byzantium; before, it fails as a whole.
        let got = (before != "spurious_dragon").then(|| call(precompile, before, MUCH_GAS, &[0; 300]));
        assert!(got.is_none_or(|got| got.success && got.output.is_empty() && got.gas < 10_000), "{precompile}");
    }
}

fn read(root: &std::path::Path, file: &str) -> Vec<Value> {
    let path = root.join("geth-precompiles").join(format!("{file}.json"));
    serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

struct Answer {
    success: bool,
    /// What the call took, with a little for the call itself.
    gas: u64,
    output: Vec<u8>,
}

/// Calls a precompile from a contract.
fn call(precompile: u8, fork: &str, gas: u64, input: &[u8]) -> Answer {
    let fork = Fork::from_name(fork).expect("known");
    let rules =
        Rules { fork, chain_number: U256::from(1), tx_gas_max: u64::MAX, fees: Fees::Burned, stake_token: true };
    let block = BlockContext { height: 1, gas_max: u64::MAX, ..BlockContext::default() };
    let data = [&U256::from(gas).to_be_bytes::<32>(), input].concat();
    let message = Message { to: Some(CALLER), data: data.into(), gas_limit: 1_000_000_000, ..Message::default() };
    let mut world = Caller(Code::new(caller(precompile)));
    let executed = Machine::new(rules, &block).run(&mut world, message).expect("valid");
    assert!(executed.status.is_success(), "{:?}", executed.status);
    let word = |at: usize| U256::from_be_slice(&executed.output[at..at + 32]);
    Answer { success: word(0) == U256::from(1), gas: word(32).to(), output: executed.output[64..].to_vec() }
}

const CALLER: Address = Address::repeat_byte(0xca);

/// Calls the precompile with the gas in the first word of its input and the rest as input. Gives success, gas taken, and
/// what was returned.
fn caller(precompile: u8) -> Bytes {
    #[rustfmt::skip]
    let code = [
        0x60, 32, 0x36, 0x03,                         // n = CALLDATASIZE - 32
        0x80, 0x60, 32, 0x60, 0, 0x37,                // CALLDATACOPY(0, 32, n)
        0x5a,                                         // GAS
        0x60, 0, 0x60, 0, 0x83, 0x60, 0, 0x60, precompile, 0x60, 0, 0x35, 0xfa, // STATICCALL
        0x5a, 0x91, 0x90,                             // GAS; n after before ok
        0x60, 0, 0x52,                                // MSTORE(0, ok)
        0x03, 0x60, 32, 0x52,                         // MSTORE(32, before - after)
        0x3d, 0x60, 0, 0x60, 64, 0x3e,                // RETURNDATACOPY(64, 0, RETURNDATASIZE)
        0x3d, 0x60, 64, 0x01, 0x60, 0, 0xf3,          // RETURN(0, 64 + RETURNDATASIZE)
    ];
    code.to_vec().into()
}

/// A world of one contract.
struct Caller(Code);

impl World for Caller {
    type Error = Infallible;

    fn account(&mut self, address: &Address) -> Result<Option<EvmAccount>, Infallible> {
        let code_hash = if *address == CALLER { keccak256(self.0.bytes()) } else { EMPTY_CODE_HASH };
        Ok(Some(EvmAccount { balance: U256::ZERO, nonce: 0, code_hash }))
    }

    fn code(&mut self, _only_one: &Hash) -> Result<Code, Infallible> {
        Ok(self.0.clone())
    }

    fn slot(&mut self, _: &Address, _: &U256) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn block_hash(&mut self, _: Height) -> Result<Hash, Infallible> {
        Ok(Hash::ZERO)
    }

    fn stake_token(&mut self, _: &Address) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn staked(&mut self, _: &Address) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn is_registered(&mut self, _: &StakeOp) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn stake(&mut self, _: &StakeOp) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn unstake(&mut self) {}
}
