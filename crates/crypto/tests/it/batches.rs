//! Many transactions judged at once: the same verdicts in few batches, and forgeries that cost little.

use std::cell::RefCell;
use vigil_crypto::{
    Judging, MessageSignature, Scalar, SecretKey, SignatureChecker, SignedMessage, TxDomain, sign_tx, verify_tx,
    verify_txs,
};
use vigil_primitives::*;
use vigil_testkit::vectors::{self, array, hex_at, string};

/// Counts the signatures of each batch.
#[derive(Default)]
struct Counting(RefCell<Vec<usize>>);

impl Counting {
    fn total(&self) -> usize {
        self.0.borrow().iter().sum()
    }
}

impl SignatureChecker for Counting {
    fn check(&self, signed: &[SignedMessage<'_>]) -> Vec<bool> {
        self.0.borrow_mut().push(signed.len());
        Scalar.check(signed)
    }

    fn recover(&self, signed: &[MessageSignature<'_>]) -> Vec<Option<Address>> {
        self.0.borrow_mut().push(signed.len());
        Scalar.recover(signed)
    }

    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        Scalar.keccak256(messages)
    }
}

fn domain(chain_id: &str) -> TxDomain {
    TxDomain { chain_id: chain_id.into(), forks: Forks::default() }
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32]).expect("a key")
}

/// A send whose first `good` inputs are signed, in the nine-field wrapper where `second` says so; the others carry
/// signatures of something else.
fn send(inputs: usize, good: usize, second: impl Fn(usize) -> bool) -> Bytes {
    let input = TxInput { address: key().address(), coins: Coins::tokens(1, 1), ..TxInput::default() };
    let fee = Coins::tokens(0, 1);
    let mut tx = Tx::Send(Send { fee, inputs: vec![input; inputs], outputs: vec![TxOutput::default()] });
    let bytes = SignBytes::of("sky", &tx);
    let [v1, v2] = [TxWrapper::V1, TxWrapper::V2].map(|wrapper| key().sign(&keccak256(bytes.wrapped(wrapper))));
    let other = key().sign(&Hash::repeat_byte(1));
    let Tx::Send(t) = &mut tx else { unreachable!("made so") };
    for (slot, input) in t.inputs.iter_mut().enumerate() {
        input.signature = if slot >= good {
            &other
        } else if second(slot) {
            &v2
        } else {
            &v1
        }
        .clone();
    }
    tx.to_raw().into()
}

#[test]
fn a_batch_gives_what_one_by_one_gives() {
    let mut raws: Vec<Bytes> = vec![send(3, 3, |_| false), send(5, 4, |slot| slot % 2 == 0), Bytes::from_static(b"no")];
    if let Some(file) = vectors::json("ledger/tx_reference_signed.json") {
        raws.extend(array(&file, "vectors").iter().map(|case| Bytes::from(hex_at(case, "raw_tx"))));
        let reference = domain(string(&file, "chain_id"));
        compare(&reference, &raws);
    }
    raws.extend((0..40).map(|inputs| send(inputs, inputs / 2, |slot| slot % 3 == 0)));
    compare(&domain("sky"), &raws);
    assert!(verify_txs(&Scalar, &domain("sky"), []).is_empty());
}

fn compare(domain: &TxDomain, raws: &[Bytes]) {
    let counting = Counting::default();
    let together = verify_txs(&counting, domain, raws.iter().cloned());
    assert!(counting.0.borrow().len() <= 6, "batches: {:?}", counting.0.borrow());
    assert_eq!(together.len(), raws.len());
    for (raw, together) in raws.iter().zip(together) {
        match (verify_tx(domain, raw.clone()), together) {
            (Ok(alone), Ok(together)) => assert_eq!(format!("{alone:?}"), format!("{together:?}")),
            (Err(alone), Err(together)) => assert_eq!(alone, together),
            (alone, together) => panic!("{alone:?} alone, {together:?} in a batch"),
        }
    }
}

/// Questions of several lots, put together and answered in one batch.
#[test]
fn lots_are_judged_together() {
    let raws: Vec<Bytes> = (0..30).map(|inputs| send(inputs, inputs - inputs / 4, |slot| slot % 3 == 0)).collect();
    let domain = domain("sky");
    let mut lots: Vec<Judging> = raws.chunks(7).map(|raws| Judging::new(&domain, raws.iter().cloned())).collect();
    loop {
        let asked: Vec<SignedMessage<'_>> = lots.iter().flat_map(Judging::questions).collect();
        if asked.is_empty() {
            break;
        }
        let mut good = Scalar.check(&asked).into_iter();
        for lot in &mut lots {
            let count = lot.questions().len();
            lot.answered(&good.by_ref().take(count).collect::<Vec<_>>());
        }
        assert_eq!(good.next(), None);
    }
    let together = lots.into_iter().flat_map(|lot| lot.finish(&Scalar));
    let alone = verify_txs(&Scalar, &domain, raws);
    assert!(together.map(|tx| format!("{tx:?}")).eq(alone.iter().map(|tx| format!("{tx:?}"))));
}

#[test]
fn inputs_share_their_message() {
    let domain = domain("sky");
    let judging = Judging::new(&domain, [3, 1, 1, 9].map(|inputs| send(inputs, inputs, |_| false)));
    let asked: Vec<SignedMessage<'_>> = judging.questions().collect();
    let (messages, of) = SignedMessage::distinct(&asked);
    assert_eq!((messages.len(), asked.len()), (4, 14), "one for each transaction, though two are the same");
    assert_eq!(of, [0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
    assert!(asked.iter().zip(&of).all(|(asked, of)| asked.message == messages[*of]));
}

#[test]
fn good_sends_of_any_size_are_good() {
    for inputs in [1, 15, 16, 17, 47, 48, 49, 112, 511] {
        let tx = verify_tx(&domain("sky"), send(inputs, inputs, |slot| slot % 5 == 0)).expect("a transaction");
        assert!(tx.all_valid(), "{inputs} inputs");
    }
}

/// Every verdict up to the end of the wave with the first bad signature is exact; later ones are false.
#[test]
fn waves_stop_at_a_bad_one() {
    let inputs = 200;
    for (good, looked_at) in [(0, 16), (15, 16), (16, 48), (47, 48), (48, 112), (111, 112), (112, 200), (200, 200)] {
        let counting = Counting::default();
        let raw = send(inputs, good, |_| false);
        let tx = verify_txs(&counting, &domain("sky"), [raw]).pop().expect("one").expect("a transaction");
        let valid: Vec<bool> = (0..inputs).map(|slot| tx.valid(slot)).collect();
        assert_eq!(valid, (0..inputs).map(|slot| slot < good).collect::<Vec<_>>(), "{good} good");
        assert_eq!(counting.total(), looked_at + (looked_at - good), "{good} good: the bad ones are tried twice");
    }
}

#[test]
fn a_forged_send_costs_little() {
    let counting = Counting::default();
    verify_txs(&counting, &domain("sky"), [send(TX_ACCOUNTS_MAX, 0, |_| false)]);
    assert_eq!(counting.total(), 32);
    let counting = Counting::default();
    verify_txs(&counting, &domain("sky"), [send(TX_ACCOUNTS_MAX + 1, 0, |_| false)]);
    assert_eq!(counting.total(), 0);
}

#[test]
fn slots_of_other_types_do_not_wait_for_each_other() {
    let input = |key: &SecretKey| TxInput { address: key.address(), coins: Coins::tokens(1, 1), ..TxInput::default() };
    let payment = ServicePayment {
        fee: Coins::tokens(0, 1),
        source: input(&key()),
        target: input(&key()),
        payment_sequence: 1,
        reserve_sequence: 1,
        resource_id: "rid".into(),
    };
    let mut tx = Tx::ServicePayment(payment);
    sign_tx("sky", &mut tx, 1, &key()).expect("slot 1");
    let verified = verify_tx(&domain("sky"), tx.to_raw().into()).expect("a transaction");
    assert_eq!([0, 1].map(|slot| verified.valid(slot)), [false, true]);
}
