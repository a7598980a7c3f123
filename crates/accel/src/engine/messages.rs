//! Signed messages: hashed, and their signers verified.

use super::divide::On;
use super::plan::Op;
use super::work::{Places, Work, lock};
use crate::gpu::{Fault, Gpu};
use crate::ops::{MessageSignature, Signed, SignedMessage};
use vigil_crypto::Check;
use vigil_primitives::Address;

impl Work {
    pub(super) fn verify_messages(&self, messages: &[SignedMessage<'_>]) -> Vec<bool> {
        self.divided(Op::Recover, messages, |part, on| match on {
            On::ThisThread => self.verify_messages_part(part, on),
            On::Card { .. } => self.verify_messages_by_card(part, on),
        })
    }

    /// By the CPU: where nobody is said to have signed, nothing would show a card's wrong word.
    pub(super) fn recover_messages(&self, messages: &[MessageSignature<'_>]) -> Vec<Option<Address>> {
        let texts: Vec<&[u8]> = messages.iter().map(|item| item.message).collect();
        let digests = self.keccak256(&texts);
        let signed = |(item, digest): (&MessageSignature<'_>, _)| Signed { digest, signature: item.signature };
        let signed: Vec<Signed> = messages.iter().zip(digests).map(signed).collect();
        let recovered = self.on_workers(Op::Recover, &signed, |part| self.recover_part(part, On::ThisThread));
        recovered.into_iter().map(|signer| Some(signer.ok()?.address)).collect()
    }

    /// Hashed, then as [`Work::verify_signers`].
    fn verify_messages_part(&self, messages: &[SignedMessage<'_>], on: On) -> Vec<bool> {
        if messages.is_empty() {
            return Vec::new();
        }
        let (distinct, of) = SignedMessage::distinct(messages);
        let digests = self.keccak_part(&distinct, on);
        let check = |(signed, of): (&SignedMessage<'_>, usize)| Check {
            digest: digests[of],
            signature: signed.signature,
            signer: signed.signer,
        };
        let mut checks: Vec<Check> = messages.iter().zip(of).map(check).collect();
        let good = self.verify_signers_part(&checks, on);
        match on {
            On::ThisThread => good,
            On::Card { card, .. } => self.hashed_again(messages, &mut checks, good, card),
        }
    }

    /// Nobody is refused for a digest of a card: the CPU hashes what was refused, once where neighbours share it.
    fn hashed_again(
        &self,
        messages: &[SignedMessage<'_>],
        checks: &mut [Check],
        mut good: Vec<bool>,
        card: usize,
    ) -> Vec<bool> {
        let refused: Vec<usize> = (0..good.len()).filter(|at| !good[*at]).collect();
        let some: Vec<SignedMessage<'_>> = refused.iter().map(|at| messages[*at]).collect();
        let (texts, of) = SignedMessage::distinct(&some);
        let digests = self.keccak256(&texts);
        let mut wrong = Vec::new();
        for (at, of) in refused.into_iter().zip(of) {
            if checks[at].digest != digests[of] {
                checks[at].digest = digests[of];
                wrong.push(at);
            }
        }
        if !wrong.is_empty() {
            self.cards[card].failed(&Fault::Lies("a digest is wrong".to_owned()));
            let again: Vec<Check> = wrong.iter().map(|at| checks[*at]).collect();
            let verdicts = self.on_workers(Op::Recover, &again, |part| self.verify_signers_part(part, On::ThisThread));
            wrong.into_iter().zip(verdicts).for_each(|(at, is)| good[at] = is);
        }
        good
    }

    /// A card hashes and recovers in one go what strangers signed; it does not tell their keys. So whoever comes again is
    /// recovered with the key, and gets a table like anybody else. Messages that neighbours share are hashed once, and long
    /// ones by the CPU.
    fn verify_messages_by_card(&self, messages: &[SignedMessage<'_>], on: On) -> Vec<bool> {
        let (mut fused, mut others) = (Places::default(), Places::default());
        {
            let payers = lock(&self.payers);
            for (at, signed) in messages.iter().enumerate() {
                let shares =
                    |other: Option<&SignedMessage<'_>>| other.is_some_and(|other| signed.shares_message(other));
                let is_shared =
                    shares(at.checked_sub(1).map(|before| &messages[before])) || shares(messages.get(at + 1));
                let is_long = signed.message.len() > Gpu::MESSAGE_BYTES_MAX;
                let places = match is_shared || is_long || !payers.is_stranger(&signed.signer) {
                    true => &mut others,
                    false => &mut fused,
                };
                places.push(at, *signed);
            }
        }
        let on_cpu = |some: &[SignedMessage<'_>]| self.verify_messages_part(some, On::ThisThread);
        let by_card = self
            .on(Op::Recover, &fused.items, on, on_cpu, |card, by_cpu| card.verify_messages_with(&fused.items, by_cpu));
        let mut payers = lock(&self.payers);
        fused.items.iter().zip(&by_card).filter(|(_, good)| **good).for_each(|(signed, _)| payers.meet(signed.signer));
        drop(payers);
        let by_key = self.verify_messages_part(&others.items, on);
        let mut good = vec![false; messages.len()];
        fused.at.into_iter().zip(by_card).chain(others.at.into_iter().zip(by_key)).for_each(|(at, is)| good[at] = is);
        good
    }
}
