//! The operations on signatures as rows of words: what a card is asked, and what its answers are worth.

use super::card::Kernel;
use super::post::Kind;
use crate::ops::{Claim, Recovered, Signed, SignedMessage, Signer, Verdict};
use crate::oracle;
use std::ops::Range;
use std::sync::Arc;
use vigil_crypto::{PublicKey, SignatureError};
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

/// A kind of question.
pub(crate) trait Question: 'static {
    /// What is asked about.
    type Item: Clone + Send + Sync + 'static;
    /// A good answer.
    type Answer: Clone + PartialEq + Send + 'static;

    /// Mode of `secp_prepare`.
    const MODE: u32;
    /// Words of an item's row.
    const ROW: usize;
    /// The kernel that answers.
    const FINISH: Kernel;
    /// Words of an answer's row, the tag among them.
    const ANSWER: usize;
    /// First words of an item's row that the host does not know: the card works them out. Tags are of the others.
    const UNKNOWN: usize = 0;
    /// What jobs with it are.
    const KIND: Kind;
    /// Whether the kernels read tables of keys.
    const HAS_TABLES: bool = false;

    /// Adds an item's row.
    fn write(item: &Self::Item, rows: &mut Vec<u32>);

    /// The answer in a row with code 0; `None` where it cannot be right.
    fn read(item: &Self::Item, row: &[u32]) -> Option<Self::Answer>;

    /// The right answer.
    fn oracle(item: &Self::Item) -> Result<Self::Answer, SignatureError>;
}

fn push_bytes(rows: &mut Vec<u32>, bytes: &[u8]) {
    rows.extend(bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))));
}

fn push_signed(rows: &mut Vec<u32>, signed: &Signed) {
    push_bytes(rows, signed.digest.as_slice());
    push_bytes(rows, &signed.signature[..64]);
    rows.push(signed.signature[64].into());
}

fn bytes<const N: usize>(words: &[u32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.chunks_exact_mut(4).zip(words).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
    bytes
}

/// Who signed?
pub(crate) struct Recover;

impl Question for Recover {
    type Item = Signed;
    type Answer = Signer;

    const KIND: Kind = Kind::Recover;
    const MODE: u32 = 0;
    const ROW: usize = 25;
    const FINISH: Kernel = Kernel::RecoverFinish;
    const ANSWER: usize = 24;

    fn write(item: &Signed, rows: &mut Vec<u32>) {
        push_signed(rows, item);
    }

    fn read(_: &Signed, row: &[u32]) -> Option<Signer> {
        Some(Signer { key: PublicKey(bytes(&row[6..22])), address: Address::from(bytes::<20>(&row[1..6])) })
    }

    fn oracle(item: &Signed) -> Recovered {
        oracle::recover(item)
    }
}

/// A claim of a known key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) claim: Claim,
    /// Where its key's table is, if it is asked about by it.
    pub(crate) table: u32,
    /// Its place among those that were asked.
    pub(crate) at: usize,
}

impl Known {
    /// In a good answer: the lowest word of r, with which x of the sum must end.
    fn is_right(&self, row: &[u32]) -> bool {
        let r = &self.claim.signed.signature[..32];
        row[1] == u32::from_be_bytes(*r.last_chunk().expect("32 bytes"))
    }
}

/// Did this key sign?
pub(crate) struct Cold;

impl Question for Cold {
    type Item = Known;
    type Answer = ();

    const KIND: Kind = Kind::Known;
    const MODE: u32 = 1;
    const ROW: usize = 41;
    const FINISH: Kernel = Kernel::KnownFinish;
    const ANSWER: usize = 4;

    fn write(item: &Known, rows: &mut Vec<u32>) {
        push_signed(rows, &item.claim.signed);
        push_bytes(rows, &item.claim.key.0);
    }

    fn read(item: &Known, row: &[u32]) -> Option<()> {
        item.is_right(row).then_some(())
    }

    fn oracle(item: &Known) -> Verdict {
        oracle::verify(&item.claim)
    }
}

/// Did the key of this table sign?
pub(crate) struct Hot;

impl Question for Hot {
    type Item = Known;
    type Answer = ();

    const KIND: Kind = Kind::Known;
    const MODE: u32 = 2;
    const ROW: usize = 26;
    const FINISH: Kernel = Kernel::KnownFinish;
    const ANSWER: usize = 4;
    const HAS_TABLES: bool = true;

    fn write(item: &Known, rows: &mut Vec<u32>) {
        push_signed(rows, &item.claim.signed);
        rows.push(item.table);
    }

    fn read(item: &Known, row: &[u32]) -> Option<()> {
        item.is_right(row).then_some(())
    }

    fn oracle(item: &Known) -> Verdict {
        oracle::verify(&item.claim)
    }
}

/// A message, who is said to have signed it, and the signature; owned, as it goes to another thread.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The bytes of this message and of others.
    texts: Arc<Vec<u8>>,
    span: Range<usize>,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
    pub(crate) signer: Address,
    /// Its place among those that were asked.
    pub(crate) at: usize,
}

impl Message {
    /// Messages with the places `from`, `from + 1`, ..
    pub(crate) fn copies(messages: &[SignedMessage<'_>], from: usize) -> Vec<Self> {
        let mut texts = Vec::with_capacity(messages.iter().map(|signed| signed.message.len()).sum());
        messages.iter().for_each(|signed| texts.extend(signed.message));
        let (texts, mut end) = (Arc::new(texts), 0);
        let copy = |(at, signed): (usize, &SignedMessage<'_>)| {
            let begin = end;
            end += signed.message.len();
            let SignedMessage { signature, signer, .. } = *signed;
            Self { texts: Arc::clone(&texts), span: begin..end, signature, signer, at }
        };
        (from..).zip(messages).map(copy).collect()
    }

    /// As the caller has them.
    pub(crate) fn borrowed(&self) -> SignedMessage<'_> {
        SignedMessage { message: self.text(), signature: self.signature, signer: self.signer }
    }

    /// What was signed.
    pub(crate) fn text(&self) -> &[u8] {
        &self.texts[self.span.clone()]
    }
}

/// Did this account sign this message?
pub(crate) struct OfMessage;

impl Question for OfMessage {
    type Item = Message;
    type Answer = ();

    const KIND: Kind = Kind::Recover;
    const MODE: u32 = 0;
    const ROW: usize = 25;
    const FINISH: Kernel = Kernel::SignerFinish;
    const ANSWER: usize = 8;
    const UNKNOWN: usize = 8;

    fn write(item: &Message, rows: &mut Vec<u32>) {
        push_signed(rows, &Signed { digest: Hash::ZERO, signature: item.signature });
    }

    fn read(item: &Message, row: &[u32]) -> Option<()> {
        (bytes::<20>(&row[1..6]) == item.signer.0).then_some(())
    }

    fn oracle(item: &Message) -> Verdict {
        let signed = Signed { digest: oracle::digest(item.text()), signature: item.signature };
        let signer = oracle::recover(&signed)?;
        if signer.address == item.signer { Ok(()) } else { Err(SignatureError::WrongKey) }
    }
}
