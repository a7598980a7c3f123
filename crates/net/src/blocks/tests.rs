use super::*;
use vigil_primitives::keccak256;

fn limit_of<T: std::fmt::Debug>(result: Result<T, WireError>) -> (u64, u64) {
    match result {
        Err(WireError::Limit { got, max, .. }) => (got, max),
        other => panic!("expected a limit, got {other:?}"),
    }
}

fn bytes(length: usize) -> Bytes {
    Bytes::from(vec![1; length])
}

#[test]
fn requests_are_bounded() {
    for request in [
        BlocksRequest::Headers { from: u64::MAX, max: 1 },
        BlocksRequest::Headers { from: 0, max: 64 },
        BlocksRequest::Bodies(vec![Hash::repeat_byte(1); 64]),
    ] {
        assert_eq!(BlocksRequest::decode(&request.encode()).unwrap(), request);
    }
    for (request, got) in [
        (BlocksRequest::Headers { from: 1, max: 0 }, 0),
        (BlocksRequest::Headers { from: 1, max: 65 }, 65),
        (BlocksRequest::Bodies(vec![]), 0),
        (BlocksRequest::Bodies(vec![Hash::ZERO; 65]), 65),
    ] {
        assert_eq!(limit_of(BlocksRequest::decode(&request.encode())), (got, 64));
    }
}

#[test]
fn answers_are_bounded() {
    for good in [
        BlocksResponse::Headers { headers: vec![], tip: None },
        BlocksResponse::Headers { headers: vec![bytes(BLOCKS_BYTES_MAX / 64); 64], tip: Some(bytes(HCC_BYTES_MAX)) },
        BlocksResponse::Bodies(vec![]),
        BlocksResponse::Bodies(vec![bytes(BLOCKS_BYTES_MAX)]),
        BlocksResponse::Bodies(vec![bytes(BLOCKS_BYTES_MAX / 64); 64]),
    ] {
        assert!(BlocksResponse::decode(&good.encode()).unwrap() == good);
    }
    let cert = BlocksResponse::Headers { headers: vec![], tip: Some(bytes(HCC_BYTES_MAX + 1)) };
    assert_eq!(limit_of(BlocksResponse::decode(&cert.encode())).1, HCC_BYTES_MAX as u64);
    let two = WireHeaders { headers: vec![], tip: vec![bytes(1); 2] };
    assert_eq!(limit_of(BlocksResponse::decode(&tagged(TAG_HEADERS, &two))), (2, 1));
    let headers = |headers| BlocksResponse::Headers { headers, tip: None };
    for answer in [headers, BlocksResponse::Bodies] {
        let many = answer(vec![bytes(1); 65]);
        assert_eq!(limit_of(BlocksResponse::decode(&many.encode())), (65, 64));
        let heavy = answer(vec![bytes(1), bytes(BLOCKS_BYTES_MAX)]);
        assert_eq!(limit_of(BlocksResponse::decode(&heavy.encode())).1, BLOCKS_BYTES_MAX as u64);
    }
}

#[test]
fn garbage_is_an_error() {
    assert_eq!(BlocksRequest::decode(&[]), Err(WireError::Empty("blocks request")));
    assert_eq!(BlocksResponse::decode(&[]), Err(WireError::Empty("blocks response")));
    assert!(matches!(BlocksRequest::decode(&[0xff; 40]), Err(WireError::Tag { tag: 0xff, .. })));
    assert!(matches!(BlocksResponse::decode(&[2, 0xc0]), Err(WireError::Tag { tag: 2, .. })));
    assert!(matches!(BlocksResponse::decode(&[1, 0x80]), Err(WireError::Rlp(_))));
    assert!(matches!(BlocksResponse::decode(&[0, 0xc1, 0xc0]), Err(WireError::Rlp(_))));
    let mut trailing = BlocksResponse::Bodies(vec![bytes(3)]).encode().to_vec();
    trailing.push(0);
    assert!(matches!(BlocksResponse::decode(&trailing), Err(WireError::Rlp(rlp::RlpError::Trailing { left: 1, .. }))));
}

/// The bytes are a contract with other nodes: a change needs a new [`crate::Hello::VERSION`].
#[test]
fn conformance() {
    let range = BlocksRequest::Headers { from: 7, max: 64 }.encode();
    assert_eq!(range.as_ref(), [0, 0xc2, 7, 64]);
    let hashes = BlocksRequest::Bodies(vec![Hash::repeat_byte(5)]).encode();
    let headers = BlocksResponse::Headers { headers: vec![bytes(3)], tip: Some(bytes(2)) }.encode();
    assert_eq!(headers.as_ref(), [0, 0xc9, 0xc4, 0x83, 1, 1, 1, 0xc3, 0x82, 1, 1]);
    let bodies = BlocksResponse::Bodies(vec![bytes(3), bytes(2)]).encode();
    assert_eq!(bodies.as_ref(), [1, 0xc7, 0x83, 1, 1, 1, 0x82, 1, 1]);
    let all = [range, hashes, headers, bodies].concat();
    assert_eq!(keccak256(all).to_string(), "0x7259bfc986617f6c4d98d4791b1e8f66dedead1de10962468a1308dbd908aeed");
}
