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
    let refused = Block::from_rlp(&block(BLOCK_TXS_MAX + 1)).expect_err("above");
    assert_eq!(refused.to_string(), "block is not valid RLP: a list has more elements than its limit");
}

/// A list of millions of empty elements ends at the limit: it must not take 32 bytes of memory for each byte received.
#[test]
fn a_flood_of_tiny_elements_is_cut_off() {
    let header = rlp::encode(&Samples::new(5).header());
    let list = |element: u8, count: usize| {
        let mut bytes = Vec::new();
        alloy_rlp::Header { list: true, payload_length: count }.encode(&mut bytes);
        bytes.resize(bytes.len() + count, element);
        bytes
    };
    let in_list = |payload: Vec<u8>| {
        let mut bytes = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut bytes);
        [bytes, payload].concat()
    };
    // The element after the limit is never looked at: here it is broken, and the limit is what is said.
    let mut flood = list(0x02, BLOCK_TXS_MAX + 1);
    *flood.last_mut().unwrap() = 0xff;
    let refused = Block::from_rlp(&in_list([header.clone(), flood].concat())).expect_err("too many");
    assert!(refused.to_string().contains("more elements than its limit"), "{refused}");
    let flood = in_list([header, list(0x80, 8_000_000)].concat());
    assert!(matches!(Block::from_rlp(&flood), Err(RlpError::Item { what: "block", .. })));
}

/// The transaction root is the same with and without empty items at the end, so a body must not have them: whoever
/// relays a block could else make an honest one look invalid.
#[test]
fn empty_transactions_are_no_transactions() {
    let block = |txs: &[&'static [u8]]| {
        let txs = txs.iter().map(|tx| Bytes::from_static(tx)).collect();
        Block::from_rlp(&rlp::encode(&Block { txs, ..Block::default() }))
    };
    assert!(block(&[&[2]]).is_ok() && block(&[]).is_ok());
    for txs in [&[&[][..]][..], &[&[2], &[]], &[&[], &[2]]] {
        assert!(matches!(block(txs), Err(RlpError::Item { what: "block", .. })), "{txs:?}");
    }
}

#[test]
fn resource_ids() {
    let reserve = |count: usize, length: usize| {
        let Tx::ReserveFund(t) = Samples::new(3).tx(3) else { unreachable!("type 3") };
        Tx::from_raw(&Tx::ReserveFund(ReserveFund { resource_ids: vec!["r".repeat(length); count], ..t }).to_raw())
    };
    let (ids, bytes) = (RESOURCE_IDS_MAX, RESOURCE_ID_BYTES_MAX);
    assert!(reserve(ids - 1, bytes - 1).is_ok() && reserve(ids, bytes).is_ok());
    let (what, got, max) = ("list of resource ids", ids + 1, ids);
    assert_eq!(reserve(got, 1), Err(RlpError::TooMany { what, got, max }));
    let over = RlpError::TooLong { what: "resource id", got: bytes + 1, max: bytes };
    assert_eq!(reserve(1, bytes + 1), Err(over.clone()));
    let id = || "r".repeat(bytes + 1);
    let Tx::ServicePayment(t) = Samples::new(3).tx(5) else { unreachable!("type 5") };
    let payment = Tx::ServicePayment(ServicePayment { resource_id: id(), ..t });
    assert_eq!(Tx::from_raw(&payment.to_raw()), Err(over.clone()));
    let Tx::SplitRule(t) = Samples::new(3).tx(6) else { unreachable!("type 6") };
    assert_eq!(Tx::from_raw(&Tx::SplitRule(SplitRuleTx { resource_id: id(), ..t }).to_raw()), Err(over));
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
    raw[0] = 13;
    assert_eq!(Tx::from_raw(&raw), Err(RlpError::UnknownTxType(13)));
    // 65,535 is the last number that is read at all; above it is a broken item.
    let body = &raw[1..];
    let of_type = |prefix: &[u8]| Tx::from_raw(&[prefix, body].concat());
    assert_eq!(of_type(&[0x82, 0xff, 0xff]), Err(RlpError::UnknownTxType(65_535)));
    assert!(matches!(of_type(&[0x83, 1, 0, 0]), Err(RlpError::Item { what: "transaction type", .. })));
    assert!(matches!(of_type(&[0x00]), Err(RlpError::Item { what: "transaction type", .. })), "0 is written 80");
    assert!(matches!(of_type(&[0x81, 0x0b]), Err(RlpError::Item { what: "transaction type", .. })));
}

#[test]
fn a_header_ends_with_a_constant_and_has_a_whole_bloom() {
    let bytes = rlp::encode(&BlockHeader { height: 1, finality: None, ..Samples::new(5).header() });
    let decode = |bytes: &[u8]| rlp::decode_exact::<BlockHeader>("header", bytes, BLOCK_BYTES_MAX);
    assert!(decode(&bytes).is_ok());
    for place in [bytes.len() - 1, bytes.len() - 2] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(decode(&changed).is_err(), "byte {place}");
    }
    let bloom = bytes.windows(259).position(|w| w[..3] == [0xb9, 1, 0] && w[3..] == [0; 256]).expect("is there");
    for length in [255, 256, 257] {
        let item = rlp::encode(&vec![0u8; length].as_slice());
        let payload = [&bytes[3..bloom], &item, &bytes[bloom + 259..]].concat();
        let header = [&[0xf9, (payload.len() >> 8) as u8, payload.len() as u8], payload.as_slice()].concat();
        assert_eq!(decode(&header).is_ok(), length == 256, "a bloom of {length} bytes");
    }
}
