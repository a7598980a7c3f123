//! A card is never trusted alone.
//!
//! - Every row of answers has a tag over what was asked and what is answered ([`super::tag`]).
//! - Every launch for signatures has canaries in random places, items whose answers are known, good and bad; every launch for
//!   hashes has two ([`super::digests`]); sums of signer vectors are checked whole ([`super::sums`]), and votes need none.
//! - Whatever the card does not call good is asked of the CPU, and so is a random sample of the rest.
//!
//! A card that is caught gets no more work, and the CPU does all of what it was asked with it. What this does not catch: an
//! error inside the arithmetic of one item that is neither a canary nor in the sample, leaves the point on the curve
//! and happens between the checks of a kernel; for questions that come with an answer (a key, an account) not even that passes.

use super::card::Fault;
use super::question::Question;
use super::tag::{Rows, Seeds, TAG};
use rand::Rng;
use rand::seq::index;
use vigil_crypto::SignatureError;

/// Canaries in a launch.
pub(crate) const CANARIES: usize = 4;
/// One in so many good answers is worked out again, and at least one of each chunk.
const SAMPLED: usize = 256;

/// Answers to some items by the CPU.
pub(crate) type ByCpu<'a, Q> =
    &'a dyn Fn(&[<Q as Question>::Item]) -> Vec<Result<<Q as Question>::Answer, SignatureError>>;

/// An item with its right answer; `None`: it must not be called good.
pub(crate) struct Canary<Q: Question> {
    pub(crate) item: Q::Item,
    pub(crate) answer: Option<Q::Answer>,
}

impl<Q: Question> Clone for Canary<Q> {
    fn clone(&self) -> Self {
        Self { item: self.item.clone(), answer: self.answer.clone() }
    }
}

/// What a card says of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<A> {
    Good(A),
    Refused,
    /// It does not know.
    Unknown,
}

/// Items and canaries in the order in which a card gets them.
pub(crate) struct Mixed<Q: Question> {
    items: Vec<Q::Item>,
    canaries: Vec<Canary<Q>>,
    /// Of the canaries, ascending.
    places: Vec<usize>,
    pub(crate) rows: Vec<u32>,
}

enum Place<'a, Q: Question> {
    Item(&'a Q::Item),
    Canary(&'a Canary<Q>),
}

impl<Q: Question> Mixed<Q> {
    pub(crate) fn new(items: Vec<Q::Item>, canaries: &[Canary<Q>], dice: &mut impl Rng) -> Self {
        let count = CANARIES.min(canaries.len());
        let canaries: Vec<_> = (0..count).map(|_| canaries[dice.random_range(0..canaries.len())].clone()).collect();
        let total = items.len() + count;
        let mut places = index::sample(dice, total, count).into_vec();
        places.sort_unstable();
        let mut mixed = Self { items, canaries, places, rows: Vec::with_capacity(total * Q::ROW) };
        let mut rows = std::mem::take(&mut mixed.rows);
        mixed.items().for_each(|item| Q::write(item, &mut rows));
        mixed.rows = rows;
        mixed
    }

    /// The items without the canaries.
    pub(crate) fn into_items(self) -> Vec<Q::Item> {
        self.items
    }

    /// All items and canaries, in order.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Q::Item> {
        self.places().map(|place| match place {
            Place::Item(item) => item,
            Place::Canary(canary) => &canary.item,
        })
    }

    fn places(&self) -> impl Iterator<Item = Place<'_, Q>> {
        let (mut items, mut canaries) = (self.items.iter(), self.canaries.iter().zip(&self.places).peekable());
        (0..self.items.len() + self.canaries.len()).map(move |at| match canaries.next_if(|(_, place)| **place == at) {
            Some((canary, _)) => Place::Canary(canary),
            None => Place::Item(items.next().expect("as many places as items and canaries")),
        })
    }

    /// What the card says of each item.
    ///
    /// # Errors
    /// [`Fault::Lies`].
    pub(crate) fn read(&self, answers: &[u32], seeds: Seeds) -> Result<Vec<Said<Q::Answer>>, Fault> {
        let lie = |what: &str| Err(Fault::Lies(format!("{}: {what}", Q::FINISH.name())));
        let mut said = Vec::with_capacity(self.items.len());
        if answers.len() != (self.items.len() + self.canaries.len()) * Q::ANSWER {
            return lie("answers are missing");
        }
        let asked = Rows { words: &self.rows, row: Q::ROW };
        if !seeds.fit(Some(asked), Q::UNKNOWN, Rows { words: answers, row: Q::ANSWER }) {
            return lie("an answer's tag does not fit");
        }
        for (place, answer) in self.places().zip(answers.chunks_exact(Q::ANSWER)) {
            let words = &answer[..Q::ANSWER - TAG];
            match place {
                Place::Item(item) => said.push(heard::<Q>(item, words)),
                Place::Canary(canary) if is_right(canary, &heard::<Q>(&canary.item, words)) => {}
                Place::Canary(_) => return lie("the answer to a known question is wrong"),
            }
        }
        Ok(said)
    }
}

fn heard<Q: Question>(item: &Q::Item, words: &[u32]) -> Said<Q::Answer> {
    match words[0] {
        0 => Q::read(item, words).map_or(Said::Refused, Said::Good),
        2 => Said::Unknown,
        _ => Said::Refused,
    }
}

fn is_right<Q: Question>(canary: &Canary<Q>, said: &Said<Q::Answer>) -> bool {
    match (&canary.answer, said) {
        (Some(right), Said::Good(answer)) => right == answer,
        (None, Said::Refused | Said::Unknown) => true,
        _ => false,
    }
}

/// Adds the answers to all items: the card's where it says good, but for a sample, which `by_cpu` does with all others.
///
/// # Errors
/// [`Fault::Lies`] if the CPU finds otherwise: the answers are then not to be used.
pub(crate) fn judge<Q: Question>(
    items: &[Q::Item],
    said: Vec<Said<Q::Answer>>,
    dice: &mut impl Rng,
    by_cpu: ByCpu<'_, Q>,
    answers: &mut Vec<Result<Q::Answer, SignatureError>>,
) -> Result<(), Fault> {
    let mut asked: Vec<usize> = (0..items.len()).filter(|at| !matches!(said[*at], Said::Good(_))).collect();
    asked.extend(index::sample(dice, items.len(), items.len().div_ceil(SAMPLED)));
    asked.sort_unstable();
    asked.dedup();
    let again: Vec<Q::Item> = asked.iter().map(|at| items[*at].clone()).collect();
    let mut right = asked.into_iter().zip(by_cpu(&again)).peekable();
    for (at, said) in said.into_iter().enumerate() {
        let by_cpu = right.next_if(|(of, _)| *of == at).map(|(_, answer)| answer);
        answers.push(match (said, by_cpu) {
            (Said::Good(answer), None) => Ok(answer),
            (Said::Good(answer), Some(Ok(right))) if answer == right => Ok(right),
            (Said::Refused, Some(Err(reason))) => Err(reason),
            (Said::Unknown, Some(answer)) => answer,
            _ => return Err(Fault::Lies(format!("{}: the CPU finds otherwise", Q::FINISH.name()))),
        });
    }
    Ok(())
}
