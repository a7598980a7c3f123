//! A line of work: a stream.

use super::device::Cuda;
use super::driver::Handle;
use super::staging::{Mark, Pinned, Staging};
use crate::gpu::card::{Buffer, Fault, Lane, Launch, PARAMS};
use cudarc::driver::result::launch_kernel;
use cudarc::driver::result::stream::{self, StreamKind};
use cudarc::driver::sys::{CUdeviceptr, CUstream};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Threads of a group.
const GROUP: usize = 128;
/// Buffers that a kernel sees.
const PLACES: usize = 8;
/// Words that the smallest memory for answers holds.
const ANSWERS_MIN: usize = 16 << 10;

/// `Args` of `kernels/cuda/base.cuh`.
#[repr(C)]
struct Args {
    buffers: [CUdeviceptr; PLACES],
    params: [u32; PARAMS],
}

/// A line of work.
pub(super) struct CudaLane {
    card: Arc<Cuda>,
    stream: Handle<CUstream>,
    end: Mark,
    staging: Staging,
    /// Where answers are read; larger when it has to be.
    answers: Pinned,
    /// Buffers with work that may not be done.
    using: HashSet<u64>,
}

impl CudaLane {
    /// Of a card that is this thread's.
    pub(super) fn new(card: Arc<Cuda>) -> Result<Self, Fault> {
        let stream = Handle(card.call("cuStreamCreate", || stream::create(StreamKind::NonBlocking))?);
        let (end, answers) = (Mark::new(&card)?, Pinned::new(&card, ANSWERS_MIN)?);
        Ok(Self { card, stream, end, staging: Staging::default(), answers, using: HashSet::new() })
    }

    /// Where a buffer lies; it stays there until the stream has passed.
    fn address(&mut self, buffer: &Buffer) -> Result<CUdeviceptr, Fault> {
        let is_new = !self.using.contains(&buffer.id());
        let address = self.card.rooms.address(buffer.id(), is_new)?;
        self.using.insert(buffer.id());
        Ok(address)
    }

    /// Waits until the stream has passed all.
    fn wait(&mut self, limit: Duration) -> Result<(), Fault> {
        self.end.set(&self.card, self.stream.0)?;
        self.end.wait(&self.card, limit)?;
        self.staging.passed();
        self.card.rooms.leave(self.using.drain());
        Ok(())
    }

    /// Memory for so many words of answers.
    fn make_room(&mut self, words: usize) -> Result<(), Fault> {
        if words > self.answers.words() {
            let larger = Pinned::new(&self.card, words.next_power_of_two())?;
            std::mem::replace(&mut self.answers, larger).free(&self.card)?;
        }
        Ok(())
    }
}

impl Lane for CudaLane {
    fn write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault> {
        check_range(to, at, words.len())?;
        self.card.enter()?;
        let address = self.address(to)? + at as u64 * 4;
        self.staging.copy(&self.card, self.stream.0, address, words)
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Fault> {
        let groups = u32::try_from(launch.threads.div_ceil(GROUP)).unwrap_or(u32::MAX);
        if groups > i32::MAX as u32 || launch.buffers.len() > PLACES {
            return Err(Fault::Driver(format!("a launch of {groups} groups with {} buffers", launch.buffers.len())));
        }
        if groups == 0 {
            return Ok(());
        }
        self.card.enter()?;
        let function = self.card.kernels()?.function(launch.kernel);
        let mut args = Args { buffers: [0; PLACES], params: launch.params };
        for (place, buffer) in args.buffers.iter_mut().zip(launch.buffers) {
            *place = self.address(buffer)?;
        }
        let (grid, group) = ((groups, 1, 1), (GROUP as u32, 1, 1));
        let params = &mut [(&raw mut args).cast()];
        // SAFETY: the arguments are copied by the call. The buffers stay until the stream has passed, and kernels stay inside
        // them if the launch is as kernels/README.md says.
        let start = || unsafe { launch_kernel(function, grid, group, 0, self.stream.0, params) };
        self.card.call(launch.kernel.name(), start)
    }

    fn read(&mut self, from: &Buffer, words: Range<usize>, limit: Duration) -> Result<Vec<u32>, Fault> {
        check_range(from, words.start, words.len())?;
        self.card.enter()?;
        self.make_room(words.len())?;
        if !words.is_empty() {
            let address = self.address(from)? + words.start as u64 * 4;
            self.answers.fetch(&self.card, self.stream.0, address, words.len())?;
        }
        self.wait(limit)?;
        Ok(self.answers.copied(words.len()))
    }
}

/// Gives its memory back if all is done. Else what may be in use stays until the process ends, with the whole card.
impl Drop for CudaLane {
    fn drop(&mut self) {
        let card = &self.card;
        if !self.using.is_empty() {
            card.note(Fault::Driver("a lane ended with work under way".to_owned()));
        }
        if card.enter().is_err() {
            return;
        }
        // SAFETY: the stream came from `cuStreamCreate`, and nothing is in it.
        let destroyed = card.call("cuStreamDestroy", || unsafe { stream::destroy(self.stream.0) });
        let staging = std::mem::take(&mut self.staging);
        let freed = destroyed.and_then(|()| self.end.free(card)).and_then(|()| self.answers.free(card));
        // What fails is the card's trouble.
        let _ = freed.and_then(|()| staging.free(card));
    }
}

fn check_range(buffer: &Buffer, at: usize, count: usize) -> Result<(), Fault> {
    match at.checked_add(count) {
        Some(end) if end <= buffer.words() => Ok(()),
        _ => Err(Fault::Driver(format!("words {at} and {count} more of {}", buffer.words()))),
    }
}
