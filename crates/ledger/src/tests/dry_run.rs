//! Runs of contracts that are not kept: where they are bounded.

use super::actors::{Chain, address, params};
use crate::{DRY_RUN_MEMORY_MAX, DryRun, NoAncestors, dry_run};
use std::sync::atomic::AtomicBool;
use vigil_primitives::{BlockHeader, Bytes, ChainParams, SmartContract, TxInput, TxOutput, U256};

/// Runs creation code under `rules` in block 1 of a fresh chain.
fn run(rules: &ChainParams, code: Vec<u8>, gas_limit: u64, stop: bool) -> Result<DryRun, String> {
    let chain = Chain::new(params(), 1);
    let (from, to) = (TxInput { address: address(1), ..TxInput::default() }, TxOutput::default());
    let tx = SmartContract { from, to, gas_limit, gas_price: U256::ZERO, data: Bytes::from(code) };
    let header = BlockHeader { height: 1, ..BlockHeader::default() };
    let state = chain.head.state.clone();
    let run = dry_run(rules, state, &header, &NoAncestors, &tx.call(), &AtomicBool::new(stop));
    run.map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

/// Code that writes the last byte of a memory of so many bytes.
fn memory_of(bytes: u64) -> Vec<u8> {
    let last = u32::try_from(bytes - 1).expect("four bytes").to_be_bytes();
    [&[0x60, 1, 0x63][..], &last, &[0x53]].concat() // PUSH1 1, PUSH4 last, MSTORE8
}

#[test]
fn memory_is_bounded_whatever_gas_pays_for() {
    let params = ChainParams { tx_gas_max: u64::MAX / 2, ..params() };
    let error = |bytes| run(&params, memory_of(bytes), 1 << 40, false).expect("runs").error;
    assert_eq!(error(DRY_RUN_MEMORY_MAX - 32), "");
    assert_eq!(error(DRY_RUN_MEMORY_MAX), "");
    assert_eq!(error(DRY_RUN_MEMORY_MAX + 32), "out of gas: more memory than a call may use");
}

#[test]
fn contracts_begin_at_their_height() {
    let mut params = params();
    params.forks.smart_contract = 1;
    assert_eq!(run(&params, vec![0], 100_000, false).expect("runs").error, "");
    params.forks.smart_contract = 2;
    let text = "Smart contract feature not enabled until block height 2.";
    assert_eq!(run(&params, vec![0], 100_000, false), Err(text.to_owned()));
}

#[test]
fn a_run_ends_when_it_is_told_to() {
    let endless = vec![0x5b, 0x60, 0, 0x56];
    let params = ChainParams { tx_gas_max: u64::MAX / 2, ..params() };
    let why = run(&params, endless, u64::MAX / 2, true).expect_err("stopped");
    assert!(why.contains("took too long"), "{why}");
}
