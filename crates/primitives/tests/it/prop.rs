//! Properties: what is encoded decodes to itself, and nothing but the one encoding of a value decodes.

use crate::samples::Samples;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vigil_primitives::*;

fn roundtrip<T: rlp::Encodable + rlp::Decodable + PartialEq + std::fmt::Debug>(value: T) {
    let bytes = rlp::encode(&value);
    assert_eq!(bytes.len(), value.length(), "length() agrees with encode()");
    assert_eq!(rlp::decode_exact::<T>("value", &bytes, usize::MAX).unwrap(), value);
    let longer = [bytes.as_slice(), &[0x80]].concat();
    assert!(matches!(rlp::decode_exact::<T>("value", &longer, usize::MAX), Err(RlpError::Trailing { left: 1, .. })));
    assert!(rlp::decode_exact::<T>("value", &bytes[..bytes.len() - 1], usize::MAX).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn every_type_survives_the_wire(seed: u64) {
        let s = &mut Samples::new(seed);
        roundtrip(s.vote());
        roundtrip(s.header());
        roundtrip(s.header_with_receipts());
        roundtrip(s.votes());
        roundtrip(s.block());
        roundtrip(s.account());
        roundtrip(s.split_rule());
        roundtrip(ValidatorPool { sorted_candidates: s.list(4, Samples::holder) });
        roundtrip(GuardianPool { sorted_guardians: s.list(4, Samples::guardian) });
        roundtrip(EdgeNode { holder: s.holder(), bls_pubkey: s.bytes(48) });
        let block = s.block();
        prop_assert_eq!(Block::from_rlp(&rlp::encode(&block)), Ok(block));
    }

    #[test]
    fn transactions_survive_the_wire(seed: u64, tx_type in 0u8..13) {
        let tx = Samples::new(seed).tx(tx_type);
        let raw = tx.to_raw();
        prop_assert_eq!(tx.tx_type() as u8, tx_type);
        prop_assert_eq!(Tx::from_raw(&raw), Ok(tx));
        let longer = [raw.as_slice(), &[0]].concat();
        let is_trailing = matches!(Tx::from_raw(&longer), Err(RlpError::Trailing { left: 1, .. }));
        prop_assert!(is_trailing);
        prop_assert!(Tx::from_raw(&raw[..raw.len() - 1]).is_err());
    }

    #[test]
    fn a_transaction_has_one_encoding(seed: u64, tx_type in 0u8..13, place: prop::sample::Index, byte: u8) {
        let mut raw = Samples::new(seed).tx(tx_type).to_raw();
        let place = place.index(raw.len());
        raw[place] = byte;
        if let Ok(tx) = Tx::from_raw(&raw) {
            prop_assert_eq!(tx.to_raw(), raw);
        }
    }

    #[test]
    fn a_header_has_one_encoding(seed: u64, place: prop::sample::Index, byte: u8) {
        let mut bytes = rlp::encode(&Samples::new(seed).header_with_receipts());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(header) = rlp::decode_exact::<BlockHeader>("header", &bytes, usize::MAX) {
            prop_assert_eq!(rlp::encode(&header), bytes);
        }
    }

    #[test]
    fn any_bytes_decode_or_fail_quietly(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tx) = Tx::from_raw(&bytes) {
            prop_assert_eq!(tx.to_raw(), bytes.as_slice());
        }
        if let Ok(block) = Block::from_rlp(&bytes) {
            prop_assert_eq!(rlp::encode(&block), bytes.as_slice());
        }
    }

    #[test]
    fn signatures_do_not_sign_themselves(seed: u64, tx_type in 0u8..12) {
        prop_assume!(tx_type != 5); // a payment's target covers the source's signature
        let tx = Samples::new(seed).tx(tx_type);
        let mut resigned = tx.clone();
        resign(&mut resigned);
        prop_assert_eq!(SignBytes::of("privatenet", &tx), SignBytes::of("privatenet", &resigned));
        prop_assert_ne!(
            SignBytes::of("privatenet", &tx).wrapped(TxWrapper::V1),
            SignBytes::of("sky", &tx).wrapped(TxWrapper::V1)
        );
    }
}

fn resign(tx: &mut Tx) {
    let new = Signature(Bytes::from_static(b"another"));
    match tx {
        Tx::Coinbase(t) => t.proposer.signature = new,
        Tx::Slash(t) => t.proposer.signature = new,
        Tx::Send(t) => t.inputs.iter_mut().for_each(|i| i.signature = new.clone()),
        Tx::ReserveFund(t) => t.source.signature = new,
        Tx::ReleaseFund(t) => t.source.signature = new,
        Tx::ServicePayment(t) => t.target.signature = new,
        Tx::SplitRule(t) => t.initiator.signature = new,
        Tx::SmartContract(t) => t.from.signature = new,
        Tx::DepositStake(t) => t.source.signature = new,
        Tx::WithdrawStake(t) => t.source.signature = new,
        Tx::DepositStakeV2(t) => t.source.signature = new,
        Tx::StakeRewardDistribution(t) => t.holder.signature = new,
        Tx::Ethereum(_) => unreachable!("signs by its own rules"),
    }
}
