//! The bounded line of inputs to the engine.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use vigil_consensus::{Input, Message, Peer};

/// Inputs that may wait.
const COUNT_MAX: usize = 1_024;
/// KiB of messages that may wait: some of the largest blocks, so that peers cannot fill the memory.
const KIB_MAX: u32 = 128 * 1024;

/// Puts inputs in line. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inputs {
    line: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// An input with the room that it takes until the engine has it.
#[derive(Debug)]
pub struct Waiting {
    pub(super) input: Input,
    _room: Option<OwnedSemaphorePermit>,
}

impl Inputs {
    /// The line, and its end for the engine.
    pub fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (line, end) = mpsc::channel(COUNT_MAX);
        (Self { line, room: Arc::new(Semaphore::new(KIB_MAX as usize)) }, end)
    }

    /// A message of `bytes` encoded bytes. Waits while there is no room: that slows the network down.
    pub async fn received(&self, from: Peer, message: Message, bytes: usize) {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(KIB_MAX).min(KIB_MAX);
        let Ok(room) = Arc::clone(&self.room).acquire_many_owned(kib).await else { return };
        let _engine_is_gone =
            self.line.send(Waiting { input: Input::Received { from, message }, _room: Some(room) }).await;
    }

    /// Any other input.
    pub async fn send(&self, input: Input) {
        let _engine_is_gone = self.line.send(Waiting { input, _room: None }).await;
    }

    /// Any other input, from a thread that may block.
    pub fn blocking_send(&self, input: Input) {
        let _engine_is_gone = self.line.blocking_send(Waiting { input, _room: None });
    }
}
