//! A line of work: commands are gathered and go to the card together, when something is read.

use super::device::{Wgpu, guarded};
use super::pipelines::{Built, GROUP, PARAMETERS};
use super::staging::{Staging, driver};
use crate::gpu::card::{Buffer, Fault, Lane, Launch, PARAMS};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wgpu::{
    BindGroupDescriptor, BindGroupEntry, BufferUsages, CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor,
    MapMode, PollType,
};

/// Most groups of a launch in one dimension: every device allows so many.
const GROUPS_MAX: usize = 65_535;
/// Bytes that the smallest buffer for answers holds.
const ANSWERS_MIN: u64 = 64 << 10;

/// Between two questions whether the card is done: a sixteenth of the time that it has taken, within these.
const PAUSE_MIN: Duration = Duration::from_micros(20);
const PAUSE_MAX: Duration = Duration::from_millis(1);

/// A line of work.
pub(super) struct WgpuLane {
    card: Arc<Wgpu>,
    /// Commands that the card does not know of.
    commands: Option<CommandEncoder>,
    staging: Staging,
    parameters: wgpu::Buffer,
    /// Where answers are read; larger when it has to be.
    answers: wgpu::Buffer,
}

impl WgpuLane {
    pub(super) fn new(card: Arc<Wgpu>) -> Result<Self, Fault> {
        let parameters = card.make(PARAMS as u64 * 4, BufferUsages::UNIFORM | BufferUsages::COPY_DST, false)?;
        let answers = card.make(ANSWERS_MIN, BufferUsages::MAP_READ | BufferUsages::COPY_DST, false)?;
        Ok(Self { card, commands: None, staging: Staging::new(), parameters, answers })
    }

    /// Words to a buffer.
    pub(super) fn put_write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault> {
        check_range(to, at, words.len())?;
        let Self { card, commands, staging, .. } = self;
        let to = card.buffer(to.id())?;
        staging.copy(card, encoder(commands, card), &to, at as u64 * 4, words)
    }

    /// A run of a kernel.
    pub(super) fn dispatch(
        &mut self,
        built: &Built,
        threads: usize,
        buffers: &[&Buffer],
        params: &[u32; PARAMS],
    ) -> Result<(), Fault> {
        let Self { card, commands, staging, parameters, .. } = self;
        let groups = threads.div_ceil(GROUP);
        if groups > GROUPS_MAX || buffers.len() != built.places {
            return Err(Fault::Driver(format!("a launch of {groups} groups with {} buffers", buffers.len())));
        }
        let buffers: Vec<_> = buffers.iter().map(|buffer| card.buffer(buffer.id())).collect::<Result<_, _>>()?;
        let entry = |(binding, buffer)| {
            let buffer: &wgpu::Buffer = buffer;
            BindGroupEntry { binding, resource: buffer.as_entire_binding() }
        };
        let mut entries: Vec<_> = (0..).zip(&buffers).map(entry).collect();
        entries.push(entry((PARAMETERS, parameters)));
        let group = BindGroupDescriptor { label: None, layout: &built.layout, entries: &entries };
        let group = card.device.create_bind_group(&group);
        let encoder = encoder(commands, card);
        staging.copy(card, encoder, parameters, 0, params)?;
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&built.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(groups as u32, 1, 1);
        Ok(())
    }

    /// Sends the commands, waits for them and copies words of a buffer.
    pub(super) fn read_back(&mut self, from: &Buffer, words: Range<usize>, limit: Duration) -> Result<Vec<u32>, Fault> {
        check_range(from, words.start, words.len())?;
        let from = self.card.buffer(from.id())?;
        // Nothing cannot be mapped: a word that nobody asked for stands for it.
        let (start, bytes) = if words.is_empty() { (0, 4) } else { (words.start as u64 * 4, words.len() as u64 * 4) };
        self.fetch(&from, start, bytes, limit)?;
        let view = self.answers.get_mapped_range(0..bytes).map_err(driver)?;
        let read = view.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).take(words.len()).collect();
        drop(view);
        self.answers.unmap();
        Ok(read)
    }

    /// Maps what is read.
    fn fetch(&mut self, from: &wgpu::Buffer, start: u64, bytes: u64, limit: Duration) -> Result<(), Fault> {
        if bytes > self.answers.size() {
            let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
            self.answers = self.card.make(bytes.next_power_of_two(), usage, false)?;
        }
        encoder(&mut self.commands, &self.card).copy_buffer_to_buffer(from, start, &self.answers, 0, bytes);
        self.staging.unmap();
        self.card.queue.submit(self.commands.take().map(CommandEncoder::finish));
        self.staging.recall();
        let (tell, told) = channel();
        self.answers.map_async(MapMode::Read, 0..bytes, move |result| {
            // Nobody listens if time ran out.
            let _ = tell.send(result);
        });
        let mapped = match self.wait(&told, limit) {
            Err(late @ Fault::Late(_)) => {
                // This one is mapped some day, when nobody reads it. Without another, the next read says what is wrong.
                if let Ok(other) = self.card.make(ANSWERS_MIN, BufferUsages::MAP_READ | BufferUsages::COPY_DST, false) {
                    self.answers = other;
                }
                return Err(late);
            }
            told => told?,
        };
        self.card.trouble.check()?;
        mapped.map_err(driver)
    }

    /// Asks the device now and then until it tells. (To wait in wgpu 30.0.1 with a limit is to panic, if the time is up while
    /// another lane asks.)
    fn wait<T>(&self, told: &Receiver<T>, limit: Duration) -> Result<T, Fault> {
        let begun = Instant::now();
        loop {
            self.card.device.poll(PollType::Poll).map_err(driver)?;
            let gone = begun.elapsed();
            match told.recv_timeout((gone / 16).clamp(PAUSE_MIN, PAUSE_MAX)) {
                Ok(told) => return Ok(told),
                Err(RecvTimeoutError::Disconnected) => {
                    self.card.trouble.check()?;
                    return Err(Fault::Driver("answers were not mapped".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if gone > limit => return Err(Fault::Late(limit)),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Lane for WgpuLane {
    fn write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault> {
        if words.is_empty() {
            return Ok(());
        }
        guarded(|| self.put_write(to, at, words))
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Fault> {
        self.card.trouble.check()?;
        if launch.threads == 0 {
            return Ok(());
        }
        guarded(|| {
            let card = Arc::clone(&self.card);
            let built = card.pipelines.get(&card, launch.kernel)?;
            self.dispatch(built, launch.threads, launch.buffers, &launch.params)
        })
    }

    fn read(&mut self, from: &Buffer, words: Range<usize>, limit: Duration) -> Result<Vec<u32>, Fault> {
        self.card.trouble.check()?;
        guarded(|| self.read_back(from, words, limit))
    }
}

/// The encoder that commands are put into.
fn encoder<'a>(commands: &'a mut Option<CommandEncoder>, card: &Wgpu) -> &'a mut CommandEncoder {
    commands.get_or_insert_with(|| card.device.create_command_encoder(&CommandEncoderDescriptor::default()))
}

fn check_range(buffer: &Buffer, at: usize, count: usize) -> Result<(), Fault> {
    match at.checked_add(count) {
        Some(end) if end <= buffer.words() => Ok(()),
        _ => Err(Fault::Driver(format!("words {at} and {count} more of {}", buffer.words()))),
    }
}
