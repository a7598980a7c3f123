//! Cards that are bad, for tests.

use super::card::{Buffer, Card, CardInfo, Fault, Kernel, Lane, Launch};
use super::question::{Question, Recover};
use super::tag::{Seeds, TAG};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What is wrong with a card.
#[derive(Clone, Debug)]
pub(crate) enum Mischief {
    /// Bits of what is read turn over, one in so many.
    Answers(f64),
    /// Bits of the items and of the state, or of a program's registers and inputs, turn over before each kernel, one in so many.
    Memory(f64),
    /// A bit of one word of the buffer in this place turns over before this kernel.
    Word(Kernel, usize, usize),
    /// Before signers are read off, an item's state becomes that of its neighbour.
    Neighbour,
    /// A signer gets another key, with a tag that fits.
    Key,
    /// A kernel does not run.
    Skips(Kernel),
    /// What is written, so many words or more, does not get there.
    Forgets(usize),
    /// One read takes too long.
    Late,
    /// Reads wait until the gate is open.
    Gated(Arc<Gate>),
    /// No room for buffers from this size on.
    Full(usize),
    /// Every call fails.
    Lost,
}

/// Opened once.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().expect("nobody died with it") = true;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let open = self.open.lock().expect("nobody died with it");
        drop(self.changed.wait_while(open, |open| !*open).expect("nobody died with it"));
    }
}

/// A card that becomes bad when it is told to.
#[derive(Debug)]
pub(crate) struct BadCard {
    inner: Arc<dyn Card>,
    mischief: Arc<Mutex<Option<Mischief>>>,
    launches: Mutex<HashMap<&'static str, usize>>,
    seed: u64,
}

impl BadCard {
    /// Good so far.
    pub(crate) fn new(inner: Arc<dyn Card>, seed: u64) -> Arc<Self> {
        Arc::new(Self { inner, mischief: Arc::default(), launches: Mutex::default(), seed })
    }

    pub(crate) fn becomes(&self, mischief: Option<Mischief>) {
        *self.mischief.lock().expect("nobody died with it") = mischief;
    }

    /// How often a kernel ran.
    pub(crate) fn launches(&self, kernel: Kernel) -> usize {
        self.launches.lock().expect("nobody died with it").get(kernel.name()).copied().unwrap_or_default()
    }

    fn mischief(&self) -> Option<Mischief> {
        self.mischief.lock().expect("nobody died with it").clone()
    }
}

impl Card for BadCard {
    fn info(&self) -> &CardInfo {
        self.inner.info()
    }

    fn allocate(&self, words: usize) -> Result<u64, Fault> {
        match self.mischief() {
            Some(Mischief::Full(from)) if words >= from => Err(Fault::OutOfMemory { bytes: 4 * words }),
            _ => self.inner.allocate(words),
        }
    }

    fn release(&self, id: u64) {
        self.inner.release(id);
    }

    fn lane(self: Arc<Self>) -> Result<Box<dyn Lane>, Fault> {
        let dice = ChaCha8Rng::seed_from_u64(self.seed);
        let inner = Arc::clone(&self.inner).lane()?;
        Ok(Box::new(BadLane { card: self, inner, dice }))
    }
}

struct BadLane {
    card: Arc<BadCard>,
    inner: Box<dyn Lane>,
    dice: ChaCha8Rng,
}

impl BadLane {
    /// Turns bits over, one in so many.
    fn turn_over(&mut self, words: &mut [u32], rate: f64) {
        let expected = 32.0 * words.len() as f64 * rate;
        let hits = expected as usize + usize::from(self.dice.random_bool(expected.fract()));
        for _ in 0..hits {
            let at = self.dice.random_range(0..words.len());
            words[at] ^= 1 << self.dice.random_range(0..32);
        }
    }

    /// Item 100's.
    fn other_key(&mut self, launch: &Launch<'_>) -> Result<(), Fault> {
        const AT: usize = 100;
        let [asked, answer] = [launch.params[3] as usize, Recover::ANSWER];
        let [items, _, answers] = launch.buffers else { unreachable!("three places") };
        let limit = Duration::from_secs(60);
        let asked = self.inner.read(items, AT * asked..(AT + 1) * asked, limit)?;
        let mut row = self.inner.read(answers, AT * answer..(AT + 1) * answer, limit)?;
        row[10] ^= 1;
        let (words, tag) = row.split_at_mut(answer - TAG);
        let seeds = Seeds(*launch.params.last_chunk().expect("two seeds"));
        tag.copy_from_slice(&seeds.tag(AT as u32, asked.iter().chain(&*words)));
        self.inner.write(answers, AT * answer, &row)
    }

    fn lost(&self) -> Result<(), Fault> {
        match self.card.mischief() {
            Some(Mischief::Lost) => Err(Fault::Driver("the card has fallen off the bus".to_owned())),
            _ => Ok(()),
        }
    }
}

impl Lane for BadLane {
    fn write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault> {
        self.lost()?;
        match self.card.mischief() {
            Some(Mischief::Forgets(from)) if words.len() >= from => Ok(()),
            _ => self.inner.write(to, at, words),
        }
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Fault> {
        self.lost()?;
        if let Some(Mischief::Memory(rate)) = self.card.mischief() {
            // A program's code is no data: with another one the twin would leave its memory.
            for place in if launch.kernel == Kernel::Fp381 { [0, 3] } else { [0, 1] } {
                let buffer = launch.buffers[place];
                let mut words = self.inner.read(buffer, 0..buffer.words(), Duration::from_secs(60))?;
                self.turn_over(&mut words, rate);
                self.inner.write(buffer, 0, &words)?;
            }
        }
        if let Some(Mischief::Word(kernel, place, at)) = self.card.mischief()
            && kernel == launch.kernel
        {
            let buffer = launch.buffers[place];
            let word = self.inner.read(buffer, at..at + 1, Duration::from_secs(60))?[0];
            self.inner.write(buffer, at, &[word ^ 1 << self.dice.random_range(0..32)])?;
        }
        if let (Some(Mischief::Neighbour), Kernel::RecoverFinish) = (self.card.mischief(), launch.kernel) {
            let (state, stride) = (launch.buffers[1], launch.params[1] as usize);
            for column in 0..state.words() / stride {
                let at = column * stride + 20;
                let word = self.inner.read(state, at..at + 1, Duration::from_secs(60))?[0];
                self.inner.write(state, at + 1, &[word])?;
            }
        }
        *self.card.launches.lock().expect("nobody died with it").entry(launch.kernel.name()).or_default() += 1;
        match self.card.mischief() {
            Some(Mischief::Skips(kernel)) if kernel == launch.kernel => Ok(()),
            Some(Mischief::Key) if launch.kernel == Kernel::RecoverFinish => {
                self.inner.launch(launch)?;
                self.other_key(launch)
            }
            _ => self.inner.launch(launch),
        }
    }

    fn read(&mut self, from: &Buffer, words: Range<usize>, limit: Duration) -> Result<Vec<u32>, Fault> {
        self.lost()?;
        if let Some(Mischief::Late) = self.card.mischief() {
            self.card.becomes(None);
            return Err(Fault::Late(limit));
        }
        let mut answers = self.inner.read(from, words, limit)?;
        match self.card.mischief() {
            Some(Mischief::Answers(rate)) => self.turn_over(&mut answers, rate),
            Some(Mischief::Gated(gate)) => gate.pass(),
            _ => {}
        }
        Ok(answers)
    }
}
