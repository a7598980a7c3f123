//! What stays in a card's memory between launches, and messages as it reads them.

use super::word;
use crate::backends::portable::Portable;
use crate::gpu::card::{Buffer, Card, Fault, Lane};
use crate::gpu::start::{Start, table_of_g};
use crate::gpu::tag::TAG;
use crate::secp::generator::Generator;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What all lanes of a card read.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(super) generator: Buffer,
    pub(super) start: Buffer,
    /// What is in it.
    secret: Start,
    times_written: AtomicU64,
}

impl Resident {
    /// Copies the table of G to the card, and draws a secret start.
    pub(crate) fn new(card: &Arc<dyn Card>, lane: &mut dyn Lane, limit: Duration) -> Result<Self, Fault> {
        let (generator, secret) = (table_of_g(&Generator::new(Portable)), Start::random());
        let room = |words: &[u32]| Buffer::new(card, words.len());
        let resident = Self {
            generator: room(&generator)?,
            start: room(&secret.words)?,
            secret,
            times_written: AtomicU64::new(0),
        };
        resident.write(&generator, lane, limit)?;
        Ok(resident)
    }

    /// Writes what there was from the start.
    pub(super) fn refresh(&self, lane: &mut dyn Lane, limit: Duration) -> Result<(), Fault> {
        self.write(&table_of_g(&Generator::new(Portable)), lane, limit)
    }

    /// Lanes write their own again when this changes.
    pub(super) fn times_written(&self) -> u64 {
        self.times_written.load(Ordering::Relaxed)
    }

    fn write(&self, generator: &[u32], lane: &mut dyn Lane, limit: Duration) -> Result<(), Fault> {
        self.times_written.fetch_add(1, Ordering::Relaxed);
        lane.write(&self.generator, 0, generator)?;
        lane.write(&self.start, 0, &self.secret.words)?;
        // Other lanes need not wait for this one: all is there once something is read.
        lane.read(&self.start, 0..1, limit).map(drop)
    }
}

/// Scratch memory of one use, which grows as needed. What it has outgrown may still be used by work under way: it stays until
/// the next time.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    buffer: Option<Buffer>,
    pub(super) outgrown: Vec<Buffer>,
}

impl Scratch {
    pub(super) fn of(&mut self, card: &Arc<dyn Card>, words: usize) -> Result<&Buffer, Fault> {
        if self.buffer.as_ref().is_none_or(|buffer| buffer.words() < words) {
            let larger = Buffer::new(card, words.next_power_of_two()).or_else(|_| Buffer::new(card, words))?;
            self.outgrown.extend(self.buffer.replace(larger));
        }
        Ok(self.buffer.as_ref().expect("just made"))
    }
}

/// Messages as a card reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    pub(super) words: Vec<u32>,
    pub(super) spans: Vec<u32>,
}

impl Messages {
    /// Words of a row of answers.
    pub(crate) const ANSWER: usize = 8 + TAG;

    pub(crate) fn push(&mut self, message: &[u8]) {
        self.spans.extend([word(self.words.len()), word(message.len())]);
        let (whole, rest) = message.as_chunks::<4>();
        self.words.extend(whole.iter().map(|bytes| u32::from_le_bytes(*bytes)));
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(u32::from_le_bytes(last));
        }
    }

    pub(crate) fn words(&self) -> &[u32] {
        &self.words
    }

    /// Each one's length in bytes, and its words.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let (spans, _) = self.spans.as_chunks::<2>();
        spans.iter().map(|[first, length]| (*length, &self.words[*first as usize..][..length.div_ceil(4) as usize]))
    }

    pub(crate) fn count(&self) -> usize {
        self.spans.len() / 2
    }
}
