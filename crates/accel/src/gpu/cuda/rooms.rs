//! Which buffers there are, and which of them work under way may touch.

use crate::gpu::card::Fault;
use cudarc::driver::sys::CUdeviceptr;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The buffers of a card.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rooms: HashMap<u64, Room>,
    last: u64,
}

#[derive(Debug)]
struct Room {
    at: CUdeviceptr,
    /// Lanes with work on it that may not be done.
    lanes: usize,
    released: bool,
}

impl Rooms {
    /// A new one, by its name.
    pub(super) fn add(&self, at: CUdeviceptr) -> u64 {
        let mut state = self.lock();
        state.last += 1;
        let id = state.last;
        state.rooms.insert(id, Room { at, lanes: 0, released: false });
        id
    }

    /// Its address. `joins`: one more lane has work on it.
    pub(super) fn address(&self, id: u64, joins: bool) -> Result<CUdeviceptr, Fault> {
        let mut state = self.lock();
        let room = state.rooms.get_mut(&id).ok_or_else(|| Fault::Driver(format!("no buffer {id}")))?;
        room.lanes += usize::from(joins);
        Ok(room.at)
    }

    /// The work of a lane on these is done.
    pub(super) fn leave(&self, ids: impl Iterator<Item = u64>) {
        let mut state = self.lock();
        for id in ids {
            if let Some(room) = state.rooms.get_mut(&id) {
                room.lanes -= 1;
            }
        }
    }

    /// Nobody will ask for it again.
    pub(super) fn release(&self, id: u64) {
        if let Some(room) = self.lock().rooms.get_mut(&id) {
            room.released = true;
        }
    }

    /// Takes out what can be freed.
    pub(super) fn unused(&self) -> Vec<CUdeviceptr> {
        let mut state = self.lock();
        state.rooms.extract_if(|_, room| room.released && room.lanes == 0).map(|(_, room)| room.at).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_released_and_done_is_freed() {
        let rooms = Rooms::default();
        let [a, b, c] = [0x100, 0x200, 0x300].map(|at| rooms.add(at));
        assert_eq!(rooms.address(a, true), Ok(0x100));
        assert_eq!(rooms.address(a, true), Ok(0x100), "another lane");
        assert_eq!(rooms.address(b, false), Ok(0x200));
        [a, b].into_iter().for_each(|id| rooms.release(id));
        assert_eq!(rooms.unused(), [0x200]);
        assert!(rooms.address(b, false).is_err());
        rooms.leave([a].into_iter());
        assert!(rooms.unused().is_empty());
        rooms.leave([a].into_iter());
        assert_eq!(rooms.unused(), [0x100]);
        assert_eq!(rooms.address(c, false), Ok(0x300));
        rooms.release(c);
        assert_eq!((rooms.unused(), rooms.unused()), (vec![0x300], vec![]));
    }
}
