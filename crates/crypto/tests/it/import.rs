//! What clients of Ethereum send: in one native form, or refused with the words they know.

use vigil_crypto::{
    EthImportError, MessageSignature, Scalar, SecretKey, SignatureChecker, TxDomain, import_eth, import_eth_for,
    tx_of_block, verify_tx, verify_txs,
};
use vigil_primitives::*;
use vigil_testkit::ethereum::{EthTx, list, type_12};

const NUMBER: u64 = 366;
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn domain() -> TxDomain {
    TxDomain { chain_id: "privatenet".into(), forks: Forks::default() }
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[9; 32]).unwrap()
}

fn eth(eth_type: u8) -> EthTx {
    let priority = U256::from(if eth_type == 2 { 5 } else { 0 });
    EthTx {
        eth_type,
        chain_id: U256::from(NUMBER),
        nonce: 7,
        max_priority_fee_per_gas: priority,
        max_fee_per_gas: U256::from(4_000_000_000_000u64),
        gas_limit: 90_000,
        to: Some(Address::repeat_byte(0x42)),
        value: U256::from(3),
        data: Bytes::from_static(b"input"),
        access_list: if eth_type == 0 { vec![] } else { vec![(Address::repeat_byte(1), vec![Hash::repeat_byte(2)])] },
    }
}

/// `r || s || v`, v 0 or 1.
fn signature(tx: &EthTx) -> [u8; 65] {
    *key().sign(&keccak256(tx.unsigned())).as_array().unwrap()
}

fn sign(tx: &EthTx) -> Vec<u8> {
    tx.signed(&signature(tx))
}

fn numbers(signature: &[u8; 65]) -> (U256, U256, u8) {
    (U256::from_be_slice(&signature[..32]), U256::from_be_slice(&signature[32..64]), signature[64])
}

fn join(r: U256, s: U256, v: u8) -> [u8; 65] {
    [r.to_be_bytes::<32>().as_slice(), &s.to_be_bytes::<32>(), &[v]].concat().try_into().unwrap()
}

fn import(raw: &[u8]) -> Result<Bytes, EthImportError> {
    import_eth(&domain(), raw)
}

fn why(raw: &[u8]) -> String {
    import(raw).unwrap_err().to_string()
}

#[test]
fn what_is_imported_verifies() {
    for eth_type in 0..3 {
        for to in [eth(0).to, None] {
            let tx = EthTx { to, ..eth(eth_type) };
            let raw = sign(&tx);
            let native = import(&raw).unwrap();
            let verified = verify_tx(&domain(), native.clone()).unwrap();
            assert!(verified.all_valid() && verified.slots() == 1);
            assert_eq!(verified.tx().tx_type() as u8, if eth_type == 0 { 7 } else { 12 });
            assert_eq!(verified.tx().sender(), Some((key().address(), 8)));
            assert_eq!(verified.tx().eth_hash(U256::from(NUMBER)), Some(keccak256(&raw)));
            assert_eq!(verified.hash(), keccak256(&native));
            let call = verified.tx().contract_call().unwrap();
            assert_eq!((call.from, call.to, call.value), (key().address(), to, tx.value));
            assert_eq!((call.max_fee_per_gas, call.gas_limit, call.data), (tx.max_fee_per_gas, tx.gas_limit, &tx.data));
            assert_eq!((call.eth_type, call.access_list.len()), (eth_type, tx.access_list.len()));
            assert_eq!(&tx_of_block(&native).unwrap(), verified.tx());
        }
    }
    assert_eq!(import(&sign(&eth(2))).unwrap().to_vec(), type_12(&sign(&eth(2))));
}

#[test]
fn words_that_tools_know() {
    for eth_type in 0..3 {
        let other = EthTx { chain_id: U256::from(1), ..eth(eth_type) };
        assert_eq!(why(&sign(&other)), "invalid chain id for signer: have 1 want 366");
        let last = EthTx { nonce: u64::MAX, ..eth(eth_type) };
        assert_eq!(why(&sign(&last)), "nonce has max value");
        assert!(import(&sign(&EthTx { nonce: u64::MAX - 1, ..eth(eth_type) })).is_ok());
        let raw = sign(&eth(eth_type));
        assert!(why(&raw[..raw.len() - 1]).starts_with("rlp: "));
        assert!(why(&[raw.as_slice(), &[0]].concat()).starts_with("rlp: "));
    }
    let (r, s, v) = numbers(&signature(&EthTx { chain_id: U256::ZERO, ..eth(0) }));
    let unprotected = eth(0).with_tail(&[U256::from(27 + v), r, s]);
    assert_eq!(why(&unprotected), "only replay-protected (EIP-155) transactions allowed over RPC");
    for (eth_type, text) in [(0, "0"), (3, "3"), (4, "4"), (0x7f, "127")] {
        let raw = [&[eth_type], &sign(&eth(2))[1..]].concat();
        assert_eq!(why(&raw), format!("transaction type not supported: {text}"));
    }
    assert!(why(&[]).starts_with("rlp: ") && why(&[2]).starts_with("rlp: ") && why(&[0x80]).starts_with("rlp: "));
    assert!(why(&sign(&EthTx { to: Some(Address::ZERO), ..eth(0) })).contains("zero address"));
    assert!(import(&sign(&EthTx { to: Some(Address::ZERO), ..eth(2) })).is_ok(), "type 12 can say it");
}

#[test]
fn bad_signatures() {
    let n = U256::from_str_radix(ORDER, 16).unwrap();
    for eth_type in 0..3 {
        let tx = eth(eth_type);
        let (r, s, v) = numbers(&signature(&tx));
        let refused = |signature: [u8; 65]| {
            let raw = tx.signed(&signature);
            assert!(why(&raw).starts_with("invalid sender"), "{}", why(&raw));
            if eth_type > 0 {
                let verified = verify_tx(&domain(), type_12(&raw).into()).unwrap();
                assert!(!verified.all_valid() && verified.slots() == 1);
                assert_eq!(verified.tx().sender(), Some((Address::ZERO, 8)), "nobody");
            }
        };
        refused(join(r, n - s, 1 - v));
        refused(join(r, n - s, v));
        for bad in [U256::ZERO, n, n + U256::from(1), U256::MAX] {
            refused(join(bad, s, v));
            refused(join(r, bad, v));
        }
        refused(join(U256::from(5), s, v)); // no point has this x
        // Another parity is another sender; nobody says whose it was to be.
        let other = import(&tx.signed(&join(r, s, 1 - v))).ok().and_then(|raw| tx_of_block(&raw).ok());
        assert_ne!(other.and_then(|tx| tx.sender()), Some((key().address(), 8)));
    }
}

/// One Ethereum transaction has one v.
#[test]
fn v_of_legacy_transactions() {
    let (r, s, v) = numbers(&signature(&eth(0)));
    let right = U256::from(2 * NUMBER + 35 + u64::from(v));
    let of = |v: U256| import(&eth(0).with_tail(&[v, r, s]));
    assert!(of(right).is_ok());
    for v in [0, 1, 26, 29, 34] {
        assert_eq!(of(U256::from(v)), Err(EthImportError::V(U256::from(v))));
    }
    for v in [35, 36, 2 * NUMBER + 33, 2 * NUMBER + 34, 2 * NUMBER + 37, u64::MAX] {
        let (have, want) = (U256::from((v - 35) / 2), U256::from(NUMBER));
        assert_eq!(of(U256::from(v)), Err(EthImportError::ChainId { have, want }));
    }
    assert!(matches!(of(U256::MAX), Err(EthImportError::ChainId { .. })));
    assert!(matches!(of(right.wrapping_add(U256::from(1) << 255)), Err(EthImportError::ChainId { .. })));
}

/// Numbers as wide as a hash, which any other chain id text gives, work in type 12 (v of legacy ones has no room for all).
#[test]
fn wide_chain_numbers() {
    let wide = TxDomain { chain_id: "a chain of its own".into(), forks: Forks::default() };
    let (number, from) = wide.eth_number();
    assert!(number.bit_len() > 200 && from == 0);
    for eth_type in 1..3 {
        let raw = sign(&EthTx { chain_id: number, ..eth(eth_type) });
        let native = import_eth(&wide, &raw).unwrap();
        assert!(verify_tx(&wide, native.clone()).unwrap().all_valid());
        assert!(!verify_tx(&domain(), native).unwrap().all_valid(), "not on another chain");
    }
    assert!(import_eth_for(U256::MAX, &sign(&eth(0))).is_err());
}

#[test]
fn heights_of_the_rules() {
    let late = TxDomain { chain_id: "privatenet".into(), forks: Forks { rpc_compatibility: 50, ..Forks::default() } };
    let verified = verify_tx(&late, type_12(&sign(&eth(2))).into()).unwrap();
    assert!(verified.valid(0) && !verified.valid_at(0, 49) && verified.valid_at(0, 50));
    let subchain = TxDomain { chain_id: "tsub5000".into(), forks: Forks { metachain: 90, ..Forks::default() } };
    let raw = sign(&EthTx { chain_id: U256::from(5_000), ..eth(2) });
    let verified = verify_tx(&subchain, type_12(&raw).into()).unwrap();
    assert!(!verified.valid_at(0, 89) && verified.valid_at(0, 90));
}

#[test]
fn sizes_at_the_limit() {
    for eth_type in 0..3 {
        let of = |length: usize| sign(&EthTx { data: vec![1; length].into(), ..eth(eth_type) });
        let own = import(&of(100_000)).unwrap().len() - 100_000;
        let fits = import(&of(TX_BYTES_MAX - own)).unwrap();
        assert_eq!(fits.len(), TX_BYTES_MAX);
        assert!(verify_tx(&domain(), fits).unwrap().all_valid());
        for longer in [1, 1_000, TX_BYTES_MAX] {
            let error = why(&of(TX_BYTES_MAX - own + longer));
            assert!(
                error.starts_with("oversized data: transaction size ") && error.ends_with("limit 262144"),
                "{error}"
            );
        }
    }
}

/// Any changed byte of the envelope: refused, or another's.
#[test]
fn no_byte_can_change() {
    for eth_type in 0..3 {
        let native = import(&sign(&eth(eth_type))).unwrap().to_vec();
        for (place, bit) in (0..native.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut changed = native.clone();
            changed[place] ^= 1 << bit;
            let Ok(verified) = verify_tx(&domain(), changed.into()) else { continue };
            let is_same = verified.all_valid() && verified.tx().sender().map(|(from, _)| from) == Some(key().address());
            assert!(!is_same, "type {eth_type}, byte {place}, bit {bit}");
        }
    }
}

#[test]
fn many_at_once_are_as_one_by_one() {
    let mut raws: Vec<Bytes> = Vec::new();
    for n in 0..60u64 {
        let chain_id = U256::from(if n % 7 == 0 { 1 } else { NUMBER });
        let tx = EthTx { nonce: n, chain_id, ..eth(1 + (n % 2) as u8) };
        let (r, s, v) = numbers(&signature(&tx));
        let signature = join(if n % 5 == 0 { U256::ZERO } else { r }, s, v);
        raws.push(type_12(&tx.signed(&signature)).into());
        raws.push(import(&sign(&EthTx { nonce: n, ..eth(0) })).unwrap());
        raws.push(vec![12, 0xc0, n as u8].into());
    }
    let text = |verified: &Result<_, RlpError>| format!("{verified:?}");
    let alone: Vec<String> = raws.iter().map(|raw| text(&verify_tx(&domain(), raw.clone()))).collect();
    let together: Vec<String> = verify_txs(&Scalar, &domain(), raws.clone()).iter().map(text).collect();
    assert_eq!(alone, together);
    let valid = |raw: &Bytes| verify_tx(&domain(), raw.clone()).is_ok_and(|tx| tx.all_valid());
    let good = raws.iter().filter(|raw| raw[0] == 12 && valid(raw)).count();
    assert_eq!(good, (0..60).filter(|n| n % 7 != 0 && n % 5 != 0).count());
}

#[test]
fn the_scalar_checker_recovers() {
    let (message, signature) = (eth(2).unsigned(), signature(&eth(2)));
    let good = MessageSignature { message: &message, signature };
    let bad = MessageSignature { signature: [0; 65], ..good };
    assert_eq!(Scalar.recover(&[good, bad, good]), [Some(key().address()), None, Some(key().address())]);
    assert!(Scalar.recover(&[]).is_empty());
}

#[test]
fn hostile_bytes_are_refused_quietly() {
    let mut nested = Vec::new();
    while nested.len() < 200_000 {
        nested = list(&nested);
        nested.extend([0xc0; 32]);
    }
    for raw in [list(&nested), [&[1], list(&nested).as_slice()].concat(), vec![0xff; 1_000], vec![0xbf; 9]] {
        assert!(why(&raw).starts_with("rlp: "));
    }
    let seed = 0x12_5e_ed_u64;
    eprintln!("seed {seed}");
    let mut bytes = keccak256(seed.to_be_bytes());
    for round in 0..2_000usize {
        bytes = keccak256(bytes);
        let mut raw = sign(&eth((round % 3) as u8));
        let place = usize::from(bytes[0]) % raw.len();
        match bytes[1] % 3 {
            0 => raw[place] = bytes[2],
            1 => drop(raw.remove(place)),
            _ => raw.insert(place, bytes[2]),
        }
        let Ok(native) = import(&raw) else { continue };
        let tx = tx_of_block(&native).unwrap();
        assert_eq!(tx.eth_hash(U256::from(NUMBER)), Some(keccak256(&raw)), "what is taken is kept whole");
    }
}
