//! Keccak-256 on a card. Tags cover what the card read and what it answers, every launch begins and ends with a message whose
//! digest is known, and a sample is hashed by the CPU, which also hashes what is long.

use super::backend::Gpu;
use super::card::Fault;
use super::desk::Messages;
use super::messages::fitting;
use super::post::Kind;
use super::tag::{Seeds, TAG};
use crate::engine::Op;
use crate::oracle;
use rand::Rng;
use std::sync::LazyLock;
use vigil_primitives::Hash;

/// One in so many digests is worked out again by the CPU.
const SAMPLED: u32 = 256;
/// Two blocks.
const CANARY: [u8; 200] = [0x5a; 200];

static CANARY_DIGEST: LazyLock<Hash> = LazyLock::new(|| oracle::digest(&CANARY));

/// Digests by the CPU.
type HashByCpu<'a, 'm> = &'a dyn Fn(&[&'m [u8]]) -> Vec<Hash>;

impl Gpu {
    /// As [`crate::Backend::keccak256`]; `by_cpu` does what the card does not, on as many threads as it likes.
    pub(crate) fn keccak256_with<'m>(&self, messages: &[&'m [u8]], by_cpu: HashByCpu<'_, 'm>) -> Vec<Hash> {
        self.or_cpu(Op::Keccak256, messages.len(), || self.digests(messages, by_cpu), || by_cpu(messages))
    }

    /// The digests of messages.
    ///
    /// # Errors
    /// The card's; [`Fault::Lies`].
    pub(super) fn digests<'m>(&self, messages: &[&'m [u8]], by_cpu: HashByCpu<'_, 'm>) -> Result<Vec<Hash>, Fault> {
        let is_long = |at: &usize| messages[*at].len() > Self::MESSAGE_BYTES_MAX;
        let (long, short): (Vec<usize>, Vec<usize>) = (0..messages.len()).partition(is_long);
        let of = |places: &[usize]| -> Vec<&'m [u8]> { places.iter().map(|at| messages[*at]).collect() };
        let texts = of(&short);
        let (mut rest, mut pending) = (texts.as_slice(), Vec::new());
        while !rest.is_empty() {
            let most = self.info().items_max.saturating_sub(2).max(1);
            let (some, others) = rest.split_at(fitting(rest.iter().map(|text| text.len()), most));
            let mut packed = Messages::default();
            [&CANARY[..]].iter().chain(some).chain(&[&CANARY[..]]).for_each(|text| packed.push(text));
            pending.push(self.post.send(Kind::Digests, some.len(), move |desk, limit| {
                let seeds = Seeds::random();
                read(&packed, &desk.digests(&packed, seeds, limit)?, seeds)
            }));
            rest = others;
        }
        let by_cpu = if long.is_empty() { Vec::new() } else { by_cpu(&of(&long)) };
        let mut by_card = Vec::with_capacity(short.len());
        for answers in pending {
            by_card.append(&mut answers.wait()?);
        }
        if by_card.len() != short.len() {
            return Err(Fault::Lies("digests are missing".to_owned()));
        }
        for (text, digest) in texts.iter().zip(&by_card) {
            if rand::rng().random_ratio(1, SAMPLED) && *digest != oracle::digest(text) {
                return Err(Fault::Lies("a digest is wrong".to_owned()));
            }
        }
        let all = short.into_iter().zip(by_card).chain(long.into_iter().zip(by_cpu));
        let mut digests = vec![Hash::ZERO; messages.len()];
        all.for_each(|(at, digest)| digests[at] = digest);
        Ok(digests)
    }
}

/// The digests without those of the canaries.
fn read(messages: &Messages, words: &[u32], seeds: Seeds) -> Result<Vec<Hash>, Fault> {
    let mut digests = Vec::with_capacity(messages.count());
    for ((item, (length, text)), row) in (0..).zip(messages.iter()).zip(words.chunks_exact(Messages::ANSWER)) {
        let (digest, tag) = row.split_at(row.len() - TAG);
        if seeds.tag(item, [&length].into_iter().chain(text).chain(digest)) != tag {
            return Err(Fault::Lies("the tag of a digest does not fit".to_owned()));
        }
        digests.push(hash(digest));
    }
    if [digests.pop(), digests.first().copied()] != [Some(*CANARY_DIGEST); 2] {
        return Err(Fault::Lies("the digest of a known message is wrong".to_owned()));
    }
    digests.remove(0);
    Ok(digests)
}

fn hash(words: &[u32]) -> Hash {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(4).zip(words).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
    Hash::from(bytes)
}
