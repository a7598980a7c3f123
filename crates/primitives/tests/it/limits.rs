//! Every limit of the wire at, below and above.

use crate::samples::Samples;
use vigil_primitives::*;

/// A contract transaction whose envelope has exactly `length` bytes.
fn tx_of_length(length: usize) -> Vec<u8> {
    let body = |data: usize| {
        let (from, to) = (TxInput::default(), TxOutput::default());
        let data = vec![1; data].into();
        Tx::SmartContract(SmartContract { from, to, gas_limit: 1, gas_price: U256::ZERO, data }).to_raw()
    };
    let overhead = body(length).len() - length;
    body(length - overhead)
}

#[test]
fn transaction_bytes() {
    for length in [TX_BYTES_MAX - 1, TX_BYTES_MAX] {
        let raw = tx_of_length(length);
        assert_eq!(raw.len(), length);
        assert!(Tx::from_raw(&raw).is_ok(), "{length}");
    }
    let (what, got, max) = ("transaction", TX_BYTES_MAX + 1, TX_BYTES_MAX);
    assert_eq!(Tx::from_raw(&tx_of_length(got)), Err(RlpError::TooLong { what, got, max }));
}

#[test]
fn block_bytes() {
    let block = |length: usize| {
        let block = |tx: usize| rlp::encode(&Block { txs: vec![vec![1; tx].into()], ..Block::default() });
        let overhead = block(length).len() - length;
        block(length - overhead)
    };
    for length in [BLOCK_BYTES_MAX - 1, BLOCK_BYTES_MAX] {
        assert_eq!(block(length).len(), length);
        assert!(Block::from_rlp(&block(length)).is_ok(), "{length}");
    }
    let (what, got, max) = ("block", BLOCK_BYTES_MAX + 1, BLOCK_BYTES_MAX);
    assert_eq!(Block::from_rlp(&block(got)), Err(RlpError::TooLong { what, got, max }));
}

#[test]
fn block_transactions() {
    let block = |count: usize| rlp::encode(&Block { txs: vec![Bytes::from_static(&[2]); count], ..Block::default() });
    for count in [BLOCK_TXS_MAX - 1, BLOCK_TXS_MAX] {
        assert_eq!(Block::from_rlp(&block(count)).map(|b| b.txs.len()), Ok(count));
    }
    let (what, got, max) = ("block", BLOCK_TXS_MAX + 1, BLOCK_TXS_MAX);
    assert_eq!(Block::from_rlp(&block(got)), Err(RlpError::TooMany { what, got, max }));
}

#[test]
fn certificate_votes() {
    let decode = |count: usize| {
        let mut s = Samples::new(1);
        let mut header = s.header();
        header.hcc.votes = (0..count).map(|_| s.vote()).collect();
        rlp::decode_exact::<BlockHeader>("header", &rlp::encode(&header), BLOCK_BYTES_MAX)
    };
    assert!(decode(VALIDATORS_MAX - 1).is_ok());
    assert!(decode(VALIDATORS_MAX).is_ok());
    assert!(matches!(decode(VALIDATORS_MAX + 1), Err(RlpError::Item { what: "header", .. })));
}

#[test]
fn transaction_types() {
    let mut raw = Samples::new(3).tx(11).to_raw();
    assert!(Tx::from_raw(&raw).is_ok());
    raw[0] = 12;
    assert_eq!(Tx::from_raw(&raw), Err(RlpError::UnknownTxType(12)));
    // 65,535 is the last number that is read at all; above it is a broken item.
    let body = &raw[1..];
    let of_type = |prefix: &[u8]| Tx::from_raw(&[prefix, body].concat());
    assert_eq!(of_type(&[0x82, 0xff, 0xff]), Err(RlpError::UnknownTxType(65_535)));
    assert!(matches!(of_type(&[0x83, 1, 0, 0]), Err(RlpError::Item { what: "transaction type", .. })));
    assert!(matches!(of_type(&[0x00]), Err(RlpError::Item { what: "transaction type", .. })), "0 is written 80");
    assert!(matches!(of_type(&[0x81, 0x0b]), Err(RlpError::Item { what: "transaction type", .. })));
}

#[test]
fn constants_of_a_header_are_checked() {
    let bytes = rlp::encode(&BlockHeader { height: 1, ..Samples::new(5).header() });
    let decode = |bytes: &[u8]| rlp::decode_exact::<BlockHeader>("header", bytes, BLOCK_BYTES_MAX);
    assert!(decode(&bytes).is_ok());
    let find = |needle: &[u8]| bytes.windows(needle.len()).position(|w| w == needle).expect("is there");
    for place in [find(EMPTY_TRIE_ROOT.as_slice()), find(&[0; 256]), bytes.len() - 1, bytes.len() - 2] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(decode(&changed).is_err(), "byte {place}");
    }
}
