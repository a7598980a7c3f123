//! Ethereum's transactions: what is read is what was written, and only in the one encoding.

use crate::samples::Samples;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vigil_primitives::*;
use vigil_testkit::ethereum::{EthTx, list, type_12};

fn written(fields: &EthereumFields) -> EthTx {
    EthTx {
        eth_type: fields.eth_type,
        chain_id: fields.chain_id,
        nonce: fields.nonce,
        max_priority_fee_per_gas: fields.max_priority_fee_per_gas.unwrap_or_default(),
        max_fee_per_gas: fields.max_fee_per_gas,
        gas_limit: fields.gas_limit,
        to: fields.to,
        value: fields.value,
        data: fields.data.clone(),
        access_list: fields.access_list.iter().map(|item| (item.address, item.storage_keys.to_vec())).collect(),
    }
}

fn tail(fields: &EthereumFields) -> [U256; 3] {
    [U256::from(u8::from(fields.y_parity)), fields.r, fields.s]
}

fn decode(raw: &[u8]) -> Result<EthereumTx, RlpError> {
    EthereumTx::from_raw(Bytes::copy_from_slice(raw))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_024, failure_persistence: None, rng_seed: RngSeed::Fixed(12), ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_written_is_read(seed: u64) {
        let s = &mut Samples::new(seed);
        let mut wanted = s.eth_tx();
        let signature = s.eth_tail();
        let raw = wanted.with_tail(&signature);
        let tx = decode(&raw).unwrap();
        if wanted.eth_type == 1 {
            wanted.max_priority_fee_per_gas = U256::ZERO;
        }
        prop_assert_eq!(&written(tx.fields()), &wanted);
        prop_assert_eq!(tail(tx.fields()), signature);
        prop_assert_eq!(tx.fields().max_priority_fee_per_gas.is_some(), wanted.eth_type == 2);
        prop_assert_eq!(tx.eth_sign_bytes(), wanted.unsigned());
        prop_assert_eq!(&tx.signature()[..32], &signature[1].to_be_bytes::<32>());
        prop_assert_eq!(&tx.signature()[32..64], &signature[2].to_be_bytes::<32>());
        prop_assert_eq!(tx.signature()[64], signature[0].to::<u8>());
        let envelope = type_12(&raw);
        let tx = Tx::from_raw(&envelope).unwrap();
        prop_assert_eq!(tx.to_raw(), envelope.as_slice());
        prop_assert_eq!(tx.hash(), keccak256(&envelope));
        prop_assert_eq!(tx.eth_hash(U256::ZERO), Some(keccak256(&raw)));
        prop_assert_eq!(tx.sender(), Some((Address::ZERO, wanted.nonce + 1)));
        check_call(&tx.contract_call().unwrap(), &wanted);
    }

    /// Whatever is accepted is the one encoding of what it says.
    #[test]
    fn no_second_encoding(seed: u64, place: prop::sample::Index, byte: u8, insert: bool) {
        let s = &mut Samples::new(seed);
        let mut raw = s.eth_tx().with_tail(&s.eth_tail());
        let place = place.index(raw.len());
        if insert { raw.insert(place, byte) } else { raw[place] = byte }
        if let Ok(tx) = decode(&raw) {
            prop_assert_eq!(written(tx.fields()).with_tail(&tail(tx.fields())), raw);
        }
    }

    #[test]
    fn legacy_is_read(seed: u64) {
        let s = &mut Samples::new(seed);
        let wanted = EthTx { eth_type: 0, ..s.eth_tx() };
        let signature = [s.amount(), s.amount(), s.amount()];
        let tx = LegacyTx::from_raw(&wanted.with_tail(&signature)).unwrap();
        prop_assert_eq!((tx.nonce, tx.gas_price, tx.gas_limit), (wanted.nonce, wanted.max_fee_per_gas, wanted.gas_limit));
        prop_assert_eq!((tx.to, tx.value, tx.data), (wanted.to, wanted.value, wanted.data));
        prop_assert_eq!([tx.v, tx.r, tx.s], signature);
    }

    #[test]
    fn any_bytes_decode_or_fail_quietly(eth_type in 0u8..6, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let raw = [&[eth_type], list(&bytes).as_slice()].concat();
        for raw in [bytes.as_slice(), &raw] {
            if let Ok(tx) = decode(raw) {
                prop_assert_eq!(tx.raw(), raw);
            }
            drop(LegacyTx::from_raw(raw));
        }
    }
}

fn check_call(call: &ContractCall<'_>, wanted: &EthTx) {
    assert_eq!((call.theta, call.value, call.sequence), (U256::ZERO, wanted.value, wanted.nonce + 1));
    assert_eq!((call.to, call.gas_limit, call.data), (wanted.to, wanted.gas_limit, &wanted.data));
    assert_eq!((call.max_fee_per_gas, call.eth_type), (wanted.max_fee_per_gas, wanted.eth_type));
    let priority = (wanted.eth_type == 2).then_some(wanted.max_priority_fee_per_gas);
    assert_eq!((call.max_priority_fee_per_gas, call.access_list.len()), (priority, wanted.access_list.len()));
}

#[test]
fn calls_of_type_7() {
    let Tx::SmartContract(tx) = Samples::new(4).tx(7) else { unreachable!("type 7") };
    let (address, coins) = (tx.from.address, tx.from.coins);
    let whole = Tx::SmartContract(tx.clone());
    let call = whole.contract_call().unwrap();
    assert_eq!((call.from, call.theta, call.value), (address, coins.theta, coins.tfuel));
    assert_eq!((call.to, call.sequence, call.eth_type), (Some(tx.to.address), tx.from.sequence, 0));
    assert_eq!((call.max_fee_per_gas, call.max_priority_fee_per_gas), (tx.gas_price, None));
    assert!(call.access_list.is_empty() && call.data == &tx.data);
    let creation = Tx::SmartContract(SmartContract { to: TxOutput::default(), ..tx });
    assert_eq!(creation.contract_call().unwrap().to, None);
    assert!((0..12).filter(|t| *t != 7).all(|t| Samples::new(4).tx(t).contract_call().is_none()));
}

#[test]
fn the_sender_is_filled_in() {
    let raw = EthTx { eth_type: 2, ..EthTx::default() }.with_tail(&[U256::ZERO; 3]);
    let mut tx = decode(&raw).unwrap();
    tx.set_sender(Address::repeat_byte(7));
    assert_eq!(Tx::Ethereum(tx.clone()).sender(), Some((Address::repeat_byte(7), 1)));
    assert_eq!(Tx::Ethereum(tx).contract_call().unwrap().from, Address::repeat_byte(7));
}

fn plain(eth_type: u8) -> Vec<u8> {
    EthTx { eth_type, gas_limit: 21_000, to: Some(Address::repeat_byte(1)), ..EthTx::default() }.with_tail(&[
        U256::ZERO,
        U256::from(1),
        U256::from(1),
    ])
}

#[test]
fn other_types_are_named() {
    let why = |raw: &[u8]| Tx::from_raw(&type_12(raw)).unwrap_err().to_string();
    for (eth_type, name) in [(3, "a blob transaction (type 3)"), (4, "a set-code transaction (type 4)"), (5, "type 5")]
    {
        let raw = [&[eth_type], &plain(1)[1..]].concat();
        assert!(why(&raw).contains(name), "{}", why(&raw));
    }
    assert!(why(&plain(0)).contains("a legacy Ethereum transaction"));
    assert!(why(&[0]).contains("type 0") && why(&[0x80]).contains("type 128"));
    assert!(why(&[]).contains("not valid RLP") && why(&[2]).contains("not valid RLP"));
}

#[test]
fn broken_envelopes() {
    for eth_type in [1, 2] {
        let raw = plain(eth_type);
        assert!(Tx::from_raw(&type_12(&raw)).is_ok());
        let longer = [raw.as_slice(), &[0x80]].concat();
        assert!(matches!(decode(&longer), Err(RlpError::Trailing { left: 1, .. })));
        assert!(Tx::from_raw(&[type_12(&raw).as_slice(), &[0]].concat()).is_err());
        assert!(decode(&raw[..raw.len() - 1]).is_err());
        let item = rlp::encode(&raw.as_slice());
        assert!(Tx::from_raw(&[&[12], list(&[item.clone(), item.clone()].concat()).as_slice()].concat()).is_err());
        assert!(Tx::from_raw(&[&[12], item.as_slice()].concat()).is_err(), "not in a list");
        assert!(Tx::from_raw(&[&[12], list(&raw[1..]).as_slice()].concat()).is_err(), "a list, not bytes");
        // The type 1 list has one field less.
        assert!(decode(&[&[3 - eth_type], &raw[1..]].concat()).is_err());
    }
}

#[test]
fn nonces_and_parities_at_their_limits() {
    let of = |nonce, parity: u64| {
        let tx = EthTx { eth_type: 2, nonce, ..EthTx::default() };
        decode(&tx.with_tail(&[U256::from(parity), U256::ZERO, U256::ZERO]))
    };
    assert!(of(u64::MAX - 1, 0).is_ok_and(|tx| tx.sequence() == u64::MAX));
    assert_eq!(of(u64::MAX, 0), Err(RlpError::NonceMax));
    assert!(of(0, 0).is_ok() && of(0, 1).is_ok());
    for parity in [2, 27, 28, 255, 256] {
        assert!(matches!(of(0, parity), Err(RlpError::Item { .. })), "{parity}");
    }
    let legacy = |nonce| LegacyTx::from_raw(&EthTx { nonce, ..EthTx::default() }.with_tail(&[U256::ZERO; 3]));
    assert!(legacy(u64::MAX - 1).is_ok());
    assert_eq!(legacy(u64::MAX), Err(RlpError::NonceMax));
}

/// A transaction of type 2 whose items are given one by one.
fn of_items(items: &[Vec<u8>]) -> Result<EthereumTx, RlpError> {
    decode(&[&[2], list(&items.concat()).as_slice()].concat())
}

fn items() -> Vec<Vec<u8>> {
    let (zero, empty) = (vec![0x80], vec![0xc0]);
    let mut items = vec![zero; 12];
    items[8] = empty;
    items
}

#[test]
fn every_item_is_strict() {
    assert!(of_items(&items()).is_ok());
    for place in 0..12 {
        let with = |bytes: &[u8]| {
            let mut items = items();
            items[place] = bytes.to_vec();
            of_items(&items)
        };
        let number = !matches!(place, 5 | 7 | 8);
        assert_eq!(with(&[1]).is_ok(), number || place == 7, "item {place}");
        for bad in [&[0x81, 1][..], &[0xb8, 1, 1], &[0xb8, 0]] {
            assert!(with(bad).is_err(), "item {place}: {bad:02x?}");
        }
        if number {
            for bad in [&[0][..], &[0x82, 0, 1], &[0xc0], &[0xc1, 0x80]] {
                assert!(with(bad).is_err(), "item {place}: {bad:02x?}");
            }
            let widest = if matches!(place, 1 | 4) { 8 } else { 32 };
            let wide = |n: usize| [vec![0x80 + n as u8], vec![0x11; n]].concat();
            assert_eq!(with(&wide(widest)).is_ok(), place != 9, "item {place}");
            assert!(with(&wide(widest + 1)).is_err(), "item {place}");
        }
        let mut missing = items();
        missing.remove(place);
        assert!(of_items(&missing).is_err() && of_items(&[items(), vec![vec![0x80]]].concat()).is_err());
    }
    let to = |n: usize| {
        let mut items = items();
        items[5] = [vec![0x80 + n as u8], vec![0x11; n]].concat();
        of_items(&items).is_ok()
    };
    assert!(to(0) && to(20) && !to(19) && !to(21) && !to(1));
}

fn with_list(payload: &[u8]) -> Result<EthereumTx, RlpError> {
    let mut items = items();
    items[8] = list(payload);
    of_items(&items)
}

fn access_item(keys: &[u8]) -> Vec<u8> {
    list(&[&[0x94], [7; 20].as_slice(), &list(keys)].concat())
}

#[test]
fn broken_access_lists() {
    let key = [&[0xa0], [9; 32].as_slice()].concat();
    assert!(with_list(&[access_item(&[]), access_item(&[key.clone(), key.clone()].concat())].concat()).is_ok());
    let address = [&[0x94], [7; 20].as_slice()].concat();
    for bad in [
        vec![0xc0],
        vec![0x80],
        vec![7],
        access_item(&key[..32]),
        access_item(&[&[0xa1], [9; 33].as_slice()].concat()),
        access_item(&[&[0x9f], [9; 31].as_slice()].concat()),
        access_item(&[key.clone(), vec![0x80]].concat()),
        access_item(&list(&key)),
        list(&address),
        list(&[address.clone(), vec![0x80]].concat()),
        list(&[address.clone(), vec![0xc0], vec![0xc0]].concat()),
        list(&[&[0x93], [7; 19].as_slice(), &[0xc0; 2]].concat()),
        list(&[&[0x95], [7; 21].as_slice(), &[0xc0]].concat()),
        list(&access_item(&[])),
        [access_item(&[]), vec![0x80]].concat(),
    ] {
        assert!(with_list(&bad).is_err(), "{bad:02x?}");
    }
}

/// However deep, however many: an error or at most twice the memory of the bytes.
#[test]
fn hostile_access_lists_cost_no_more_than_their_bytes() {
    let mut nested = vec![0xc0];
    while nested.len() < TX_BYTES_MAX - 1_000 {
        nested = list(&[nested.as_slice(), &[0xc0; 64]].concat());
    }
    let many = |item: &[u8]| item.repeat((TX_BYTES_MAX - 100) / item.len());
    for bad in [nested, many(&[0xc0]), many(&[0x80]), many(&list(&[0xc0; 21])), access_item(&many(&[0xa0]))] {
        assert!(with_list(&bad).is_err());
    }
    let key = [&[0xa0], [9; 32].as_slice()].concat();
    let keys = |n: usize| access_item(&key.repeat(n));
    for good in [many(&keys(0)), many(&keys(1)), many(&keys(2)), many(&keys(40)), keys(TX_BYTES_MAX / 33 - 10)] {
        let tx = with_list(&good).unwrap();
        let list = &tx.fields().access_list;
        let keys: usize = list.iter().map(|item| size_of_val(&*item.storage_keys)).sum();
        assert!(size_of_val(&**list) + keys <= 2 * good.len(), "{} bytes", good.len());
    }
}

#[test]
fn sizes_at_the_limit() {
    let of = |length: usize| {
        let tx = EthTx { eth_type: 2, data: vec![1; length].into(), ..EthTx::default() };
        tx.with_tail(&[U256::ZERO; 3])
    };
    let own = of(100_000).len() - 100_000;
    for (raw, envelope) in [(of(TX_BYTES_MAX - own), false), (of(TX_BYTES_MAX - own - 9), true)] {
        assert!(decode(&raw).is_ok());
        assert_eq!(Tx::from_raw(&type_12(&raw)).is_ok(), envelope, "the envelope counts");
    }
    assert_eq!(type_12(&of(TX_BYTES_MAX - own - 9)).len(), TX_BYTES_MAX);
    let long = of(TX_BYTES_MAX - own + 1);
    assert!(matches!(decode(&long), Err(RlpError::TooLong { .. })));
    assert!(matches!(Tx::from_raw(&type_12(&of(TX_BYTES_MAX - own - 8))), Err(RlpError::TooLong { .. })));
}
