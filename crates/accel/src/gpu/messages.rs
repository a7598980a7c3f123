//! Signed messages on a card: hashed and recovered in one go, so that digests never leave it.

use super::backend::Gpu;
use super::card::Fault;
use super::desk::Messages;
use super::guard::{ByCpu, Mixed, judge};
use super::post::Kind;
use super::question::{Message, OfMessage};
use super::tag::Seeds;
use crate::engine::Op;
use crate::ops::{SignedMessage, Verdict};
use vigil_crypto::SignatureError;

/// Most bytes of messages of a launch.
const MESSAGES_BYTES: usize = 8 * 1024 * 1024;

impl Gpu {
    /// Longer messages are hashed by the CPU: one thread of a card would take long.
    pub(crate) const MESSAGE_BYTES_MAX: usize = 16 * 1024;

    /// As [`crate::Backend::verify_messages`]; `by_cpu` does what the card does not, on as many threads as it likes.
    pub(crate) fn verify_messages_with<'m>(
        &self,
        messages: &[SignedMessage<'m>],
        by_cpu: &dyn Fn(&[SignedMessage<'m>]) -> Vec<bool>,
    ) -> Vec<bool> {
        let again = |some: &[Message]| {
            let some: Vec<SignedMessage<'m>> = some.iter().map(|message| messages[message.at]).collect();
            let verdict = |good| if good { Ok(()) } else { Err(SignatureError::WrongKey) };
            by_cpu(&some).into_iter().map(verdict).collect()
        };
        // The engine gives long ones to the CPU before.
        if messages.iter().any(|signed| signed.message.len() > Self::MESSAGE_BYTES_MAX) {
            return by_cpu(messages);
        }
        let by_card = || {
            let verdicts = self.signed_messages(messages, &again)?;
            Ok(verdicts.iter().map(Result::is_ok).collect())
        };
        self.or_cpu(Op::Recover, messages.len(), by_card, || by_cpu(messages))
    }

    /// Of messages that are not too long.
    pub(super) fn signed_messages(
        &self,
        messages: &[SignedMessage<'_>],
        by_cpu: ByCpu<'_, OfMessage>,
    ) -> Result<Vec<Verdict>, Fault> {
        let (chunk, mut done, mut pending) = (self.chunk(messages.len()), 0, Vec::new());
        while done < messages.len() {
            let rest = &messages[done..];
            let some = &rest[..fitting(rest.iter().map(|signed| signed.message.len()), chunk)];
            let (items, canaries) = (Message::copies(some, done), self.canaries.messages.clone());
            done += some.len();
            pending.push(self.post.send(Kind::Recover, items.len(), move |desk, limit| {
                let (mixed, seeds) = (Mixed::<OfMessage>::new(items, &canaries, &mut rand::rng()), Seeds::random());
                let mut messages = Messages::default();
                mixed.items().for_each(|item| messages.push(item.text()));
                let answers = desk.signed_messages::<OfMessage>(&mixed.rows, &messages, seeds, limit)?;
                let said = mixed.read(&answers, seeds)?;
                Ok((mixed.into_items(), said))
            }));
        }
        let mut verdicts = Vec::with_capacity(messages.len());
        for answers in pending {
            let (items, said) = answers.wait()?;
            judge::<OfMessage>(&items, said, &mut rand::rng(), by_cpu, &mut verdicts)?;
        }
        Ok(verdicts)
    }
}

/// Messages of the next launch, by their lengths.
pub(super) fn fitting(lengths: impl Iterator<Item = usize>, items_max: usize) -> usize {
    let mut bytes = 0;
    let fits = lengths.take(items_max).take_while(|length| {
        bytes += length.min(&Gpu::MESSAGE_BYTES_MAX);
        bytes <= MESSAGES_BYTES
    });
    fits.count()
}
