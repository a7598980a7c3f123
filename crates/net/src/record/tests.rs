use super::*;
use vigil_primitives::keccak256;

/// A record of `validator` at `time` with a signature of nobody.
pub(crate) fn record(validator: u8, time: UnixSeconds) -> AddressRecord {
    let peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp".parse().unwrap();
    let addresses = vec!["/ip4/203.0.113.7/tcp/30001".parse().unwrap()];
    let place = Place { validator: Address::repeat_byte(validator), peer, addresses, time };
    AddressRecord { place, signature: [0; 65].into() }
}

fn with_addresses(addresses: &[&str]) -> AddressRecord {
    let mut record = record(1, 7);
    record.place.addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    record
}

const FOUR: [&str; 4] = [
    "/ip6/2001:db8::1/udp/30001/quic-v1",
    "/ip6/2001:db8::1/tcp/30001",
    "/ip4/203.0.113.7/udp/30001/quic-v1",
    "/ip4/203.0.113.7/tcp/30001",
];

#[test]
fn records_survive_the_wire() {
    for record in [record(1, 0), record(255, u64::MAX), with_addresses(&FOUR)] {
        assert_eq!(AddressRecord::decode(&record.encode()), Ok(record.clone()));
        let message = encode_records([&record, &record].into_iter());
        assert_eq!(decode_records(&message), Ok(vec![record.clone(), record]));
    }
}

#[test]
fn the_largest_message_fits() {
    let mut largest = with_addresses(&[FOUR[0]; 4]);
    largest.place.time = u64::MAX;
    largest.signature = [0xff; 65].into();
    assert_eq!(largest.encode().len(), 236);
    let full = encode_records(std::iter::repeat_n(&largest, RECORDS_MAX));
    assert!(full.len() <= RECORDS_BYTES_MAX);
    assert_eq!(decode_records(&full).map(|records| records.len()), Ok(RECORDS_MAX));
}

#[test]
fn records_are_bounded() {
    let limit = |what, got, max| WireError::Limit { what, got, max };
    let five = with_addresses(&[FOUR[3]; 5]);
    assert_eq!(AddressRecord::decode(&five.encode()), Err(limit("addresses of a record", 5, 4)));
    let small = record(1, 7);
    let many = encode_records(std::iter::repeat_n(&small, RECORDS_MAX + 1));
    assert_eq!(decode_records(&many), Err(limit("address records", 65, 64)));
    assert_eq!(AddressRecord::decode(&with_addresses(&[]).encode()), Err(WireError::Empty("addresses of a record")));
    assert_eq!(decode_records(&[0xc0]), Err(WireError::Empty("address records")));
    let long = vec![0; RECORDS_BYTES_MAX + 1];
    assert!(matches!(decode_records(&long), Err(WireError::Rlp(RlpError::TooLong { .. }))));
}

#[test]
fn only_ip_addresses_with_ports() {
    for address in ["/dns4/victim.example/tcp/80", "/ip4/203.0.113.7/tcp/0", "/ip4/203.0.113.7", "/memory/1"] {
        let decoded = AddressRecord::decode(&with_addresses(&[FOUR[3], address]).encode());
        assert!(matches!(decoded, Err(WireError::Rlp(RlpError::Item { .. }))), "{address}: {decoded:?}");
    }
}

#[test]
fn rubbish_is_an_error() {
    let good = record(1, 7).encode();
    assert!(AddressRecord::decode(&[&good[..], &[0]].concat()).is_err(), "trailing byte");
    assert!(AddressRecord::decode(&good[..good.len() - 1]).is_err(), "cut");
    let mut wire = record(1, 7).wire();
    wire.peer = Bytes::from_static(&[1, 2, 3]);
    assert!(AddressRecord::decode(&rlp::encode(&wire)).is_err(), "peer id");
    let mut wire = record(1, 7).wire();
    wire.addresses = vec![Bytes::from_static(&[0xff; 9])];
    assert!(AddressRecord::decode(&rlp::encode(&wire)).is_err(), "address");
    let mut unsigned = record(1, 7);
    unsigned.signature = Signature::none();
    assert!(AddressRecord::decode(&unsigned.encode()).is_err(), "signature");
    for bytes in [&[][..], &[0x80], &[0xc1, 0x80], &[0xff; 40]] {
        assert!(decode_records(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn every_field_and_the_chain_are_signed() {
    let chain = |id: &str, genesis| SignDomain { chain_id: id.into(), genesis_hash: Hash::repeat_byte(genesis) };
    let place = record(1, 7).place;
    let mut others = vec![place.clone(); 4];
    others[0].validator = Address::repeat_byte(2);
    others[1].peer = PeerId::random();
    others[2].addresses.push(FOUR[0].parse().unwrap());
    others[3].time = 8;
    let mut digests: Vec<_> = others.iter().map(|place| place.digest(&chain("a", 1))).collect();
    digests.extend([("a", 1), ("b", 1), ("a", 2)].map(|(id, genesis)| place.digest(&chain(id, genesis))));
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

/// Change a constant only together with the version in the protocol's name.
#[test]
fn the_wire_is_pinned() {
    let mut record = with_addresses(&FOUR);
    record.signature = [9; 65].into();
    let chain = SignDomain { chain_id: "privatenet".into(), genesis_hash: Hash::repeat_byte(7) };
    let pin = |bytes: &[u8]| hex::encode(&bytes[..8]);
    let encoding = keccak256(encode_records([&record].into_iter()));
    let pinned = [pin(encoding.as_slice()), pin(record.place.digest(&chain).as_slice())];
    assert_eq!(pinned, ["7296791588b10c04", "41d77b2fb2b23208"]);
}
