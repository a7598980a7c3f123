//! Receipts, logs, the header's root and bloom filter.

use super::super::actors::{send, stranger};
use super::*;
use alloy_rlp::Encodable;
use vigil_primitives::{Bloom, EMPTY_TRIE_ROOT, Hash};
use vigil_testkit::ethereum::list;

#[test]
fn without_contracts() {
    let mut chain = chain();
    let tx = send(&chain.params, 2, 1, stranger(1), Coins::tokens(0, 1));
    let header = chain.step_all(&[tx]).block.header;
    assert_eq!((header.receipt_root, *header.bloom), (EMPTY_TRIE_ROOT, Bloom::ZERO));
}

/// Sets three bits by an item's hash (the yellow paper's M3:2048).
fn add(bloom: &mut [u8; 256], item: &[u8]) {
    let hash = keccak256(item);
    for pair in hash[..6].chunks(2) {
        let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]]) & 2_047);
        bloom[255 - bit / 8] |= 1 << (bit % 8);
    }
}

/// The root and the filter of a block by another library and by hand.
fn digest(receipts: &[Receipt]) -> (Hash, [u8; 256]) {
    let mut all = [0; 256];
    let mut encoded = Vec::new();
    for receipt in receipts {
        let mut bloom = [0; 256];
        let mut logs = Vec::new();
        for log in &receipt.logs {
            let (mut item, mut topics) = (alloy_rlp::encode(log.address), Vec::new());
            add(&mut bloom, log.address.as_slice());
            for topic in log.topics() {
                add(&mut bloom, topic.as_slice());
                topic.encode(&mut topics);
            }
            item.extend(list(&topics));
            log.data.data.encode(&mut item);
            logs.extend(list(&item));
        }
        let mut payload = vec![if receipt.success { 1 } else { 0x80 }];
        receipt.cumulative_gas_used.encode(&mut payload);
        payload.extend([0xb9, 1, 0]);
        payload.extend(bloom);
        payload.extend(list(&logs));
        let prefix = if receipt.eth_type == 0 { Vec::new() } else { vec![receipt.eth_type] };
        encoded.push([prefix, list(&payload)].concat());
        all.iter_mut().zip(bloom).for_each(|(all, one)| *all |= one);
    }
    (alloy_trie::root::ordered_trie_root_with_encoder(&encoded, |item, out| out.extend_from_slice(item)), all)
}

#[test]
fn of_all_types() {
    let mut chain = chain();
    let contract = chain.machine();
    let log = |n: u64| script(&[Do::Log(n, vec![n as u8; 40]), Do::Log(n + 1, Vec::new())]);
    let reverted = Do::Call(contract, U256::ZERO, script(&[Do::Log(90, vec![1]), Do::Revert]));
    let typed = |eth_type, nonce, data: Vec<u8>| EthTx {
        eth_type,
        nonce,
        max_fee_per_gas: U256::from(PRICE),
        gas_limit: 200_000,
        to: Some(contract),
        data: data.into(),
        ..EthTx::default()
    };
    let txs = [
        Call::new(2, 1, Some(contract), log(1)).sign(&chain.params),
        // Between contracts: it has no receipt.
        send(&chain.params, 4, 1, stranger(1), Coins::tokens(0, 1)),
        ethereum(&chain.params, 3, &typed(1, 0, log(20))),
        Call::new(2, 2, Some(contract), script(&[Do::Log(30, vec![3]), Do::Revert])).sign(&chain.params),
        ethereum(&chain.params, 3, &typed(2, 1, log(40))),
        Call::new(2, 3, Some(contract), script(&[Do::Log(50, vec![]), reverted])).sign(&chain.params),
        Call::new(2, 4, None, creation(&[0])).sign(&chain.params),
    ];
    let built = chain.step_all(&txs);
    let receipts = &built.outcome.receipts;
    let types: Vec<_> =
        receipts.iter().map(|receipt| (receipt.eth_type, receipt.success, receipt.logs.len())).collect();
    assert_eq!(types, [(0, true, 2), (1, true, 2), (0, false, 0), (2, true, 2), (0, true, 1), (0, true, 0)]);
    let hashes: Vec<_> = receipts.iter().map(|receipt| receipt.tx_hash).collect();
    assert_eq!(hashes, [0, 2, 3, 4, 5, 6].map(|at: usize| txs[at].hash()));
    let mut sum = 0;
    for receipt in receipts {
        sum += receipt.gas_used;
        assert_eq!(receipt.cumulative_gas_used, sum);
    }
    let (root, bloom) = digest(receipts);
    let header = built.block.header;
    assert_eq!((header.receipt_root, header.bloom.as_slice()), (root, &bloom[..]));
    // A block that says otherwise is refused.
    for lie in [
        |header: &mut vigil_primitives::BlockHeader| header.receipt_root = EMPTY_TRIE_ROOT,
        |header: &mut vigil_primitives::BlockHeader| {
            header.bloom.0[7] ^= 1;
        },
    ] {
        let mut chain = self::chain();
        let built = chain.build(&[Call::new(2, 1, None, creation(&machine())).sign(&chain.params)]);
        let mut header = built.block.header.clone();
        lie(&mut header);
        let error = crate::execute_block(&chain.env(), &chain.head, &header, &built.txs).expect_err("a lie");
        assert!(matches!(error, crate::BlockError::ReceiptRoot { .. } | crate::BlockError::Bloom { .. }), "{error}");
        chain.step(&[]);
    }
}

#[test]
fn outputs() {
    let mut chain = chain();
    let contract = chain.machine();
    let asked = Do::Static(Address::with_last_byte(4), b"what comes back".to_vec());
    assert_eq!(chain.run(contract, &[asked]).output.as_ref(), b"what comes back");
    let receipt = chain.send_call(1, None, Coins::ZERO, creation(&machine()));
    assert_eq!((receipt.output, receipt.created, receipt.from), (machine().into(), true, address(1)));
    let receipt = chain.send_call(1, None, Coins::ZERO, vec![0xfe]);
    assert_eq!((receipt.contract, receipt.created, &*receipt.error), (Address::ZERO, false, "invalid opcode 0xfe"));
}
