//! The operations on signatures as rows of words: what a card is asked, and what its answers are worth.

use super::card::Kernel;
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

/// The lowest word of r: what x of the sum must end with.
fn low_word_of_r(signed: &Signed) -> u32 {
    u32::from_be_bytes(*signed.signature[..32].last_chunk().expect("32 bytes"))
}

/// Who signed?
pub(crate) struct Recover;

impl Question for Recover {
    type Item = Signed;
    type Answer = Signer;

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

/// Did this key sign?
pub(crate) struct Cold;

impl Question for Cold {
    type Item = Claim;
    type Answer = ();

    const MODE: u32 = 1;
    const ROW: usize = 41;
    const FINISH: Kernel = Kernel::KnownFinish;
    const ANSWER: usize = 4;

    fn write(item: &Claim, rows: &mut Vec<u32>) {
        push_signed(rows, &item.signed);
        push_bytes(rows, &item.key.0);
    }

    fn read(item: &Claim, row: &[u32]) -> Option<()> {
        (row[1] == low_word_of_r(&item.signed)).then_some(())
    }

    fn oracle(item: &Claim) -> Verdict {
        oracle::verify(item)
    }
}

/// A claim, and which table is its key's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithTable {
    pub(crate) claim: Claim,
    pub(crate) table: u32,
    /// Its place among those that were asked.
    pub(crate) at: usize,
}

/// Did the key of this table sign?
pub(crate) struct Hot;

impl Question for Hot {
    type Item = WithTable;
    type Answer = ();

    const MODE: u32 = 2;
    const ROW: usize = 26;
    const FINISH: Kernel = Kernel::KnownFinish;
    const ANSWER: usize = 4;

    fn write(item: &WithTable, rows: &mut Vec<u32>) {
        push_signed(rows, &item.claim.signed);
        rows.push(item.table);
    }

    fn read(item: &WithTable, row: &[u32]) -> Option<()> {
        Cold::read(&item.claim, row)
    }

    fn oracle(item: &WithTable) -> Verdict {
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
