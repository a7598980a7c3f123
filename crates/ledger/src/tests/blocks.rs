//! Building and executing blocks: limits, roots, failures.

use super::actors::{Chain, address, deposit, key, params, send, stranger};
use crate::{BlockError, Proposal, build_block, execute_block, queries};
use alloy_rlp::Encodable;
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_primitives::{BlockHeader, ChainParams, Coins, Hash};

fn sends(chain: &Chain, count: u64) -> Vec<Arc<VerifiedTx>> {
    (1..=count).map(|n| send(&chain.params, 2, n, stranger(n), Coins::tokens(0, 1))).collect()
}

fn execute(chain: &Chain, header: &BlockHeader, txs: &[Arc<VerifiedTx>]) -> Result<(), BlockError> {
    execute_block(&chain.env(), &chain.head, header, txs).map(|_| ())
}

#[test]
fn bad_candidates_are_dropped_and_the_rest_taken() {
    let mut chain = Chain::new(params(), 3);
    let good = sends(&chain, 3);
    let gap = send(&chain.params, 3, 2, stranger(9), Coins::ZERO);
    let poor = send(&chain.params, 3, 1, stranger(9), Coins::tokens(0, 60_000_000));
    let candidates = [good[0].clone(), gap.clone(), good[1].clone(), poor.clone(), good[2].clone(), good[0].clone()];
    let built = chain.step(&candidates);
    let taken: Vec<Hash> = built.txs.iter().map(|tx| tx.hash()).collect();
    assert_eq!(taken, good.iter().map(|tx| tx.hash()).collect::<Vec<_>>());
    let dropped: Vec<(Hash, u32)> = built.dropped.iter().map(|(hash, e)| (*hash, e.code)).collect();
    assert_eq!(dropped, [(gap.hash(), 100_002), (poor.hash(), 100_003), (good[0].hash(), 100_002)]);
    assert_eq!(built.block.txs, good.iter().map(|tx| tx.raw().clone()).collect::<Vec<_>>());
    let mut touched: Vec<_> = (1..=3).map(stranger).chain([address(2)]).collect();
    touched.sort_unstable();
    assert_eq!(built.outcome.touched, touched, "what was only read is not touched");
}

#[test]
fn every_field_is_checked() {
    let chain = Chain::new(params(), 2);
    let built = chain.build(&sends(&chain, 2));
    let (header, txs) = (built.block.header.clone(), &built.txs);
    assert!(execute(&chain, &header, txs).is_ok());
    let with = |change: &dyn Fn(&mut BlockHeader)| {
        let mut header = header.clone();
        change(&mut header);
        execute(&chain, &header, txs).expect_err("must be refused")
    };
    assert!(matches!(with(&|h| h.height = 2), BlockError::Height { got: 2, parent: 0 }));
    assert!(matches!(with(&|h| h.timestamp -= 2), BlockError::Timestamp { .. }));
    assert!(matches!(with(&|h| h.tx_root = Hash::ZERO), BlockError::TxRoot { .. }));
    assert!(matches!(with(&|h| h.state_root = Hash::ZERO), BlockError::StateRoot { .. }));
    assert!(matches!(with(&|h| h.receipt_root = Hash::ZERO), BlockError::ReceiptRoot { height: 1, .. }));
    assert!(matches!(with(&|h| h.bloom.0[255] = 1), BlockError::Bloom { height: 1 }));
    let mut same_time = header.clone();
    same_time.timestamp = chain.head.timestamp;
    assert!(execute(&chain, &same_time, txs).is_ok(), "not before the parent's");
    let reordered = [txs[1].clone(), txs[0].clone()];
    assert!(matches!(execute(&chain, &header, &reordered), Err(BlockError::TxRoot { .. })));
    let mut other_order = header.clone();
    other_order.tx_root = vigil_trie::ordered_root(reordered.iter().map(|tx| tx.raw()));
    let refused = execute(&chain, &other_order, &reordered);
    assert!(matches!(refused, Err(BlockError::Tx { index: 0, .. })), "{refused:?}");
}

#[test]
fn limit_of_count() {
    let chain = Chain::new(ChainParams { block_txs_max: 3, ..params() }, 2);
    let txs = sends(&chain, 4);
    let built = chain.build(&txs);
    assert_eq!((built.txs.len(), built.dropped.len()), (3, 0));
    assert!(execute(&chain, &built.block.header, &built.txs).is_ok(), "at");
    assert!(execute(&chain, &chain.build(&txs[..2]).block.header, &txs[..2]).is_ok(), "below");
    let mut header = built.block.header;
    header.tx_root = vigil_trie::ordered_root(txs.iter().map(|tx| tx.raw()));
    assert!(matches!(execute(&chain, &header, &txs), Err(BlockError::TxCount { got: 4, max: 3 })), "above");
}

#[test]
fn limit_of_bytes() {
    let wide = Chain::new(params(), 2);
    let txs = sends(&wide, 5);
    let mut full = wide.build(&txs).block;
    full.header.signature = [1; 65].into();
    let bytes = full.length() as u64;
    for (limit, taken) in [(bytes + 1, 5), (bytes, 5), (bytes - 1, 4)] {
        let chain = Chain { params: ChainParams { block_bytes_max: limit, ..params() }, ..Chain::new(params(), 2) };
        let built = chain.build(&txs);
        assert_eq!(built.txs.len(), taken, "limit {limit} of {bytes}");
        let received = execute(&chain, &full.header, &txs);
        assert_eq!(received.is_ok(), taken == 5, "{received:?}");
        assert_eq!(matches!(received, Err(BlockError::Bytes { .. })), taken < 5);
    }
}

/// Whatever is wrong with a body that is not the header's: the answer is about the body, because whoever relays a block
/// can put any body to an honest header.
#[test]
fn a_foreign_body_says_nothing_about_the_block() {
    let mut chain = Chain::new(ChainParams { block_txs_max: 3, ..params() }, 2);
    chain.run_to(4);
    let built = chain.build(&[]);
    let header = &built.block.header;
    let many = sends(&chain, 4);
    for body in [&[][..], &many[..1], &many] {
        let refused = execute(&chain, header, body);
        assert!(matches!(refused, Err(BlockError::TxRoot { .. })), "{} transactions: {refused:?}", body.len());
    }
    let chain = Chain { params: ChainParams { block_bytes_max: 1_000, ..params() }, ..chain };
    assert!(matches!(execute(&chain, header, &many), Err(BlockError::TxRoot { .. })), "too long");
}

#[test]
fn set_changes_may_be_left_out() {
    let chain = Chain::new(params(), 3);
    let change = deposit(&chain.params, 2, 1, address(2), Coins::tokens(200_000, 0).theta);
    let candidates = [change.clone(), send(&chain.params, 3, 1, stranger(1), Coins::ZERO)];
    let sign = |digest: &Hash| key(1).sign(digest);
    let propose = |allow_set_change| {
        let proposal = Proposal { header: chain.header(), allow_set_change, candidates: &candidates, sign: &sign };
        build_block(&chain.env(), &chain.head, proposal).expect("builds")
    };
    let without = propose(false);
    assert_eq!((without.deferred, without.txs.len()), (vec![change.hash()], 1));
    assert!(!without.outcome.validators_changed);
    assert_eq!(without.outcome.validators, chain.validators);
    let with = propose(true);
    assert_eq!((with.deferred.len(), with.txs.len()), (0, 2));
    assert!(with.outcome.validators_changed);
}

#[test]
fn siblings_do_not_disturb_each_other() {
    let mut chain = Chain::new(params(), 2);
    chain.step_all(&sends(&chain, 1));
    let left = chain.build(&[send(&chain.params, 2, 2, stranger(7), Coins::tokens(0, 7))]);
    let right = chain.build(&[send(&chain.params, 2, 2, stranger(8), Coins::tokens(0, 8))]);
    assert_ne!(left.outcome.state_root, right.outcome.state_root);
    let read = |built: &crate::BuiltBlock, n| {
        queries::account(&built.outcome.state, 2, &stranger(n)).expect("reads").map(|a| a.balance)
    };
    assert_eq!((read(&left, 7), read(&left, 8)), (Some(Coins::tokens(0, 7)), None));
    assert_eq!((read(&right, 7), read(&right, 8)), (None, Some(Coins::tokens(0, 8))));
    assert_eq!(chain.account(&address(2)).sequence, 1, "the parent is as it was");
}

#[test]
fn a_missing_node_is_our_fault() {
    let chain = Chain::new(params(), 2);
    let built = chain.build(&sends(&chain, 1));
    let nowhere = crate::State::open(chain.head.state.root(), Arc::new(vigil_trie::NoNodes));
    let parent = crate::Parent { state: nowhere, ..chain.head.clone() };
    let result = execute_block(&chain.env(), &parent, &built.block.header, &built.txs);
    assert!(matches!(result, Err(BlockError::State(_))));
}
