//! A lane with its scratch memory, and the order of kernels of each operation. `kernels/README.md` is the contract.

use super::card::{Buffer, Card, Fault, Kernel, Lane, Launch, PARAMS};
use super::fp381::{NUMBER, Routine};
use super::question::Question;
use super::tables::Upload;
use super::tag::{Seeds, TAG};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

mod fold;
mod memory;
mod repeat;

pub(crate) use fold::{INFINITE, NOBODY, POINT, Points};
pub(crate) use memory::{Messages, Resident};
pub(crate) use repeat::IMADS_OF_A_ROUND;

use memory::Scratch;

/// Items that share an inversion. More would save products, fewer keep more threads busy: an inversion takes as long
/// as 270 products.
const INVERT_TOGETHER: usize = 16;
/// Words of an item's state, and of its prefix products.
const STATE: usize = 25;
const PREFIX: usize = 8;

/// Multiplications of words in the longest kernel for a signature: a card is given as many at a time in programs.
const STEPS_OF_AN_ITEM: usize = 100_000;

/// A lane at work.
pub(crate) struct Desk {
    card: Arc<dyn Card>,
    lane: Box<dyn Lane>,
    resident: Arc<Resident>,
    items: Scratch,
    state: Scratch,
    prefix: Scratch,
    answers: Scratch,
    spans: Scratch,
    messages: Scratch,
    registers: Scratch,
    /// Points before and after an addition, what their denominators come to, and the products of those.
    points: [Scratch; 2],
    totals: [Scratch; 2],
    /// Code and constants of the programs that ran here, by the address of their routine; and how often what stays on the
    /// card had been written when they were.
    programs: HashMap<usize, [Buffer; 2]>,
    written: u64,
    /// Tables that this lane was to copy and may still: nobody else may write to their places.
    held: Vec<Upload>,
}

/// Parameters, the first of them given.
fn params(first: &[u32], seeds: Seeds) -> [u32; PARAMS] {
    let mut params = [0; PARAMS];
    params[..first.len()].copy_from_slice(first);
    params[PARAMS - TAG..].copy_from_slice(&seeds.0);
    params
}

/// A count of items as a parameter. Chunks are far below 2^32.
fn word(count: usize) -> u32 {
    u32::try_from(count).expect("chunks are small")
}

impl Desk {
    pub(crate) fn new(card: Arc<dyn Card>, lane: Box<dyn Lane>, resident: Arc<Resident>) -> Self {
        let [items, state, prefix, answers, spans, messages, registers] = Default::default();
        let (points, totals, programs, held) = Default::default();
        let written = resident.times_written();
        Self {
            card,
            lane,
            resident,
            items,
            state,
            prefix,
            answers,
            spans,
            messages,
            registers,
            points,
            totals,
            programs,
            written,
            held,
        }
    }

    /// Writes again what all lanes read: the card's memory may not be what it was.
    pub(crate) fn refresh(&mut self, limit: Duration) -> Result<(), Fault> {
        self.resident.refresh(&mut *self.lane, limit)
    }

    /// Waits until nothing is under way; whether that is so.
    pub(crate) fn is_free_within(&mut self, limit: Duration) -> bool {
        let is_free = self.lane.read(&self.resident.start, 0..1, limit).is_ok();
        if is_free {
            self.all_is_done();
        }
        is_free
    }

    /// Answers to questions about signatures: a row an item.
    pub(crate) fn signatures<Q: Question>(
        &mut self,
        rows: &[u32],
        tables: Option<(&Buffer, usize)>,
        seeds: Seeds,
        limit: Duration,
    ) -> Result<Vec<u32>, Fault> {
        let items = self.items.of(&self.card, rows.len())?;
        self.lane.write(items, 0, rows)?;
        self.signatures_there::<Q>(rows.len() / Q::ROW, tables, seeds, limit)
    }

    /// As [`Desk::signatures`], of signatures over messages: the digests are worked out on the card and stay there. In `rows`
    /// their places are anything.
    pub(crate) fn signed_messages<Q: Question>(
        &mut self,
        rows: &[u32],
        messages: &Messages,
        seeds: Seeds,
        limit: Duration,
    ) -> Result<Vec<u32>, Fault> {
        let items = self.items.of(&self.card, rows.len())?;
        self.lane.write(items, 0, rows)?;
        self.hash::<false>(messages, Q::ROW, seeds)?;
        self.signatures_there::<Q>(rows.len() / Q::ROW, None, seeds, limit)
    }

    fn signatures_there<Q: Question>(
        &mut self,
        count: usize,
        tables: Option<(&Buffer, usize)>,
        seeds: Seeds,
        limit: Duration,
    ) -> Result<Vec<u32>, Fault> {
        self.launch_signatures::<Q>(count, tables, seeds)?;
        let answers = self.lane.read(self.answers.of(&self.card, count * Q::ANSWER)?, 0..count * Q::ANSWER, limit)?;
        self.all_is_done();
        Ok(answers)
    }

    /// The kernels, for rows that are on the card.
    fn launch_signatures<Q: Question>(
        &mut self,
        count: usize,
        tables: Option<(&Buffer, usize)>,
        seeds: Seeds,
    ) -> Result<(), Fault> {
        let stride = count.next_multiple_of(32);
        let items = self.items.of(&self.card, count * Q::ROW)?;
        let state = self.state.of(&self.card, stride * STATE)?;
        let prefix = self.prefix.of(&self.card, stride * PREFIX)?;
        let answers = self.answers.of(&self.card, count * Q::ANSWER)?;
        let Resident { generator, start, .. } = &*self.resident;
        let inverters = count.div_ceil(INVERT_TOGETHER);
        let number = tables.map_or(0, |(_, number)| number);
        let first = [count, stride, Q::MODE as usize, Q::ROW, number, 0, Q::UNKNOWN];
        let of_items = params(&first.map(word), seeds);
        let of_inverses = params(&[word(count), word(stride), word(inverters)], seeds);
        let lane = &mut self.lane;
        let mut launch =
            |kernel, threads, buffers: &[&Buffer], params| lane.launch(&Launch { kernel, threads, buffers, params });
        launch(Kernel::SecpPrepare, count, &[items, state], of_items)?;
        launch(Kernel::InvertOrder, inverters, &[state, prefix], of_inverses)?;
        match tables {
            Some((tables, _)) => {
                launch(Kernel::SecpSumHot, count, &[items, state, generator, start, tables], of_items)?;
            }
            None => launch(Kernel::SecpSum, count, &[items, state, generator, start], of_items)?,
        }
        launch(Kernel::InvertField, inverters, &[state, prefix], of_inverses)?;
        launch(Q::FINISH, count, &[items, state, answers], of_items)
    }

    /// Something was read: nothing is under way.
    fn all_is_done(&mut self) {
        let Self { items, state, prefix, answers, spans, messages, registers, points, totals, held, .. } = self;
        let all = [items, state, prefix, answers, spans, messages, registers].into_iter().chain(points).chain(totals);
        all.for_each(|scratch| scratch.outgrown.clear());
        held.clear();
    }

    /// Digests: rows of 8 words and a tag.
    pub(crate) fn digests(&mut self, messages: &Messages, seeds: Seeds, limit: Duration) -> Result<Vec<u32>, Fault> {
        let words = messages.count() * Messages::ANSWER;
        self.answers.of(&self.card, words)?;
        self.hash::<true>(messages, Messages::ANSWER, seeds)?;
        let digests = self.lane.read(self.answers.of(&self.card, words)?, 0..words, limit)?;
        self.all_is_done();
        Ok(digests)
    }

    /// Into the answers, with tags, or into the items.
    fn hash<const ANSWERS: bool>(&mut self, messages: &Messages, row: usize, seeds: Seeds) -> Result<(), Fault> {
        let count = messages.count();
        let text = self.messages.of(&self.card, messages.words.len().max(1))?;
        let spans = self.spans.of(&self.card, messages.spans.len())?;
        self.lane.write(text, 0, &messages.words)?;
        self.lane.write(spans, 0, &messages.spans)?;
        self.launch_hash::<ANSWERS>(count, row, seeds)
    }

    /// The kernel, for messages that are on the card.
    fn launch_hash<const ANSWERS: bool>(&mut self, count: usize, row: usize, seeds: Seeds) -> Result<(), Fault> {
        let text = self.messages.of(&self.card, 1)?;
        let spans = self.spans.of(&self.card, 1)?;
        let place = if ANSWERS { &mut self.answers } else { &mut self.items };
        let out = place.of(&self.card, count * row)?;
        let params = params(&[word(count), 0, 0, word(row), 0, ANSWERS.into()], seeds);
        let buffers = &[text, spans, out];
        self.lane.launch(&Launch { kernel: Kernel::KeccakMessages, threads: count, buffers, params })
    }

    /// Runs a program for the first `count` items; `inputs` holds a row for each. The registers are those of the last run if
    /// that was for a `room` of as many items: slots stay.
    pub(crate) fn run(&mut self, routine: &'static Routine, task: &Task<'_>) -> Result<(), Fault> {
        let (program, input, answer) = (&routine.program, routine.input_row(), routine.answer_row());
        let stride = task.room.next_multiple_of(32);
        let registers = self.registers.of(&self.card, (task.registers * NUMBER + 1) * stride)?;
        let inputs = self.items.of(&self.card, task.inputs.len().max(1))?;
        let answers = self.answers.of(&self.card, (answer * task.count).max(1))?;
        self.lane.write(inputs, 0, task.inputs)?;
        let written = self.resident.times_written();
        if std::mem::replace(&mut self.written, written) != written {
            self.programs.clear();
        }
        let name = std::ptr::from_ref(routine) as usize;
        let [code, constants] = match self.programs.entry(name) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let code = Buffer::new(&self.card, program.code.len())?;
                let constants = Buffer::new(&self.card, program.constants.len().max(1))?;
                self.lane.write(&code, 0, &program.code)?;
                self.lane.write(&constants, 0, &program.constants)?;
                place.insert([code, constants])
            }
        };
        let buffers = [registers, &*code, &*constants, inputs, answers];
        let info = self.card.info();
        let steps = info.items_max.saturating_mul(STEPS_OF_AN_ITEM) / task.count.max(1);
        for part in program.parts(steps.min(info.steps_max)) {
            let [from, to] = [part.start, part.end].map(word);
            let [offset, input, answer] = [task.offset, input, answer].map(word);
            let flags = word(task.registers * NUMBER);
            let first = [word(task.count), word(stride), from, to, offset, input, answer, flags];
            let params = params(&first, Seeds([0; TAG]));
            self.lane.launch(&Launch { kernel: Kernel::Fp381, threads: task.count, buffers: &buffers, params })?;
        }
        Ok(())
    }

    /// The answers of the last program.
    pub(crate) fn answers(&mut self, routine: &Routine, count: usize, limit: Duration) -> Result<Vec<u32>, Fault> {
        let words = routine.answer_row() * count;
        let answers = self.lane.read(self.answers.of(&self.card, words)?, 0..words, limit)?;
        self.all_is_done();
        Ok(answers)
    }

    /// Copies tables to their places in `to`. If that fails their places stay taken until nothing is under way here.
    pub(crate) fn upload(&mut self, to: &Buffer, new: Upload, limit: Duration) -> Result<(), Fault> {
        let Self { lane, held, .. } = self;
        held.push(new);
        let tables = held.last().into_iter().flat_map(Upload::words);
        for (place, words) in tables {
            put_table(&mut **lane, to, place, &words, limit)?;
        }
        held.pop().into_iter().for_each(Upload::arrived);
        self.all_is_done();
        Ok(())
    }

    /// Copies one table.
    pub(crate) fn put_table(&mut self, to: &Buffer, place: u32, words: &[u32], limit: Duration) -> Result<(), Fault> {
        put_table(&mut *self.lane, to, place, words, limit)
    }

    /// Sums of signer vectors of `n` entries, `stride` words each: a row an entry.
    pub(crate) fn sums(
        &mut self,
        n: usize,
        vectors: &[u32],
        weights: &[u32],
        seeds: Seeds,
        limit: Duration,
    ) -> Result<Vec<u32>, Fault> {
        let (count, stride) = (weights.len() / 2, n.div_ceil(4));
        let text = self.messages.of(&self.card, vectors.len())?;
        let spans = self.spans.of(&self.card, weights.len())?;
        let answers = self.answers.of(&self.card, n * SUMS_ANSWER)?;
        self.lane.write(text, 0, vectors)?;
        self.lane.write(spans, 0, weights)?;
        let params = params(&[word(n), 0, word(count), word(stride)], seeds);
        let buffers = &[text, spans, answers];
        self.lane.launch(&Launch { kernel: Kernel::SignerSums, threads: n, buffers, params })?;
        let sums = self.lane.read(answers, 0..n * SUMS_ANSWER, limit)?;
        self.all_is_done();
        Ok(sums)
    }
}

/// The table is read back: where a copy was lost there is another key's, and its signatures would do for this one. Other lanes need
/// not wait for this one: it is there then.
fn put_table(lane: &mut dyn Lane, to: &Buffer, place: u32, words: &[u32], limit: Duration) -> Result<(), Fault> {
    let first = place as usize * words.len();
    lane.write(to, first, words)?;
    let is_there = lane.read(to, first..first + words.len(), limit)? == words;
    if is_there { Ok(()) } else { Err(Fault::Lies("a table is not as it was copied".to_owned())) }
}

/// What a program runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    /// Items that run it.
    pub(crate) count: usize,
    /// Items that there are.
    pub(crate) room: usize,
    /// Registers of an item, of all programs that run on these items.
    pub(crate) registers: usize,
    /// How far the neighbour is.
    pub(crate) offset: usize,
    /// Rows, or nothing.
    pub(crate) inputs: &'a [u32],
}

/// Words of a row of `signer_sums`' answers.
pub(crate) const SUMS_ANSWER: usize = 6;
