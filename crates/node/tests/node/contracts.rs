//! Contracts on a real chain of one validator: runs, receipts, code and storage, and what Ethereum's wallets sign.

use super::{key, options, settled_above, start, until};
use std::sync::Arc;
use vigil_crypto::{import_eth, sign_tx};
use vigil_node::Node;
use vigil_primitives::{Address, Bytes, Hash, Height, Receipt, SmartContract, Tx, TxInput, TxOutput, U256, keccak256};
use vigil_rpc::{Backend, BlockInfo, Read, StateAt, TxPlace};
use vigil_store::MemoryStore;
use vigil_testkit::ethereum::EthTx;

const PRICE: u64 = 4_000_000_000_000;

/// Code that stores the word it is called with at slot 0, logs it under the topic 7 and answers it; without a word it reverts
/// with its caller's balance.
const STORE: &str =
    "36 15 6015 57 6000 35 80 6000 55 80 6000 52 6007 6020 6000 a1 6020 6000 f3 5b 33 31 6000 52 6020 6000 fd";

fn runtime() -> Vec<u8> {
    let code = hex(&STORE.replace(' ', ""));
    // The jump goes to the only 5b.
    let target = code.iter().position(|byte| *byte == 0x5b).expect("a target");
    [&code[..3], &[target as u8], &code[4..]].concat()
}

fn hex(text: &str) -> Vec<u8> {
    vigil_testkit::vectors::unhex(text)
}

/// Creation code: copies what follows it and returns it.
fn creation() -> Bytes {
    let runtime = runtime();
    let length = runtime.len() as u8;
    [&[0x60, length, 0x60, 12, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3], &runtime[..]].concat().into()
}

fn contract_tx(to: Option<Address>, data: Bytes, sequence: u64) -> SmartContract {
    SmartContract {
        from: TxInput { address: key(3).address(), sequence, ..TxInput::default() },
        to: TxOutput { address: to.unwrap_or_default(), ..TxOutput::default() },
        gas_limit: 200_000,
        gas_price: U256::from(PRICE),
        data,
    }
}

fn signed(tx: SmartContract) -> Bytes {
    let mut tx = Tx::SmartContract(tx);
    sign_tx("privatenet", &mut tx, 0, &key(3)).expect("slot 0");
    tx.to_raw().into()
}

fn word(n: u64) -> Bytes {
    Bytes::copy_from_slice(&U256::from(n).to_be_bytes::<32>())
}

/// The receipt of a settled transaction, by either hash, and the height of its block.
async fn receipt(node: &Node, hash: Hash) -> (Receipt, Height) {
    match node.backend().transaction(hash).await.expect("reads") {
        TxPlace::InBlock { receipt: Some(receipt), height, .. } => (*receipt, height),
        other => panic!("{other:?}"),
    }
}

async fn settled_block(node: &Node, height: Height) -> BlockInfo {
    node.backend().block_at(height, false).await.expect("reads").expect("settled")
}

async fn send(node: &Node, raw: Bytes) -> (Receipt, Height) {
    let (hash, _) = node.backend().broadcast_and_wait(raw).await.expect("settles");
    receipt(node, hash).await
}

async fn node(dir: &std::path::Path) -> Node {
    let genesis = super::genesis(&[2, 3], &[(2, 1)], |_| ());
    start(options(dir, genesis, 1, &[]), Arc::new(MemoryStore::default())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_is_tried_made_called_and_read_at_any_height() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = node(dir.path()).await;
    let backend = node.backend();
    let address = key(3).address().create(0);

    let tried = backend.run_contract(contract_tx(None, creation(), 77)).await.expect("runs");
    assert_eq!((tried.contract, tried.output.as_ref(), tried.error.as_str()), (address, &runtime()[..], ""));
    assert_eq!(backend.account(address, StateAt::Settled).await.expect("reads"), Read::Missing, "nothing is kept");
    let (made, made_at) = send(&node, signed(contract_tx(None, creation(), 1))).await;
    assert_eq!((made.contract, made.gas_used, made.created), (address, tried.gas_used, true));

    let (called, at) = send(&node, signed(contract_tx(Some(address), word(5), 2))).await;
    assert_eq!((called.contract, called.output.clone(), called.logs.len()), (address, word(5), 1));
    let (_, again_at) = send(&node, signed(contract_tx(Some(address), word(6), 3))).await;
    let stored = async |at| backend.storage(address, Hash::ZERO, at).await.expect("reads");
    for (height, value) in [(made_at, 0), (at, 5), (again_at, 6)] {
        assert_eq!(stored(StateAt::Height(height)).await, Read::Found(Hash::from(U256::from(value))), "{height}");
    }
    assert_eq!(stored(StateAt::Height(made_at - 1)).await, Read::Missing);
    assert_eq!(stored(StateAt::Height(1 << 40)).await, Read::NoBlock);
    assert_eq!(stored(StateAt::Settled).await, Read::Found(Hash::from(U256::from(6))));
    let code = async |at| backend.code(address, at).await.expect("reads");
    assert_eq!(code(StateAt::Settled).await, Read::Found(Bytes::from(runtime())));
    assert_eq!(code(StateAt::Height(made_at)).await, Read::Found(Bytes::from(runtime())));
    assert_eq!(code(StateAt::Height(made_at - 1)).await, Read::Missing);
    let plain = backend.code(key(3).address(), StateAt::Settled).await.expect("reads");
    assert_eq!(plain, Read::Found(Bytes::new()), "no contract");
    assert_eq!(settled_block(&node, at).await.receipts.as_ref(), [called]);
    settled_above(&node, again_at).await;
    assert!(settled_block(&node, again_at + 1).await.receipts.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_fails_is_an_answer_and_one_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = node(dir.path()).await;
    let backend = node.backend();
    send(&node, signed(contract_tx(None, creation(), 1))).await;
    let address = key(3).address().create(0);
    let call = |data: Bytes| contract_tx(Some(address), data, 0);
    let balance = async |of: Address| match backend.account(of, StateAt::Settled).await.expect("reads") {
        Read::Found(account) => account.balance.tfuel,
        _ => U256::ZERO,
    };

    // The fee is not taken, whatever the price: the contract sees the whole balance.
    for (price, sender) in [(0, key(3).address()), (PRICE, key(3).address()), (u64::MAX, Address::repeat_byte(0x5a))] {
        let mut tx = call(Bytes::new());
        (tx.gas_price, tx.from.address) = (U256::from(price), sender);
        let run = backend.run_contract(tx).await.expect("runs");
        assert_eq!(run.error, "evm: execution reverted");
        assert_eq!(U256::from_be_slice(&run.output), balance(sender).await, "price {price}");
    }
    let mut much = call(word(1));
    much.from.coins.tfuel = balance(key(3).address()).await + U256::ONE;
    assert_eq!(backend.run_contract(much.clone()).await.expect("runs").error, "insufficient balance for transfer");
    (much.from.coins.tfuel, much.from.coins.theta) = (U256::ZERO, U256::MAX);
    assert_eq!(backend.run_contract(much).await.expect("runs").error, "insufficient Theta balance for transfer");
    let with_gas = |gas_limit| SmartContract { gas_limit, ..call(word(1)) };
    for limit in [0, 20_999, 30_000] {
        let run = backend.run_contract(with_gas(limit)).await.expect("runs");
        assert_eq!((run.error.as_str(), run.gas_used), ("out of gas", limit));
    }
    let max = backend.chain.params().tx_gas_max;
    assert_eq!(backend.run_contract(with_gas(max)).await.expect("runs").error, "");
    let refused = backend.run_contract(with_gas(max + 1)).await.expect_err("too much").to_string();
    assert_eq!(refused, format!("Invalid gas limit. Gas limit needs to be at most {max}"));
    let long = SmartContract { gas_limit: max, ..contract_tx(None, vec![0; 49_153].into(), 1) };
    let refused = backend.run_contract(long).await.expect_err("too long").to_string();
    assert_eq!(refused, "max initcode size exceeded");
    // Endless: gas ends it.
    let endless = SmartContract { gas_limit: max, ..contract_tx(None, Bytes::from_static(&[0x5b, 0x60, 0, 0x56]), 1) };
    assert_eq!(backend.run_contract(endless).await.expect("runs").error, "out of gas");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ethereum_transaction_is_found_by_both_its_hashes() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = node(dir.path()).await;
    let backend = node.backend();
    assert_eq!(backend.chain_number(), U256::from(366));
    for (nonce, eth_type) in (0u64..).zip([0, 1, 2]) {
        let tx = EthTx {
            eth_type,
            chain_id: U256::from(366),
            nonce,
            max_priority_fee_per_gas: U256::ZERO,
            max_fee_per_gas: U256::from(PRICE),
            gas_limit: 200_000,
            data: creation(),
            ..EthTx::default()
        };
        let signature = key(3).sign(&keccak256(tx.unsigned()));
        let eth = tx.signed(signature.as_array().expect("65 bytes"));
        let native = import_eth(&backend.chain.tx_domain(), &eth).expect("imports");
        let (hash, _) = backend.broadcast_and_wait(native.clone()).await.expect("settles");
        assert_eq!(hash, keccak256(&native));
        let by_native = receipt(&node, hash).await;
        assert_eq!(by_native, receipt(&node, keccak256(&eth)).await, "type {eth_type}");
        assert_eq!((by_native.0.tx_hash, by_native.0.from), (hash, key(3).address()));
        assert_eq!(by_native.0.contract, key(3).address().create(nonce));
    }
    node.stop().await;
}

/// What is in a block above the settled head has its receipt, too, by either hash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_there_with_the_block() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = node(dir.path()).await;
    settled_above(&node, 1).await;
    let hash = node.backend().broadcast(signed(contract_tx(None, creation(), 1))).await.expect("admitted");
    let seen = until("in a block", &node, async || match node.backend().transaction(hash).await.expect("reads") {
        TxPlace::InBlock { receipt, status, .. } => Some((receipt, status)),
        _ => None,
    });
    let (receipt, _) = seen.await;
    assert!(receipt.is_some_and(|receipt| receipt.tx_hash == hash && receipt.success));
    node.stop().await;
}
