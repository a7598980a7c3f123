//! The door through which batches of signatures reach a faster engine than this crate.

use crate::{keccak256, recover};
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

/// Did `signer` make this signature?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was signed.
    pub digest: Hash,
    /// `r || s || v`, v 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
    /// Said to have signed.
    pub signer: Address,
}

/// A signature over a message, said to be made by an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedMessage<'a> {
    /// What was hashed and signed.
    pub message: &'a [u8],
    /// `r || s || v`, v 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
    /// Said to have signed.
    pub signer: Address,
}

impl SignedMessage<'_> {
    /// Whether both are about the same bytes in memory, as the inputs of a transaction are.
    pub fn shares_message(&self, other: &Self) -> bool {
        std::ptr::eq(self.message, other.message)
    }

    /// The message of each item, but once where neighbours share it; and which of them is whose. All inputs of a transaction
    /// cover one message, which grows with their number: hashed for each it would cost more than their signatures.
    pub fn distinct<'a>(signed: &[SignedMessage<'a>]) -> (Vec<&'a [u8]>, Vec<usize>) {
        let (mut messages, mut of) = (Vec::with_capacity(signed.len()), Vec::with_capacity(signed.len()));
        for (at, item) in signed.iter().enumerate() {
            if at == 0 || !item.shares_message(&signed[at - 1]) {
                messages.push(item.message);
            }
            of.push(messages.len() - 1);
        }
        (messages, of)
    }
}

/// A signature over a message, by whom is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSignature<'a> {
    /// What was hashed and signed.
    pub message: &'a [u8],
    /// `r || s || v`, v 0 or 1.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// Checks signatures and hashes, many at a time.
///
/// What [`crate::verify_txs`] makes of the answers is taken for verified by everything behind it: **whoever implements this
/// vouches** that every answer is the one that [`Scalar`] gives, for every input.
pub trait SignatureChecker {
    /// For each signature, in order, whether [`recover`] gives its signer for the message's Keccak-256.
    fn check(&self, signed: &[SignedMessage<'_>]) -> Vec<bool>;

    /// For each signature, in order, whom [`recover`] gives for the message's Keccak-256, if anybody.
    fn recover(&self, signed: &[MessageSignature<'_>]) -> Vec<Option<Address>>;

    /// Keccak-256 of each message, in order.
    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash>;
}

/// One after the other on the calling thread: the judge of all others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar;

impl Scalar {
    /// For each check, in order, whether [`recover`] gives its signer.
    pub fn check_digests(&self, checks: &[Check]) -> Vec<bool> {
        checks.iter().map(|check| recover(&check.digest, &check.signature) == Ok(check.signer)).collect()
    }
}

impl SignatureChecker for Scalar {
    fn check(&self, signed: &[SignedMessage<'_>]) -> Vec<bool> {
        let (messages, of) = SignedMessage::distinct(signed);
        let digests = self.keccak256(&messages);
        let check = |(item, of): (&SignedMessage<'_>, usize)| Check {
            digest: digests[of],
            signature: item.signature,
            signer: item.signer,
        };
        self.check_digests(&signed.iter().zip(of).map(check).collect::<Vec<_>>())
    }

    fn recover(&self, signed: &[MessageSignature<'_>]) -> Vec<Option<Address>> {
        signed.iter().map(|item| recover(&keccak256(item.message), &item.signature).ok()).collect()
    }

    fn keccak256(&self, messages: &[&[u8]]) -> Vec<Hash> {
        messages.iter().map(keccak256).collect()
    }
}
