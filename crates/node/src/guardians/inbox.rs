//! The way to the host, and how much of what peers say may wait for it.

use super::host::Event;
use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vigil_net::Peer;
use vigil_net::limits::GUARDIAN_BYTES_MAX;

/// Bytes of peers' messages that wait for the thread; more are dropped, as machines and hosts repeat themselves.
const WAITING_MAX: usize = 32 << 20;
/// What one peer may fill of them.
const PEER_MAX: usize = WAITING_MAX / 8;
/// What is each peer's though others fill all the rest: two messages.
const PEER_RESERVED: usize = 2 * (GUARDIAN_BYTES_MAX + MESSAGE);
/// What a message counts beside its bytes.
const MESSAGE: usize = 256;

/// The way to the host.
#[derive(Clone)]
pub struct Guardians {
    events: Sender<Event>,
    waiting: Arc<Mutex<Waiting>>,
}

impl Guardians {
    /// A way, and its end for [`super::Host::run`].
    pub fn new() -> (Self, Receiver<Event>) {
        let (events, out) = mpsc::channel();
        (Self { events, waiting: Arc::default() }, out)
    }

    /// Tells the host. Messages of a peer are dropped while too many bytes wait, its own or all.
    pub fn tell(&self, event: Event) {
        if let Event::Told { peer, bytes } = &event
            && !self.waiting().add(*peer, bytes.len() + MESSAGE)
        {
            metrics::counter!("vigil_guardian_dropped_total").increment(1);
            return;
        }
        let _host_has_ended = self.events.send(event);
    }

    /// A message of so many bytes waits no more.
    pub(super) fn taken(&self, peer: Peer, bytes: usize) {
        self.waiting().remove(peer, bytes + MESSAGE);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that wait.
#[derive(Default)]
struct Waiting {
    all: usize,
    of: HashMap<Peer, usize>,
}

impl Waiting {
    /// False if there is no room.
    fn add(&mut self, peer: Peer, bytes: usize) -> bool {
        let own = self.of.get(&peer).map_or(bytes, |own| own + bytes);
        let has_room = own <= PEER_RESERVED || (own <= PEER_MAX && self.all + bytes <= WAITING_MAX);
        if has_room {
            self.of.insert(peer, own);
            self.all += bytes;
        }
        has_room
    }

    fn remove(&mut self, peer: Peer, bytes: usize) {
        self.all -= bytes;
        let own = self.of.entry(peer).or_default();
        *own -= bytes;
        if *own == 0 {
            self.of.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::Bytes;

    fn tell(guardians: &Guardians, peer: u64, bytes: usize) {
        guardians.tell(Event::Told { peer: Peer(peer), bytes: Bytes::from(vec![0; bytes]) });
    }

    fn came(out: &Receiver<Event>, guardians: &Guardians) -> HashMap<Peer, usize> {
        let mut came: HashMap<Peer, usize> = HashMap::new();
        for event in out.try_iter() {
            let Event::Told { peer, bytes } = event else { panic!("a message") };
            guardians.taken(peer, bytes.len());
            *came.entry(peer).or_default() += bytes.len() + MESSAGE;
        }
        came
    }

    #[test]
    fn a_flood_of_some_does_not_silence_the_others() {
        let (guardians, out) = Guardians::new();
        for _ in 0..2 {
            (0..2_000).for_each(|_| tell(&guardians, 1, GUARDIAN_BYTES_MAX));
            (0..40_000).for_each(|_| tell(&guardians, 2, 0));
            tell(&guardians, 3, 1_000);
            let came = came(&out, &guardians);
            assert!(
                came.values().all(|bytes| *bytes <= PEER_MAX) && came[&Peer(1)] + GUARDIAN_BYTES_MAX > PEER_MAX / 2
            );
            assert_eq!((came[&Peer(2)], came[&Peer(3)]), (PEER_MAX, 1_000 + MESSAGE));
        }
        assert!(guardians.waiting().of.is_empty() && guardians.waiting().all == 0);
        // Many together fill all that there is, but for what is each peer's.
        for peer in 0..40 {
            (0..2_000).for_each(|_| tell(&guardians, peer, 10_000));
        }
        (0..3).for_each(|_| tell(&guardians, 99, GUARDIAN_BYTES_MAX));
        let came = came(&out, &guardians);
        assert!(came.len() == 41 && came.values().sum::<usize>() <= WAITING_MAX + 41 * PEER_RESERVED);
        assert_eq!(came[&Peer(99)], PEER_RESERVED);
    }
}
