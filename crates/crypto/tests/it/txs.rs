//! Transactions and headers whose signatures are judged: the reference's, the npm package's, our own.

use serde_json::Value;
use vigil_crypto::bls;
use vigil_crypto::{
    SecretKey, TxDomain, VerifiedTx, import_eth, sign_digest, sign_tx, verify_digest, verify_header, verify_tx,
};
use vigil_primitives::*;
use vigil_testkit::vectors::{self, array, hex_at, kept_json, string};

fn domain(chain_id: &str) -> TxDomain {
    TxDomain { chain_id: chain_id.into(), forks: Forks::default() }
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).unwrap()
}

fn key_at(case: &Value, name: &str) -> SecretKey {
    SecretKey::from_bytes(&hex_at(case, name).try_into().unwrap()).unwrap()
}

fn verify(chain_id: &str, raw: Vec<u8>) -> VerifiedTx {
    verify_tx(&domain(chain_id), raw.into()).unwrap()
}

/// The transaction with one signature taken away and made anew is the same again.
fn resign(chain_id: &str, tx: &Tx, slot: usize, key: &SecretKey) {
    let mut again = tx.clone();
    sign_tx(chain_id, &mut again, slot, key).unwrap();
    assert_eq!(again, *tx);
}

#[test]
fn reference_signed_transactions() {
    let Some(file) = vectors::json("ledger/tx_reference_signed.json") else { return };
    let chain_id = string(&file, "chain_id");
    for case in array(&file, "vectors") {
        let (name, raw) = (string(case, "name"), hex_at(case, "raw_tx"));
        let verified = verify(chain_id, raw.clone());
        assert_eq!((verified.hash().to_vec(), verified.raw().to_vec()), (hex_at(case, "tx_hash"), raw), "{name}");
        assert!(verified.all_valid(), "{name}");
        assert!(!verify("privatenet2", verified.raw().to_vec()).all_valid(), "{name} on another chain");
        assert!(!verified.pop_valid(), "{name}: the reference's proofs are of the old form");
        if let Tx::ServicePayment(_) = verified.tx() {
            resign(chain_id, verified.tx(), 0, &key_at(case, "source_private_key"));
            resign(chain_id, verified.tx(), 1, &key_at(case, "target_private_key"));
        } else {
            resign(chain_id, verified.tx(), 0, &key_at(case, "signer_private_key"));
        }
        if let Tx::DepositStakeV2(t) = verified.tx() {
            assert_eq!(verified.holder_valid(), !t.holder_sig.is_none(), "{name}: keccak of the proof is signed");
        }
        check_second_wrapper(chain_id, case, verified.tx());
    }
}

/// The same signer over the nine-field form: accepted for the types of `spec/ledger.md` §1.3 from the fork height on.
fn check_second_wrapper(chain_id: &str, case: &Value, tx: &Tx) {
    if !case["sign_bytes_v2"].is_string() {
        return;
    }
    let signature = key_at(case, "signer_private_key").sign(&keccak256(hex_at(case, "sign_bytes_v2")));
    let raw = with_first_signature(tx.clone(), signature).to_raw();
    let allowed = !matches!(tx, Tx::Coinbase(_) | Tx::Slash(_));
    assert_eq!(verify(chain_id, raw.clone()).all_valid(), allowed, "{}", case["name"]);
    let late = Forks { tx_wrapper_extension: 100, ..Forks::default() };
    let verified = verify_tx(&TxDomain { chain_id: chain_id.into(), forks: late }, raw.into()).unwrap();
    assert!(!verified.valid_at(0, 99));
    assert_eq!(verified.valid_at(0, 100), allowed);
}

fn with_first_signature(mut tx: Tx, signature: Signature) -> Tx {
    let place = match &mut tx {
        Tx::Coinbase(t) => &mut t.proposer.signature,
        Tx::Slash(t) => &mut t.proposer.signature,
        Tx::Send(t) => &mut t.inputs[0].signature,
        Tx::ReserveFund(t) => &mut t.source.signature,
        Tx::ReleaseFund(t) => &mut t.source.signature,
        Tx::ServicePayment(t) => &mut t.source.signature,
        Tx::SplitRule(t) => &mut t.initiator.signature,
        Tx::SmartContract(t) => &mut t.from.signature,
        Tx::DepositStake(t) => &mut t.source.signature,
        Tx::WithdrawStake(t) => &mut t.source.signature,
        Tx::DepositStakeV2(t) => &mut t.source.signature,
        Tx::StakeRewardDistribution(t) => &mut t.holder.signature,
        Tx::Ethereum(_) => unreachable!("not among them"),
    };
    *place = signature;
    tx
}

#[test]
fn package_transactions() {
    let files =
        ["send", "smart_contract", "withdraw_stake", "deposit_stake_v2", "stake_reward_distribution", "deposit_stake"];
    for file in files {
        for case in array(&kept_json(&format!("theta-js/{file}.json")), "cases") {
            let verified = verify(string(case, "chain_id"), hex_at(case, "signed_tx"));
            let signature = Signature(hex_at(case, "signature").into());
            let signer = key_at(case, "private_key");
            let digest = Hash::from_slice(&hex_at(case, "sign_hash"));
            assert_eq!(signer.sign(&digest), signature, "{}", case["name"]);
            assert!(verify_digest(&string(case, "address").parse().unwrap(), &digest, &signature));
            // The package signs the type 8 form; the chain wants type 10 for all purposes but 0 (spec §2.3).
            let own_form = matches!(verified.tx(), Tx::DepositStake(t) if t.purpose != 0);
            assert_eq!(verified.all_valid(), !own_form, "{file}: {}", case["name"]);
            assert!(!verify(string(case, "chain_id"), hex_at(case, "unsigned_tx")).all_valid());
            if !own_form {
                resign(string(case, "chain_id"), verified.tx(), 0, &signer);
            }
            let sample = case["summary_origin"] == "published sample";
            assert_eq!(verified.holder_valid(), sample, "{}", case["name"]);
        }
    }
}

/// Nobody can make a second valid transaction out of one: every byte is signed, or of the one encoding, or of the one
/// signature.
#[test]
fn no_byte_of_a_signed_transaction_can_change() {
    for file in ["send", "smart_contract", "withdraw_stake", "deposit_stake_v2", "stake_reward_distribution"] {
        let file = kept_json(&format!("theta-js/{file}.json"));
        for case in array(&file, "cases").iter().filter(|case| string(case, "signed_tx").len() < 1_000) {
            let raw = hex_at(case, "signed_tx");
            for (place, bit) in (0..raw.len()).flat_map(|place| [(place, 0x01), (place, 0x80)]) {
                let mut changed = raw.clone();
                changed[place] ^= bit;
                let result = verify_tx(&domain(string(case, "chain_id")), changed.into());
                assert!(!result.is_ok_and(|tx| tx.all_valid()), "{}: byte {place}", case["name"]);
            }
        }
    }
}

#[test]
fn package_quirks() {
    for case in array(&kept_json("theta-js/quirks.json"), "cases") {
        let result = verify_tx(&domain(string(case, "chain_id")), hex_at(case, "signed_tx").into());
        match string(case, "reject_stage") {
            "decode" => assert!(result.is_err(), "{}", case["name"]),
            _ => assert!(!result.unwrap().all_valid(), "{}", case["name"]),
        }
    }
}

#[test]
fn signed_send_of_the_reference_tests() {
    let Some(file) = vectors::json("ledger/tx_go_tests.json") else { return };
    for case in array(&file, "vectors").iter().filter(|case| case["expected_raw_tx"].is_string()) {
        let verified = verify(string(&case["fields"], "chain_id"), hex_at(case, "expected_raw_tx"));
        assert!(verified.all_valid());
        resign("privatenet", verified.tx(), 0, &key_at(case, "private_key"));
    }
    for (seed, address) in file["seed_addresses"].as_object().unwrap() {
        let bytes: Vec<u8> = seed.bytes().cycle().take(40).collect();
        let order = alloy_primitives::U512::from_str_radix(ORDER, 16).unwrap();
        let one = alloy_primitives::U512::from(1);
        let number = alloy_primitives::U512::from_be_slice(&bytes) % (order - one) + one;
        let key = SecretKey::from_bytes(number.to_be_bytes::<64>()[32..].try_into().unwrap()).unwrap();
        assert_eq!(key.address(), address.as_str().unwrap().parse::<Address>().unwrap(), "{seed}");
    }
}

const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

#[test]
fn ethereum_signed_transactions() {
    let Some(file) = vectors::json("ledger/eth_tx.json") else { return };
    let chain_id = string(&file, "chain_id");
    for case in array(&file, "vectors") {
        let raw = hex_at(case, "theta_raw_tx");
        let verified = verify(chain_id, raw.clone());
        assert!(verified.all_valid(), "{}", case["name"]);
        assert_eq!(verified.hash().to_vec(), hex_at(case, "theta_tx_hash"));
        assert!(!verify("testnet", raw.clone()).all_valid(), "the number of another chain");
        let late = Forks { rpc_compatibility: 50, ..Forks::default() };
        let verified = verify_tx(&TxDomain { chain_id: chain_id.into(), forks: late }, raw.clone().into()).unwrap();
        assert!(!verified.valid_at(0, 49) && verified.valid_at(0, 50));
        let Ok(Tx::SmartContract(tx)) = Tx::from_raw(&raw) else { panic!("type 7") };
        check_ethereum_variants(chain_id, &tx);
        let imported = import_eth(&domain(chain_id), &hex_at(case, "eth_raw_tx"));
        assert_eq!(imported, Ok(raw.clone().into()), "{}", case["name"]);
        let number = U256::from_str_radix(string(case, "eth_chain_id"), 10).unwrap();
        assert_eq!(verified.tx().eth_hash(number).unwrap().to_vec(), hex_at(case, "eth_tx_hash"));
    }
}

fn check_ethereum_variants(chain_id: &str, tx: &SmartContract) {
    let valid = |change: &dyn Fn(&mut SmartContract)| {
        let mut tx = tx.clone();
        change(&mut tx);
        verify(chain_id, Tx::SmartContract(tx).to_raw()).all_valid()
    };
    let with_v = |v: u8| {
        move |t: &mut SmartContract| {
            let mut bytes = t.from.signature.0.to_vec();
            bytes[64] = v;
            t.from.signature = Signature(bytes.into());
        }
    };
    let v = tx.from.signature.0[64];
    assert!(valid(&|_| ()));
    assert!((0..=255).filter(|other| *other != v).all(|other| !valid(&with_v(other))), "one v");
    assert!(!valid(&|t| t.from.coins.theta = U256::from(1)), "no stake token through Ethereum's form");
    assert!(!valid(&|t| t.from.sequence += 1) && !valid(&|t| t.gas_limit += 1));
    assert!(!valid(&|t| t.from.signature = Signature::none()));
    assert!(!valid(&|t| t.from.signature = Signature(t.from.signature.0.slice(..64))));
    assert!(
        !valid(&|t| t.to.coins.theta = U256::from(1)),
        "ignored on the reference, which gives one transaction many hashes"
    );
    assert!(!valid(&|t| t.to.coins.tfuel = U256::from(1)));
}

fn input(key: &SecretKey) -> TxInput {
    TxInput { address: key.address(), coins: Coins::tokens(1, 1), sequence: 1, signature: Signature::none() }
}

fn send(inputs: usize) -> Tx {
    let inputs = (0..inputs).map(|i| input(&key(1 + (i % 9) as u8))).collect();
    Tx::Send(Send { fee: Coins::tokens(0, 1), inputs, outputs: vec![TxOutput::default()] })
}

#[test]
fn one_verdict_an_input() {
    let mut tx = send(4);
    for slot in [0, 1, 3] {
        sign_tx("sky", &mut tx, slot, &key(slot as u8 + 1)).unwrap();
    }
    sign_tx("sky", &mut tx, 2, &key(9)).unwrap();
    let verified = verify("sky", tx.to_raw());
    assert_eq!(verified.slots(), 4);
    assert_eq!([0, 1, 2, 3, 4].map(|slot| verified.valid(slot)), [true, true, false, true, false]);
    assert!(!verified.all_valid());
    sign_tx("sky", &mut tx, 2, &key(3)).unwrap();
    assert!(verify("sky", tx.to_raw()).all_valid());
    assert_eq!(
        sign_digest("sky", &tx, 4).unwrap_err().to_string(),
        "this transaction has 4 signatures, there is no slot 4"
    );
}

/// At the limit of accounts all are verified; above none is, whatever they are worth.
#[test]
fn signatures_at_and_above_the_limit() {
    for (inputs, valid) in [(TX_ACCOUNTS_MAX - 1, true), (TX_ACCOUNTS_MAX, true), (TX_ACCOUNTS_MAX + 1, false)] {
        let mut tx = send(inputs);
        let digest = sign_digest("sky", &tx, 0).unwrap();
        let signatures: Vec<_> = (1..=9).map(|b| key(b).sign(&digest)).collect();
        let Tx::Send(t) = &mut tx else { unreachable!("made so") };
        t.inputs.iter_mut().enumerate().for_each(|(i, input)| input.signature = signatures[i % 9].clone());
        let verified = verify("sky", tx.to_raw());
        assert_eq!((verified.slots(), verified.all_valid()), (inputs, valid));
    }
}

#[test]
fn payments_have_two_signers() {
    let payment = ServicePayment {
        fee: Coins::tokens(0, 1),
        source: input(&key(1)),
        target: input(&key(2)),
        payment_sequence: 1,
        reserve_sequence: 1,
        resource_id: "rid".into(),
    };
    let mut tx = Tx::ServicePayment(payment);
    sign_tx("sky", &mut tx, 0, &key(1)).unwrap();
    sign_tx("sky", &mut tx, 1, &key(2)).unwrap();
    assert!(verify("sky", tx.to_raw()).all_valid());
    let verdicts = |change: fn(&mut ServicePayment)| {
        let Tx::ServicePayment(mut t) = tx.clone() else { unreachable!("made so") };
        change(&mut t);
        let verified = verify("sky", Tx::ServicePayment(t).to_raw());
        [verified.valid(0), verified.valid(1)]
    };
    assert_eq!(verdicts(|t| t.fee = Coins::ZERO), [true, false], "the source knows no fee");
    assert_eq!(verdicts(|t| t.target.sequence = 9), [true, false]);
    assert_eq!(verdicts(|t| t.source.sequence = 9), [true, false], "nor its own sequence");
    assert_eq!(verdicts(|t| t.payment_sequence = 9), [false, false]);
    assert_eq!(verdicts(|t| t.source.signature = Signature::none()), [false, false], "the target covers it");
}

fn deposit(purpose: u8) -> DepositStakeV2 {
    let bls = bls::SecretKey::from_bytes(&[3; 32]).unwrap();
    DepositStakeV2 {
        fee: Coins::tokens(0, 1),
        source: input(&key(1)),
        holder: TxOutput { address: key(2).address(), coins: Coins::ZERO },
        purpose,
        bls_pubkey: bls.public_key().to_bytes().to_vec().into(),
        bls_pop: bls.prove_possession().to_bytes().to_vec().into(),
        holder_sig: Signature::none(),
    }
}

#[test]
fn deposits_prove_possession() {
    let mut tx = Tx::DepositStakeV2(deposit(1));
    sign_tx("sky", &mut tx, 1, &key(2)).unwrap();
    sign_tx("sky", &mut tx, 0, &key(1)).unwrap();
    let verified = verify("sky", tx.to_raw());
    assert!(verified.all_valid() && verified.holder_valid() && verified.pop_valid());
    assert_eq!(verified.slots(), 2);
    let broken = |change: fn(&mut DepositStakeV2)| {
        let mut t = deposit(1);
        change(&mut t);
        let mut tx = Tx::DepositStakeV2(t);
        sign_tx("sky", &mut tx, 1, &key(2)).unwrap();
        sign_tx("sky", &mut tx, 0, &key(1)).unwrap();
        let verified = verify("sky", tx.to_raw());
        assert!(
            verified.all_valid() && verified.holder_valid(),
            "what the source and holder sign is right all the same"
        );
        !verified.pop_valid()
    };
    assert!(broken(|t| t.bls_pop = Bytes::new()) && broken(|t| t.bls_pubkey = Bytes::new()));
    assert!(broken(|t| t.bls_pop = bls::SecretKey::generate().prove_possession().to_bytes().to_vec().into()));
    assert!(broken(|t| t.bls_pubkey = vec![0xff; 48].into()), "no point");
    assert!(broken(|t| t.bls_pop = [&[0xc0], [0; 95].as_slice()].concat().into()), "infinity");
    let unsigned = verify("sky", Tx::DepositStakeV2(deposit(1)).to_raw());
    assert!(!unsigned.pop_valid(), "no pairing for what nobody signed");
    let mut other = Tx::DepositStakeV2(deposit(1));
    sign_tx("sky", &mut other, 1, &key(7)).unwrap();
    sign_tx("sky", &mut other, 0, &key(1)).unwrap();
    let verified = verify("sky", other.to_raw());
    assert!(verified.all_valid() && !verified.holder_valid(), "another than the holder signed");
}

/// `spec/ledger.md` §2.3: which form each purpose signs.
#[test]
fn forms_of_deposits() {
    let digest = |tx: &Tx| sign_digest("sky", tx, 0).unwrap();
    let v1 = |purpose| {
        let t = deposit(purpose);
        Tx::DepositStake(DepositStake { fee: t.fee, source: t.source, holder: t.holder, purpose })
    };
    let v2 = |purpose| Tx::DepositStakeV2(deposit(purpose));
    let bare = |purpose| {
        let (bls_pubkey, bls_pop, holder_sig) = (Bytes::new(), Bytes::new(), Signature::none());
        Tx::DepositStakeV2(DepositStakeV2 { bls_pubkey, bls_pop, holder_sig, ..deposit(purpose) })
    };
    assert_eq!(digest(&v1(0)), digest(&v2(0)), "both sign type 8");
    for purpose in [1, 2] {
        assert_eq!(digest(&v1(purpose)), digest(&bare(purpose)), "type 10 with an empty tail");
        assert_ne!(digest(&v1(purpose)), digest(&v2(purpose)));
        let own = keccak256(SignBytes::of("sky", &v1(purpose)).wrapped(TxWrapper::V1));
        assert_ne!(digest(&v1(purpose)), own);
    }
    assert_eq!(digest(&v1(3)), digest(&v2(200)), "the chain id alone");
    let nothing = keccak256(wrap_sign_bytes(&[0x83, b's', b'k', b'y'], TxWrapper::V1));
    assert_eq!(digest(&v1(3)), nothing);
}

#[test]
fn headers() {
    let mut header = BlockHeader { height: 7, proposer: key(1).address(), ..BlockHeader::default() };
    assert!(!verify_header(&header));
    header.signature = key(1).sign(&header.sign_digest());
    assert!(verify_header(&header));
    assert!(!verify_header(&BlockHeader { height: 8, ..header.clone() }));
    assert!(!verify_header(&BlockHeader { proposer: key(2).address(), ..header }));
    let Some(file) = vectors::json("ledger/block.json") else { return };
    for case in array(&file, "blocks") {
        let key = key_at(case, "proposer_private_key");
        let signature = key.sign(&keccak256(hex_at(case, "header_sign_bytes")));
        let (header, needle) = (hex_at(case, "header_rlp"), signature.0.to_vec());
        assert!(header.windows(65).any(|w| w == needle), "{}", case["name"]);
    }
    let vote = &file["vote"];
    let signature = key_at(vote, "private_key").sign(&keccak256(hex_at(vote, "sign_bytes")));
    assert!(hex_at(vote, "vote_rlp").ends_with(&signature.0));
}

#[test]
fn undecodable_bytes_are_errors() {
    let tx = send(1).to_raw();
    assert!(verify_tx(&domain("sky"), tx.clone().into()).is_ok());
    assert!(verify_tx(&domain("sky"), [tx, vec![0]].concat().into()).is_err(), "trailing bytes");
    assert!(verify_tx(&domain("sky"), Bytes::new()).is_err());
}
