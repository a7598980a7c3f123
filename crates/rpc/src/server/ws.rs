//! The same requests and answers as text frames of a WebSocket; on the Ethereum side also events (`feed.rs`).

use super::Server;
use super::connections::ended;
use super::feed::{Feed, Push, Subscription};
use super::intake::Intake;
use super::origin::is_foreign;
use super::slots::Slot;
use crate::answering::{self, Caller};
use crate::jsonrpc::{Budget, Line};
use crate::limits::{BODY_BYTES_MAX, FRAME_BYTES_MAX, WS_IN_FLIGHT_MAX};
use crate::quota::{Account, Share};
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::stream::FuturesUnordered;
use futures::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};

/// Bytes of requests of one socket that are worked on at once; more wait unread.
const IN_FLIGHT_BYTES_MAX: usize = BODY_BYTES_MAX;
/// How long a socket may take to close.
const CLOSE_GRACE: Duration = Duration::from_millis(500);
/// Longest reason of a close frame that every client takes, in bytes.
const REASON_BYTES_MAX: usize = 123;

pub(super) async fn upgrade(
    State(server): State<Arc<Server>>,
    Extension(slot): Extension<Slot>,
    Extension(intake): Extension<Intake>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if let Err(why) = server.config.authorize(&headers) {
        return (StatusCode::UNAUTHORIZED, why).into_response();
    }
    if !server.config.cors && is_foreign(&headers) {
        return (StatusCode::FORBIDDEN, "this node takes no WebSocket from other origins").into_response();
    }
    let sized = upgrade.max_message_size(BODY_BYTES_MAX).max_frame_size(FRAME_BYTES_MAX);
    sized.on_upgrade(async move |socket| {
        intake.begin(server.bodies.account(slot.from()), server.config.body_time_max);
        let talk = Talk { server: &server, slot: &slot, intake, account: server.answers.account(slot.from()) };
        talk.run(socket).await;
    })
}

/// A socket's conversation.
struct Talk<'a> {
    server: &'a Server,
    slot: &'a Slot,
    intake: Intake,
    /// For its answers.
    account: Account,
}

impl Talk<'_> {
    /// Answers until the peer closes or falls silent, the place is wanted, or the server ends.
    async fn run(&self, mut socket: WebSocket) {
        let (code, why) = tokio::select! {
            broken = self.answers(&mut socket) => match broken {
                None => (close_code::NORMAL, String::new()),
                Some(why) => (close_code::POLICY, why.to_string()),
            },
            () = self.slot.wanted() => (close_code::AGAIN, String::new()),
            () = ended(self.server.ending.clone()) => (close_code::AWAY, String::new()),
        };
        let reason = why[..why.floor_char_boundary(REASON_BYTES_MAX)].into();
        let frame = CloseFrame { code, reason };
        let _already_gone = tokio::time::timeout(CLOSE_GRACE, socket.send(Message::Close(Some(frame)))).await;
    }

    /// Several requests run at once; the answer of each is sent when it is ready. Returns what broke the conversation
    /// if it has not just ended.
    async fn answers(&self, socket: &mut WebSocket) -> Option<axum::Error> {
        let (mut sink, mut stream) = socket.split();
        let (feed, mut events) = Feed::new(self.account.clone());
        let mut running = FuturesUnordered::new();
        let (mut held, mut pinged) = (0, false);
        // The library's buffer stays as large as the largest answer was, so that goes on counting.
        let mut largest: Option<Budget> = None;
        let patience = self.server.config.idle_time_max;
        // Events are no sign of life.
        let mut silent_since = Instant::now();
        loop {
            let room = running.len() < WS_IN_FLIGHT_MAX && held < IN_FLIGHT_BYTES_MAX;
            let mut beginning = Vec::new();
            let outgoing = tokio::select! {
                Some(done) = running.next(), if !running.is_empty() => {
                    let Done { bytes, answer, subscriptions } = done;
                    held -= bytes;
                    silent_since = Instant::now();
                    beginning = subscriptions;
                    answer
                }
                Some(event) = events.recv() => match event {
                    Push::Event(line) => Some(text(line)),
                    Push::Broken(why) => return Some(axum::Error::new(why)),
                },
                received = timeout_at(silent_since + patience, stream.next()), if room => {
                    let silence = received.is_err();
                    silent_since = Instant::now();
                    let outgoing = match heard(received) {
                        Heard::Request(request) => {
                            held += request.len();
                            running.push(self.one(request, self.intake.whole(), &feed));
                            None
                        }
                        Heard::Life(payload) => {
                            self.intake.control(&payload);
                            None
                        }
                        Heard::Silence if pinged && running.is_empty() => return None,
                        Heard::Silence => Some((Message::Ping(Bytes::new()), None)),
                        Heard::End => return None,
                        Heard::Broken(why) => return Some(why),
                    };
                    pinged = silence;
                    outgoing
                }
            };
            if let Some((message, budget)) = outgoing {
                if sink.send(message).await.is_err() {
                    return None;
                }
                self.intake.resume();
                if budget.as_ref().map(Budget::bytes) > largest.as_ref().map(Budget::bytes) {
                    largest = budget;
                }
            }
            beginning.into_iter().for_each(|subscription| feed.begin(subscription));
        }
    }

    /// Answers a request. `_share`: what it holds.
    async fn one(&self, bytes: Bytes, _share: Option<Share>, feed: &Feed) -> Done {
        let _work = self.slot.work();
        let caller = Caller::new(self.slot.from(), Some(feed));
        let answer = answering::answer(self.server.methods.as_ref(), &bytes, &caller, &self.account);
        let answer = match tokio::time::timeout(self.server.config.request_time_max, answer).await {
            Ok(line) => line.map(text),
            Err(_) => Some((Message::Text(Utf8Bytes::from_static("{\"error\": {\"message\":\"Timeout\"}}\n")), None)),
        };
        Done { bytes: bytes.len(), answer, subscriptions: caller.into_subscriptions() }
    }
}

/// A request that was answered.
struct Done {
    /// Its size.
    bytes: usize,
    answer: Option<Outgoing>,
    /// What begins once the answer is sent.
    subscriptions: Vec<Subscription>,
}

/// What is to be sent, and what it counts until it is: the WebSocket library copies it into its own buffer.
type Outgoing = (Message, Option<Budget>);

fn text(line: Line) -> Outgoing {
    let (bytes, budget) = line.into_parts();
    let text = Utf8Bytes::try_from(Bytes::from(bytes)).expect("answers are JSON");
    (Message::Text(text), Some(budget))
}

/// What a socket has brought.
enum Heard {
    Request(Bytes),
    /// A sign of life, with its payload.
    Life(Bytes),
    Silence,
    End,
    Broken(axum::Error),
}

fn heard(received: Result<Option<Result<Message, axum::Error>>, Elapsed>) -> Heard {
    match received {
        Err(_) => Heard::Silence,
        Ok(Some(Ok(Message::Text(text)))) => Heard::Request(text.into()),
        Ok(Some(Ok(Message::Binary(bytes)))) => Heard::Request(bytes),
        Ok(Some(Ok(Message::Ping(payload) | Message::Pong(payload)))) => Heard::Life(payload),
        Ok(Some(Err(why))) => Heard::Broken(why),
        Ok(Some(Ok(Message::Close(_))) | None) => Heard::End,
    }
}
