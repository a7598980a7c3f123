//! What a WebSocket has subscribed to: events that it is told without asking.
//!
//! Each subscription is a task that makes its events and waits until there is room for one. A client that does not read
//! makes them wait; what a task leaves out meanwhile, and what it makes good later, is its own affair. So a socket holds
//! [`PUSHES_MAX`] events at most, and one that reads nothing for good is closed (`stall.rs`).

use crate::jsonrpc::{Line, notification};
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::quota::{Account, Seat, Share};
use futures::future::BoxFuture;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Events of a socket that wait to be sent; for more, their tasks wait.
const PUSHES_MAX: usize = 16;

/// The subscriptions of one socket; they end with it.
pub(crate) struct Feed {
    account: Account,
    pushes: mpsc::Sender<Push>,
    /// `None`: named, not begun.
    running: Mutex<HashMap<u64, Option<Running>>>,
}

/// A subscription that is to begin.
pub(crate) struct Subscription {
    /// Its name.
    pub(crate) id: u64,
    /// Its share of all subscriptions.
    pub(crate) seat: Seat,
    /// Makes its events.
    pub(crate) run: BoxFuture<'static, ()>,
}

struct Running {
    task: AbortHandle,
    _seat: Seat,
}

/// What a subscription has for its socket.
pub(super) enum Push {
    /// An event.
    Event(Line),
    /// It cannot go on: the socket is closed, for this reason.
    Broken(String),
}

/// Sends the events of one subscription.
pub(crate) struct Pusher {
    id: u64,
    account: Account,
    pushes: mpsc::Sender<Push>,
}

/// The socket is closed, or about to be.
pub(crate) struct Gone;

impl Feed {
    /// Of a socket that takes its answers from `account`; and where its events come out.
    pub(super) fn new(account: Account) -> (Self, mpsc::Receiver<Push>) {
        let (pushes, events) = mpsc::channel(PUSHES_MAX);
        (Self { account, pushes, running: Mutex::default() }, events)
    }

    /// Names a subscription that begins later; `None` if the socket has [`SUBSCRIPTIONS_MAX`].
    pub(crate) fn reserve(&self, id: u64) -> Option<Pusher> {
        let mut running = self.running();
        if running.len() >= SUBSCRIPTIONS_MAX {
            return None;
        }
        running.insert(id, None);
        Some(Pusher { id, account: self.account.clone(), pushes: self.pushes.clone() })
    }

    /// Begins one that was named, unless it has been ended since.
    pub(super) fn begin(&self, subscription: Subscription) {
        if let Some(place @ None) = self.running().get_mut(&subscription.id) {
            let task = tokio::spawn(subscription.run).abort_handle();
            *place = Some(Running { task, _seat: subscription.seat });
        }
    }

    /// Ends one; false if there is none of that name.
    pub(crate) fn end(&self, id: u64) -> bool {
        self.running().remove(&id).is_some()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, Option<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pusher {
    /// Sends an event as soon as there is room for it.
    ///
    /// # Errors
    /// [`Gone`]: the subscription has nobody left to tell.
    pub(crate) async fn push<T: Serialize + Sync>(&self, event: &T) -> Result<(), Gone> {
        #[derive(Serialize)]
        struct Params<'a, T> {
            subscription: String,
            result: &'a T,
        }
        let room = self.pushes.reserve().await.map_err(|_| Gone)?;
        let params = Params { subscription: format!("{:#x}", self.id), result: event };
        match notification("eth_subscription", &params, &self.account) {
            Ok(line) => {
                room.send(Push::Event(line));
                Ok(())
            }
            Err(why) => {
                room.send(Push::Broken(why.message.into_owned()));
                Err(Gone)
            }
        }
    }

    /// Counts bytes of events that are yet to be sent, until what it returns is dropped.
    ///
    /// # Errors
    /// [`Gone`]: there is no room for so much, and the socket is closed.
    pub(crate) async fn hold(&self, bytes: usize) -> Result<Share, Gone> {
        let share = self.account.share();
        match share.grow(bytes) {
            true => Ok(share),
            false => Err(self.give_up("the node is busy with large answers: try again".to_owned()).await),
        }
    }

    /// Closes the socket, for this reason.
    pub(crate) async fn give_up(&self, why: String) -> Gone {
        let _already_gone = self.pushes.send(Push::Broken(why)).await;
        Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn feed() -> (Feed, mpsc::Receiver<Push>, Quota) {
        let quota = Quota::new(SUBSCRIPTIONS_MAX);
        let (feed, events) = Feed::new(Quota::new(1 << 20).account(HERE));
        (feed, events, quota)
    }

    #[tokio::test]
    async fn events_wait_for_room_and_end_with_the_subscription() {
        let (feed, mut events, quota) = feed();
        let pusher = feed.reserve(7).expect("the first");
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let run = Box::pin(async move {
            while pusher.push(&count.load(Ordering::Relaxed)).await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        feed.begin(Subscription { id: 7, seat: quota.seat(HERE).expect("free"), run });
        for _ in 0..10 * PUSHES_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(made.load(Ordering::Relaxed), PUSHES_MAX, "nobody reads");
        for count in 0..3 * PUSHES_MAX {
            let Some(Push::Event(line)) = events.recv().await else { panic!("event {count}") };
            let want = format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{{\"subscription\":\"0x7\",\"result\":{count}}}}}\n"
            );
            assert_eq!(line.as_ref(), want.as_bytes());
        }
        assert!(feed.end(7) && !feed.end(7));
        // What had room already still comes; then nothing more: its sender is gone with its task.
        drop(feed);
        let mut rest = 0;
        while events.recv().await.is_some() {
            rest += 1;
        }
        assert!(rest <= PUSHES_MAX, "{rest}");
        let seats: Vec<_> = std::iter::from_fn(|| quota.seat(HERE)).collect();
        assert_eq!(seats.len(), SUBSCRIPTIONS_MAX, "its seat is free again");
    }

    #[tokio::test]
    async fn a_socket_has_a_limit() {
        let (feed, _events, _) = feed();
        let pushers: Vec<_> = (0..).map_while(|id| feed.reserve(id)).collect();
        assert_eq!(pushers.len(), SUBSCRIPTIONS_MAX);
        assert!(feed.end(3) && feed.reserve(3).is_some() && feed.reserve(1_000).is_none());
    }

    #[tokio::test]
    async fn an_event_without_room_breaks_the_socket() {
        let (feed, mut events) = Feed::new(Quota::new(0).account(HERE));
        let pusher = feed.reserve(1).expect("the first");
        assert!(pusher.push(&"x".repeat(crate::limits::SMALL_BYTES_MAX)).await.is_err());
        assert!(matches!(events.recv().await, Some(Push::Broken(why)) if why.contains("busy")));
        let held = pusher.hold(crate::limits::SMALL_BYTES_MAX).await.ok();
        assert!(held.is_some() && pusher.hold(1).await.is_err());
        assert!(matches!(events.recv().await, Some(Push::Broken(why)) if why.contains("busy")));
    }
}
