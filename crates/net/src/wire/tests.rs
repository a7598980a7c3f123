use super::*;

fn hello() -> Hello {
    Hello {
        version: Hello::VERSION,
        chain_id: "privatenet".into(),
        genesis_hash: Hash::repeat_byte(7),
        agent: "vigil/0".into(),
        role: 1,
        head: Head { height: 9, hash: Hash::repeat_byte(1) },
        proof: vec![],
    }
}

fn limit_of<T: std::fmt::Debug>(result: Result<T, WireError>) -> (u64, u64) {
    match result {
        Err(WireError::Limit { got, max, .. }) => (got, max),
        other => panic!("expected a limit, got {other:?}"),
    }
}

#[test]
fn control_messages_survive_the_wire() {
    let proof = ValidatorProof { address: Address::repeat_byte(3), signature: Signature::none() };
    for message in [
        Control::Hello(hello()),
        Control::Hello(Hello { proof: vec![proof], ..hello() }),
        Control::Head(Head { height: u64::MAX, hash: Hash::ZERO }),
    ] {
        assert_eq!(Control::decode(&message.encode()).unwrap(), message);
    }
}

#[test]
fn a_hello_is_bounded() {
    let agent = |bytes| Control::Hello(Hello { agent: "x".repeat(bytes), ..hello() }).encode();
    assert!(Control::decode(&agent(AGENT_BYTES_MAX)).is_ok());
    assert_eq!(limit_of(Control::decode(&agent(AGENT_BYTES_MAX + 1))), (129, 128));
    let proof = ValidatorProof { address: Address::ZERO, signature: Signature::none() };
    let two = Control::Hello(Hello { proof: vec![proof.clone(), proof], ..hello() });
    assert_eq!(limit_of(Control::decode(&two.encode())), (2, 1));
}

#[test]
fn garbage_is_an_error() {
    assert_eq!(Control::decode(&[]), Err(WireError::Empty("control message")));
    assert!(matches!(Control::decode(&[9, 0xc0]), Err(WireError::Tag { tag: 9, .. })));
    assert!(matches!(Control::decode(&[0, 1, 2, 3]), Err(WireError::Rlp(_))));
    assert!(matches!(decode_txs(&[0x80]), Err(WireError::Rlp(_))));
    assert!(matches!(decode_txs(&[0xc0]), Err(WireError::Empty(_))));
    let mut trailing = Control::Head(Head::default()).encode().to_vec();
    trailing.push(0);
    assert!(matches!(Control::decode(&trailing), Err(WireError::Rlp(RlpError::Trailing { left: 1, .. }))));
}

#[test]
fn batches_of_transactions_are_bounded() {
    let batch = vec![Bytes::from(vec![1, 2, 3]), Bytes::from(vec![0; TX_BYTES_MAX])];
    assert_eq!(decode_txs(&encode_txs(&batch)).unwrap(), batch);
    let long = vec![Bytes::from(vec![0; TX_BYTES_MAX + 1])];
    assert_eq!(limit_of(decode_txs(&encode_txs(&long))).1, TX_BYTES_MAX as u64);
    let many = vec![Bytes::from(vec![1]); GOSSIP_TXS_MAX + 1];
    assert_eq!(limit_of(decode_txs(&encode_txs(&many))), (4_097, 4_096));
}
