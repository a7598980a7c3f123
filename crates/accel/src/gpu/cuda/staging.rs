//! Memory that both the program and the card see: pinned, so that copies overlap with kernels.

use super::device::Cuda;
use super::driver::{Handle, answered, failed};
use crate::gpu::card::Fault;
use cudarc::driver::result;
use cudarc::driver::sys::{self, CUdeviceptr, CUevent, CUevent_flags, CUresult, CUstream};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes of a piece.
const PIECE: usize = 2 << 20;
/// Most pieces of a lane.
const PIECES: usize = 16;
/// Most time to wait for a piece: who asked has given up before.
const STALLED: Duration = Duration::from_secs(60);
/// How long is waited without a pause, and the longest pause.
const SPIN: Duration = Duration::from_micros(20);
const PAUSE: Duration = Duration::from_micros(50);

/// Words of pinned memory.
#[derive(Debug)]
pub(super) struct Pinned {
    at: Handle<*mut u32>,
    words: usize,
}

impl Pinned {
    pub(super) fn new(card: &Cuda, words: usize) -> Result<Self, Fault> {
        let bytes = words * 4;
        // SAFETY: nothing is done with the memory here.
        let at = card.take("cuMemHostAlloc", bytes, || unsafe { result::malloc_host(bytes, 0) })?;
        Ok(Self { at: Handle(at.cast()), words })
    }

    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Where a word lies, which is one of these.
    fn word(&self, at: usize) -> *mut u32 {
        assert!(at < self.words, "word {at} of {}", self.words);
        // SAFETY: it is inside.
        unsafe { self.at.0.add(at) }
    }

    /// Puts a copy from the card into the stream.
    pub(super) fn fetch(
        &mut self,
        card: &Cuda,
        stream: CUstream,
        from: CUdeviceptr,
        count: usize,
    ) -> Result<(), Fault> {
        assert!(count <= self.words, "{count} words into {}", self.words);
        let to = self.at.0.cast();
        // SAFETY: there is room, and the lane lets this memory be until the stream has passed.
        card.call("cuMemcpyDtoHAsync", || unsafe { sys::cuMemcpyDtoHAsync_v2(to, from, count * 4, stream) }.result())
    }

    /// What a copy left here, after the stream has passed.
    pub(super) fn copied(&self, count: usize) -> Vec<u32> {
        assert!(count <= self.words, "{count} words of {}", self.words);
        // SAFETY: the copy filled these words, and nothing writes to them now.
        unsafe { std::slice::from_raw_parts(self.at.0, count) }.to_vec()
    }

    /// Gives it back; no work under way touches it, and it is not used again.
    pub(super) fn free(&self, card: &Cuda) -> Result<(), Fault> {
        // SAFETY: it came from `cuMemHostAlloc`.
        card.call("cuMemFreeHost", || unsafe { result::free_host(self.at.0.cast()) })
    }
}

/// A mark in a stream.
#[derive(Debug)]
pub(super) struct Mark(Handle<CUevent>);

impl Mark {
    pub(super) fn new(card: &Cuda) -> Result<Self, Fault> {
        let create = || result::event::create(CUevent_flags::CU_EVENT_DISABLE_TIMING);
        card.call("cuEventCreate", create).map(|event| Self(Handle(event)))
    }

    pub(super) fn set(&self, card: &Cuda, stream: CUstream) -> Result<(), Fault> {
        // SAFETY: event and stream are this lane's, of this card.
        card.call("cuEventRecord", || unsafe { result::event::record(self.0.0, stream) })
    }

    /// Whether the stream has passed it.
    fn is_passed(&self, card: &Cuda) -> Result<bool, Fault> {
        // SAFETY: the event is this lane's.
        match answered("cuEventQuery", || unsafe { result::event::query(self.0.0) })
            .map_err(|fault| card.note(fault))?
        {
            Ok(()) => Ok(true),
            Err(CUresult::CUDA_ERROR_NOT_READY) => Ok(false),
            Err(code) => Err(card.note(failed("cuEventQuery", code))),
        }
    }

    /// Until the stream has passed it.
    ///
    /// # Errors
    /// [`Fault::Late`] after `limit`, and the driver's.
    pub(super) fn wait(&self, card: &Cuda, limit: Duration) -> Result<(), Fault> {
        let started = Instant::now();
        while !self.is_passed(card)? {
            let waited = started.elapsed();
            if waited >= limit {
                // No trouble of the card's: it may still answer.
                return Err(Fault::Late(limit));
            }
            match waited < SPIN {
                true => std::hint::spin_loop(),
                false => std::thread::sleep((waited / 8).min(PAUSE)),
            }
        }
        Ok(())
    }

    /// Gives it back; it is not used again.
    pub(super) fn free(&self, card: &Cuda) -> Result<(), Fault> {
        // SAFETY: it came from `cuEventCreate`.
        card.call("cuEventDestroy", || unsafe { result::event::destroy(self.0.0) })
    }
}

/// Pieces of memory through which words go to the card, used again once the stream has passed.
#[derive(Debug, Default)]
pub(super) struct Staging {
    /// The last is written to, the first are read by the card.
    pieces: VecDeque<Piece>,
}

#[derive(Debug)]
struct Piece {
    memory: Pinned,
    used: usize,
    read: Mark,
}

impl Staging {
    /// Puts copies of words to the card into the stream.
    pub(super) fn copy(
        &mut self,
        card: &Cuda,
        stream: CUstream,
        mut to: CUdeviceptr,
        mut words: &[u32],
    ) -> Result<(), Fault> {
        while !words.is_empty() {
            let piece = self.piece(card, stream)?;
            let (some, rest) = words.split_at(words.len().min(piece.memory.words() - piece.used));
            let from = piece.memory.word(piece.used);
            // SAFETY: there is room for them, which nothing under way reads.
            unsafe { std::ptr::copy_nonoverlapping(some.as_ptr(), from, some.len()) };
            piece.used += some.len();
            let bytes = size_of_val(some);
            // SAFETY: the words stay until the stream has passed.
            let copy = || unsafe { sys::cuMemcpyHtoDAsync_v2(to, from.cast(), bytes, stream) }.result();
            card.call("cuMemcpyHtoDAsync", copy)?;
            (to, words) = (to + bytes as u64, rest);
        }
        Ok(())
    }

    /// The last piece, with room for a word.
    fn piece(&mut self, card: &Cuda, stream: CUstream) -> Result<&mut Piece, Fault> {
        let is_full = |piece: &Piece| piece.used == piece.memory.words();
        if self.pieces.back().is_none_or(is_full) {
            if let Some(full) = self.pieces.back() {
                full.read.set(card, stream)?;
            }
            self.turn(card)?;
        }
        Ok(self.pieces.back_mut().expect("just put there"))
    }

    /// Puts an empty piece behind the others: the first one, if the card has read it, or a new one. Where there is no memory
    /// for that, the first one is waited for.
    fn turn(&mut self, card: &Cuda) -> Result<(), Fault> {
        let is_read = match self.pieces.front() {
            // The only one was marked this moment.
            Some(first) if self.pieces.len() > 1 => first.is_read(card)?,
            _ => false,
        };
        if !is_read && self.pieces.len() < PIECES {
            match Piece::new(card) {
                Ok(piece) => {
                    self.pieces.push_back(piece);
                    return Ok(());
                }
                // All lanes share what the system lets be pinned: those that there are do.
                Err(Fault::OutOfMemory { .. }) if !self.pieces.is_empty() => {}
                Err(fault) => return Err(fault),
            }
        }
        let mut first = self.pieces.pop_front().expect("there are some");
        // Dropped if it fails: then it is left to the end of the process.
        first.read.wait(card, STALLED)?;
        first.used = 0;
        self.pieces.push_back(first);
        Ok(())
    }

    /// The stream has passed: all pieces are free.
    pub(super) fn passed(&mut self) {
        self.pieces.iter_mut().for_each(|piece| piece.used = 0);
    }

    /// Gives all back; no work under way touches it.
    pub(super) fn free(self, card: &Cuda) -> Result<(), Fault> {
        self.pieces.into_iter().try_for_each(|piece| {
            piece.memory.free(card)?;
            piece.read.free(card)
        })
    }
}

impl Piece {
    /// An empty one.
    fn new(card: &Cuda) -> Result<Self, Fault> {
        Ok(Self { memory: Pinned::new(card, PIECE / 4)?, used: 0, read: Mark::new(card)? })
    }

    /// Whether it is free: it was never used since all passed, or the card has read it.
    fn is_read(&self, card: &Cuda) -> Result<bool, Fault> {
        Ok(self.used == 0 || self.read.is_passed(card)?)
    }
}
