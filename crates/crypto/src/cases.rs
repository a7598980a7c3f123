//! Judging the signatures of many transactions in few batches.
//!
//! A transaction is a case: its slots, and for each slot the forms in which it may be signed, the usual one first. Round
//! after round every case names what is to be tried next; what all of them name is one batch of signed messages.

use crate::secp::native;
use crate::sign::{holder_bytes, inputs, sign_bytes};
use crate::{MessageSignature, SignedMessage, TxDomain};
use std::ops::Range;
use vigil_primitives::{
    Address, Coins, EthereumTx, Height, SIGNATURE_BYTES, SignBytes, SmartContract, TX_ACCOUNTS_MAX, Tx, TxInput,
    TxWrapper,
};

/// Slots that are judged together at first; the next waves are twice as long as the one before.
const WAVE_MIN: usize = 16;

/// What a signature may cover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One of the case's payloads in a wrapper.
    Wrapped(usize, TxWrapper),
    /// One of the case's other messages.
    Plain(usize),
}

/// One way in which a slot may be signed.
#[derive(Clone, Copy)]
struct Try {
    form: Form,
    signature: [u8; SIGNATURE_BYTES],
    signer: Address,
    /// First height at which this form is valid.
    from: Height,
}

/// One signature.
struct Slot {
    first: Option<Try>,
    second: Option<Try>,
    valid_from: Option<Height>,
}

/// The signature of an Ethereum transaction, whose signer nobody names.
struct Unnamed {
    message: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
    /// First height at which it is valid.
    from: Height,
}

/// The signatures of one transaction.
pub(crate) struct Case {
    payloads: Vec<SignBytes>,
    plain: Vec<Vec<u8>>,
    slots: Vec<Slot>,
    /// Of the one slot of a type 12, if it can be valid.
    unnamed: Option<Unnamed>,
    /// Slots that are being judged.
    wave: Range<usize>,
    /// The first tries have failed where there is no verdict.
    second: bool,
}

impl Case {
    pub(crate) fn new(domain: &TxDomain, tx: &Tx) -> Self {
        if let Tx::Ethereum(tx) = tx {
            return Self::of_ethereum(domain, tx);
        }
        let inputs = inputs(tx);
        let (mut payloads, mut plain) = (Vec::new(), Vec::new());
        let mut slots = Vec::with_capacity(inputs.len());
        if inputs.len() > TX_ACCOUNTS_MAX {
            slots.extend(inputs.iter().map(|_| Slot::none()));
        } else {
            let v2_from = match tx {
                Tx::Coinbase(_) | Tx::Slash(_) | Tx::ServicePayment(_) => None,
                _ => Some(domain.forks.tx_wrapper_extension),
            };
            payloads.push(sign_bytes(&domain.chain_id, tx, 0));
            if let Tx::ServicePayment(_) = tx {
                payloads.push(sign_bytes(&domain.chain_id, tx, 1));
            }
            let last = payloads.len() - 1;
            slots.extend(inputs.iter().enumerate().map(|(slot, input)| Slot::wrapped(slot.min(last), input, v2_from)));
        }
        match tx {
            Tx::SmartContract(t) => slots[0].first = slots[0].first.take().or_else(|| ethereum(domain, t, &mut plain)),
            Tx::DepositStakeV2(t) => {
                plain.push(holder_bytes(t).to_vec());
                let signed = |signature| Try { form: Form::Plain(0), signature, signer: t.holder.address, from: 0 };
                slots.push(Slot { first: t.holder_sig.as_array().copied().map(signed), ..Slot::none() });
            }
            _ => {}
        }
        let wave = 0..slots.len().min(WAVE_MIN);
        Self { payloads, plain, slots, unnamed: None, wave, second: false }
    }

    /// One slot, about which nothing is asked in rounds: there is one form, and nobody who is said to have signed it.
    fn of_ethereum(domain: &TxDomain, tx: &EthereumTx) -> Self {
        let (number, from) = domain.eth_number();
        let (message, signature) = (tx.eth_sign_bytes(), tx.signature());
        let unnamed = (tx.fields().chain_id == number).then_some(Unnamed { message, signature, from });
        let (payloads, plain, slots) = (Vec::new(), Vec::new(), vec![Slot::none()]);
        Self { payloads, plain, slots, unnamed, wave: 0..1, second: false }
    }

    /// Per slot, the first height at which its signature is valid.
    pub(crate) fn verdicts(&self) -> Box<[Option<Height>]> {
        self.slots.iter().map(|slot| slot.valid_from).collect()
    }

    /// The signature whose signer is to be found.
    pub(crate) fn unnamed(&self) -> Option<MessageSignature<'_>> {
        let Unnamed { message, signature, .. } = self.unnamed.as_ref()?;
        Some(MessageSignature { message, signature: *signature })
    }

    /// The signer of [`Self::unnamed`] has been found.
    pub(crate) fn signed_by_somebody(&mut self) {
        self.slots[0].valid_from = self.unnamed.as_ref().map(|unnamed| unnamed.from);
    }

    fn message(&self, form: Form) -> Vec<u8> {
        match form {
            Form::Wrapped(payload, wrapper) => self.payloads[payload].wrapped(wrapper),
            Form::Plain(message) => self.plain[message].clone(),
        }
    }

    /// What is to be tried now, by slot.
    fn tries(&self) -> impl Iterator<Item = (usize, &Try)> {
        let slots = self.wave.clone().zip(&self.slots[self.wave.clone()]);
        slots.filter_map(|(at, slot)| {
            let next = if self.second { slot.second.as_ref() } else { slot.first.as_ref() };
            next.filter(|_| slot.valid_from.is_none()).map(|next| (at, next))
        })
    }

    /// What was to be tried has been.
    fn advance(&mut self) {
        if !self.second {
            self.second = true;
            if self.tries().next().is_some() {
                return;
            }
        }
        let (end, all) = (self.wave.end, self.slots.len());
        let bad = self.slots[self.wave.clone()].iter().any(|slot| slot.valid_from.is_none());
        self.wave = if bad { all..all } else { end..all.min(end + 2 * self.wave.len()) };
        self.second = false;
    }
}

impl Slot {
    fn none() -> Self {
        Self { first: None, second: None, valid_from: None }
    }

    /// The six-field wrapper, then the nine-field one where it is allowed.
    fn wrapped(payload: usize, input: &TxInput, v2_from: Option<Height>) -> Self {
        let Some(signature) = input.signature.as_array().copied().filter(|sig| sig[64] <= 1) else {
            return Self::none();
        };
        let signer = input.address;
        let in_form = |wrapper, from| Try { form: Form::Wrapped(payload, wrapper), signature, signer, from };
        let second = v2_from.map(|from| in_form(TxWrapper::V2, from));
        Self { first: Some(in_form(TxWrapper::V1, 0)), second, valid_from: None }
    }
}

/// A contract transaction may carry the signature of an Ethereum one (`spec/ledger.md` §1.6), which no wrapped one looks
/// like. What that does not cover must be as the import writes it, so that an Ethereum transaction has one native form.
fn ethereum(domain: &TxDomain, tx: &SmartContract, plain: &mut Vec<Vec<u8>>) -> Option<Try> {
    let signature = native(tx.from.signature.as_array()?).ok()?;
    if !tx.from.coins.theta.is_zero() || tx.to.coins != Coins::ZERO {
        return None;
    }
    let (number, from) = domain.eth_number();
    plain.push(tx.eth_sign_bytes(number));
    Some(Try { form: Form::Plain(plain.len() - 1), signature, signer: tx.from.address, from })
}

/// What cases want to know next.
#[derive(Default)]
pub(crate) struct Round {
    messages: Vec<Vec<u8>>,
    asked: Vec<Asked>,
}

/// One signature of a round.
struct Asked {
    case: usize,
    slot: usize,
    message: usize,
    signature: [u8; SIGNATURE_BYTES],
    signer: Address,
    from: Height,
}

impl Round {
    /// The next one; without questions when all is judged.
    pub(crate) fn of(cases: &[Case]) -> Self {
        let mut round = Self::default();
        for (case, of) in cases.iter().enumerate() {
            let mut last = None; // the slots of a send cover one message
            for (slot, next) in of.tries() {
                if last != Some(next.form) {
                    round.messages.push(of.message(next.form));
                    last = Some(next.form);
                }
                let (message, Try { signature, signer, from, .. }) = (round.messages.len() - 1, *next);
                round.asked.push(Asked { case, slot, message, signature, signer, from });
            }
        }
        round
    }

    /// The questions. Slots that cover one message share it.
    pub(crate) fn questions(&self) -> impl ExactSizeIterator<Item = SignedMessage<'_>> {
        self.asked.iter().map(|asked| SignedMessage {
            message: &self.messages[asked.message],
            signature: asked.signature,
            signer: asked.signer,
        })
    }

    /// Goes on with the answers, in the order of the questions.
    pub(crate) fn answered(self, cases: &mut [Case], good: &[bool]) {
        assert_eq!(good.len(), self.asked.len(), "an answer for each question");
        for (asked, good) in self.asked.into_iter().zip(good) {
            cases[asked.case].slots[asked.slot].valid_from = good.then_some(asked.from);
        }
        cases.iter_mut().for_each(Case::advance);
    }
}
