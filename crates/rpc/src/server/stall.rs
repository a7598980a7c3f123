//! A socket on which nobody can hang for good by not reading, or by hardly reading.

use super::intake::Intake;
use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Slowest reading that is not given up, in bytes per second.
const PACE: u32 = 64 * 1024;

/// Passes everything through. Once a write has to wait, all that is to be written is out within `patience` and a second
/// for each [`PACE`] bytes that get out, or writing fails.
pub(super) struct Stalling<S> {
    socket: S,
    patience: Duration,
    /// Runs from a write that had to wait until all is out.
    deadline: Option<Pin<Box<Sleep>>>,
    intake: Intake,
}

impl<S> Stalling<S> {
    /// `intake` counts what is read.
    pub(super) fn new(socket: S, patience: Duration, intake: Intake) -> Self {
        Self { socket, patience, deadline: None, intake }
    }

    fn wrote(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match (&outcome, &mut self.deadline) {
            (Poll::Pending, _) => self.wait(cx),
            (Poll::Ready(Ok(bytes)), Some(deadline)) => {
                let more = Duration::from_secs(*bytes as u64) / PACE;
                let later = deadline.deadline() + more;
                deadline.as_mut().reset(later);
                outcome
            }
            _ => outcome,
        }
    }

    /// HTTP and WebSocket flush when they have written all they had.
    fn flushed(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if outcome.is_pending() {
            return self.wait(cx);
        }
        self.deadline = None;
        outcome
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(cx, buf);
        self.intake.watch(cx, outcome, buf.filled().len() - before)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.wrote(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.socket).poll_flush(cx);
        self.flushed(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.socket).poll_shutdown(cx);
        self.flushed(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_millis(200);
    const PIECE: usize = 64 * 1024;

    /// A socket, and a client that reads `pieces` of so many bytes with pauses.
    fn read_in_pieces(bytes: usize, pieces: usize) -> (Stalling<DuplexStream>, JoinHandle<DuplexStream>) {
        let (near, mut far) = tokio::io::duplex(bytes);
        let reader = tokio::spawn(async move {
            for _ in 0..pieces {
                far.read_exact(&mut vec![0; bytes]).await.expect("written");
                sleep(Duration::from_millis(10)).await;
            }
            far
        });
        (Stalling::new(near, PATIENCE, Intake::default()), reader)
    }

    #[tokio::test]
    async fn who_keeps_the_pace_is_not_given_up_and_who_stops_is() {
        let (mut near, reader) = read_in_pieces(PIECE, 40);
        near.write_all(&vec![7; 41 * PIECE]).await.expect("it reads, for longer than the patience");
        near.flush().await.expect("all is out");
        let _stopped = reader.await.expect("no panic");
        assert_eq!(near.write_all(&[7]).await.expect_err("late").kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_in_drops_is_given_up() {
        let (mut near, reader) = read_in_pieces(1, usize::MAX);
        let written =
            timeout(Duration::from_secs(30), near.write_all(&[7; PIECE])).await.expect("given up long before");
        assert_eq!(written.expect_err("late").kind(), io::ErrorKind::TimedOut);
        reader.abort();
    }

    #[tokio::test]
    async fn each_answer_has_its_own_time() {
        let (mut near, reader) = read_in_pieces(1, usize::MAX);
        for _ in 0..40 {
            near.write_all(&[7; 2]).await.expect("two drops");
            near.flush().await.expect("all is out");
        }
        reader.abort();
    }
}
