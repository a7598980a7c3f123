//! Memory that both the program and the card see, through which words go to the card.

use super::device::Wgpu;
use crate::gpu::card::Fault;
use std::sync::mpsc::{Receiver, Sender, channel};
use wgpu::{Buffer, BufferUsages, CommandEncoder, MapMode};

/// Bytes of a piece at least.
const PIECE: u64 = 1 << 20;
/// Larger pieces are for single uses, such as tables, and are not kept.
const KEPT_MAX: u64 = 8 << 20;

/// Pieces of memory, used again once the card has read them.
#[derive(Debug)]
pub(super) struct Staging {
    /// What is written to, from the byte on.
    open: Option<(Buffer, u64)>,
    /// Written, and the commands that read them not yet done.
    used: Vec<Buffer>,
    /// Mapped, and of no use otherwise.
    free: Vec<Buffer>,
    back: (Sender<Buffer>, Receiver<Buffer>),
}

impl Staging {
    pub(super) fn new() -> Self {
        Self { open: None, used: vec![], free: vec![], back: channel() }
    }

    /// Copies words to a buffer from byte `at` on, when the encoder's commands are done.
    pub(super) fn copy(
        &mut self,
        card: &Wgpu,
        encoder: &mut CommandEncoder,
        to: &Buffer,
        at: u64,
        words: &[u32],
    ) -> Result<(), Fault> {
        let bytes = words.len() as u64 * 4;
        let (piece, from) = self.room(card, bytes)?;
        let mut view = piece.get_mapped_range_mut(from..from + bytes).map_err(driver)?;
        view.slice(..).into_chunks::<4>().0.write_iter(words.iter().map(|word| word.to_le_bytes()));
        drop(view);
        encoder.copy_buffer_to_buffer(&piece, from, to, at, bytes);
        Ok(())
    }

    /// A place for so many bytes in a mapped piece.
    fn room(&mut self, card: &Wgpu, bytes: u64) -> Result<(Buffer, u64), Fault> {
        if self.open.as_ref().is_none_or(|(piece, from)| from + bytes > piece.size()) {
            self.used.extend(self.open.take().map(|(piece, _)| piece));
            self.free.extend(self.back.1.try_iter());
            let fits = self.free.iter().position(|piece| piece.size() >= bytes);
            let piece = match fits {
                Some(place) => self.free.swap_remove(place),
                None => {
                    let size = bytes.next_multiple_of(PIECE);
                    card.make(size, BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC, true)?
                }
            };
            self.open = Some((piece, 0));
        }
        let (piece, end) = self.open.as_mut().expect("a piece is open");
        let from = *end;
        // Places of views are multiples of 8.
        *end = (from + bytes).next_multiple_of(8);
        Ok((piece.clone(), from))
    }

    /// Before the commands go to the card: it reads the pieces.
    pub(super) fn unmap(&mut self) {
        self.used.extend(self.open.take().map(|(piece, _)| piece));
        self.used.iter().for_each(Buffer::unmap);
    }

    /// After that: the pieces come back when the commands are done and the device is asked.
    pub(super) fn recall(&mut self) {
        for piece in self.used.drain(..).filter(|piece| piece.size() <= KEPT_MAX) {
            let (back, mapped) = (self.back.0.clone(), piece.clone());
            piece.map_async(MapMode::Write, .., move |result| {
                // Nobody waits for it if the lane is gone; a piece that cannot be mapped is let go.
                if result.is_ok() {
                    let _ = back.send(mapped);
                }
            });
        }
    }
}

/// An error of wgpu's as a fault.
pub(super) fn driver(error: impl std::fmt::Display) -> Fault {
    Fault::Driver(error.to_string())
}
