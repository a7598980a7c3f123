//! What a WebSocket has sent of a message that is not whole yet.
//!
//! The WebSocket library shows whole messages only, so bytes are counted where they leave the socket.

use crate::limits::BODY_BYTES_MAX;
use crate::quota::{Account, Share};
use std::future::Future as _;
use std::io;
use std::mem::replace;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Header and mask of a control frame from a client.
const CONTROL_HEAD_BYTES: usize = 6;
/// Most bytes of a message, its frames' headers included: they are for many small frames.
const WIRE_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;

/// The counter of a connection; counts nothing until it begins.
#[derive(Clone, Default)]
pub(super) struct Intake(Arc<Mutex<Option<Partial>>>);

struct Partial {
    account: Account,
    share: Share,
    time_max: Duration,
    /// Runs while there is a part of a message.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Intake {
    /// From now on bytes are taken from `account`, and each message is whole within `time_max`.
    pub(super) fn begin(&self, account: Account, time_max: Duration) {
        let share = account.share();
        *self.partial() = Some(Partial { account, share, time_max, deadline: None });
    }

    /// A message is whole: what it took of the account.
    pub(super) fn whole(&self) -> Option<Share> {
        self.partial().as_mut().map(|partial| {
            partial.deadline = None;
            replace(&mut partial.share, partial.account.share())
        })
    }

    /// A control frame with this payload has come; it is no part of a message.
    pub(super) fn control(&self, payload: &[u8]) {
        if let Some(partial) = self.partial().as_mut() {
            let held = partial.share.bytes();
            partial.share.shrink(held.min(CONTROL_HEAD_BYTES + payload.len()));
            if partial.share.bytes() == 0 {
                partial.deadline = None;
            }
        }
    }

    /// While an answer was sent nothing was read: the time of a message that has begun starts anew.
    pub(super) fn resume(&self) {
        if let Some(partial) = self.partial().as_mut()
            && partial.deadline.is_some()
        {
            partial.deadline = Some(Box::pin(sleep(partial.time_max)));
        }
    }

    /// Judges a read that brought `bytes`.
    pub(super) fn watch(
        &self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<()>>,
        bytes: usize,
    ) -> Poll<io::Result<()>> {
        match self.partial().as_mut() {
            Some(partial) if outcome.is_pending() => partial.wait(cx),
            Some(partial) if bytes > 0 => Poll::Ready(partial.grow(bytes)),
            _ => outcome,
        }
    }

    fn partial(&self) -> MutexGuard<'_, Option<Partial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Partial {
    fn grow(&mut self, bytes: usize) -> io::Result<()> {
        let time_max = self.time_max;
        self.deadline.get_or_insert_with(|| Box::pin(sleep(time_max)));
        if self.share.bytes() + bytes > WIRE_BYTES_MAX {
            return Err(io::Error::other(format!("a message takes more than {WIRE_BYTES_MAX} bytes with its frames")));
        }
        match self.share.grow(bytes) {
            true => Ok(()),
            false => Err(io::Error::other("the node is busy with large requests: try again")),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        let limit = self.time_max.as_secs_f32();
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("a message did not arrive within {limit} s"));
        deadline.as_mut().poll(cx).map(|()| Err(late()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SMALL_BYTES_MAX;
    use crate::quota::Quota;
    use crate::server::stall::Stalling;
    use std::net::{IpAddr, Ipv4Addr};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    const HOUR: Duration = Duration::from_secs(3_600);

    /// A socket whose reads are counted, and the client's end.
    fn counted(quota: &Quota, time_max: Duration) -> (Stalling<DuplexStream>, DuplexStream, Intake) {
        let (near, far) = tokio::io::duplex(4 * SMALL_BYTES_MAX);
        let intake = Intake::default();
        intake.begin(quota.account(IpAddr::V4(Ipv4Addr::LOCALHOST)), time_max);
        (Stalling::new(near, HOUR, intake.clone()), far, intake)
    }

    async fn passes(near: &mut Stalling<DuplexStream>, far: &mut DuplexStream, bytes: usize) -> io::Result<usize> {
        far.write_all(&vec![7; bytes]).await.expect("open");
        near.read_exact(&mut vec![0; bytes]).await
    }

    #[tokio::test]
    async fn parts_of_a_message_are_counted_together() {
        let (mut near, mut far, intake) = counted(&Quota::new(0), HOUR);
        passes(&mut near, &mut far, SMALL_BYTES_MAX).await.expect("free");
        let first = intake.whole().expect("begun");
        assert_eq!(first.bytes(), SMALL_BYTES_MAX);
        let why = passes(&mut near, &mut far, 1).await.expect_err("the first is still worked on");
        assert!(why.to_string().contains("busy with large requests"), "{why}");
        drop(first);
        passes(&mut near, &mut far, SMALL_BYTES_MAX).await.expect("free again");
    }

    #[tokio::test]
    async fn control_frames_are_no_part_of_a_message() {
        let (mut near, mut far, intake) = counted(&Quota::new(0), HOUR);
        passes(&mut near, &mut far, 100).await.expect("free");
        passes(&mut near, &mut far, CONTROL_HEAD_BYTES + 3).await.expect("free");
        intake.control(b"abc");
        assert_eq!(intake.whole().expect("begun").bytes(), 100);
    }

    #[tokio::test]
    async fn a_message_has_its_time_and_silence_between_messages_has_none() {
        let limit = Duration::from_millis(100);
        let (mut near, mut far, intake) = counted(&Quota::new(0), limit);
        passes(&mut near, &mut far, 1).await.expect("free");
        drop(intake.whole());
        let silent = tokio::time::timeout(4 * limit, near.read_u8()).await;
        assert!(silent.is_err(), "no message has begun");
        passes(&mut near, &mut far, 1).await.expect("free");
        let why = near.read_u8().await.expect_err("late");
        assert_eq!(why.to_string(), "a message did not arrive within 0.1 s");
    }

    #[tokio::test]
    async fn the_time_that_an_answer_takes_is_not_the_clients() {
        let limit = Duration::from_millis(1);
        let (mut near, mut far, intake) = counted(&Quota::new(0), limit);
        passes(&mut near, &mut far, 1).await.expect("free");
        sleep(4 * limit).await;
        intake.partial().as_mut().expect("begun").time_max = HOUR;
        intake.resume();
        let silent = tokio::time::timeout(4 * limit, near.read_u8()).await;
        assert!(silent.is_err(), "its time has begun anew");
    }

    #[tokio::test]
    async fn frames_without_end_are_no_message() {
        let (mut near, mut far, _) = counted(&Quota::new(100 << 20), HOUR);
        for _ in 0..WIRE_BYTES_MAX / SMALL_BYTES_MAX {
            passes(&mut near, &mut far, SMALL_BYTES_MAX).await.expect("room");
        }
        assert!(passes(&mut near, &mut far, 1).await.is_err());
    }
}
