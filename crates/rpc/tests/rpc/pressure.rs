//! Clients that take places and memory and give nothing back.

use crate::fake::Fake;
use crate::http::{Connection, post, request};
use crate::running::Running;
use futures::StreamExt as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use vigil_rpc::ServerConfig;
use vigil_rpc::limits::{
    BODIES_BYTES_MAX, BODY_BYTES_MAX, ERROR_CHARS_MAX, FRAME_BYTES_MAX, METHOD_BYTES_MAX, RESPONSES_BYTES_MAX,
    SMALL_BYTES_MAX,
};

const JSON: &str = "content-type: application/json\r\n";
const VERSION: &str = r#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#;
/// Answered with 24 blocks.
const LARGE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"theta.GetBlocksByRange","params":{"start":"1","end":"24"}}"#;
/// Longest wait; reached only when a test fails.
const DEADLINE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3_600);

/// No clock ends a connection.
fn patient(connections_max: usize) -> ServerConfig {
    let (idle_time_max, body_time_max) = (HOUR, HOUR);
    ServerConfig { connections_max, idle_time_max, body_time_max, request_time_max: HOUR, ..ServerConfig::default() }
}

async fn is_served(node: &Running) {
    let answer = tokio::time::timeout(DEADLINE, post(node.address, VERSION)).await.expect("a newcomer is served");
    assert!(answer.contains("result"), "{answer}");
}

#[tokio::test]
async fn idle_connections_make_room() {
    let config = patient(ServerConfig::default().connections_max);
    let (count, node) = (config.connections_max, Running::start(Fake::default(), config).await);
    let mut idle = Vec::new();
    for _ in 0..count {
        idle.push(Connection::open(node.address).await);
    }
    idle[0].post(VERSION.as_bytes()).await;
    is_served(&node).await;
}

#[tokio::test]
async fn slow_heads_and_bodies_make_room() {
    let node = Running::start(Fake::default(), patient(2)).await;
    let mut slow = [Connection::open(node.address).await, Connection::open(node.address).await];
    slow[0].send(b"POST /rpc HTTP/1.1\r\nhost:").await.expect("open");
    slow[1].send(format!("{}{{", head(99)).as_bytes()).await.expect("open");
    is_served(&node).await;
    is_served(&node).await;
}

/// A request with a body of so many bytes that has not come yet.
fn head(length: usize) -> String {
    format!("POST /rpc HTTP/1.1\r\nhost: n\r\n{JSON}content-length: {length}\r\n\r\n")
}

/// A good request padded to `length` bytes.
fn padded(length: usize) -> String {
    format!("{VERSION}{}", " ".repeat(length - VERSION.len()))
}

#[tokio::test]
async fn announced_bodies_keep_nobody_out() {
    let node = Running::start(Fake::default(), patient(200)).await;
    let mut announced = Vec::new();
    for _ in 0..2 * BODIES_BYTES_MAX / BODY_BYTES_MAX {
        let mut connection = Connection::open(node.address).await;
        connection.send(head(BODY_BYTES_MAX).as_bytes()).await.expect("open");
        announced.push(connection);
    }
    is_served(&node).await;
    assert!(post(node.address, &padded(BODY_BYTES_MAX)).await.contains("result"), "nothing has come yet");
}

/// A refusal comes before the whole body has gone, so it may be lost to a reset.
async fn is_refused(node: &Running, body: &str) -> bool {
    let mut connection = Connection::open(node.address).await;
    let _sent_or_refused = connection.send(&request("POST", "/rpc", JSON, body.as_bytes())).await;
    connection.receive().await.is_none_or(|answer| answer.body.contains("busy with large requests"))
}

#[tokio::test]
async fn large_bodies_keep_out_only_large_ones() {
    let node = Running::start(Fake::default(), patient(200)).await;
    let large = padded(BODY_BYTES_MAX);
    let mut unfinished = Vec::new();
    for _ in 0..=BODIES_BYTES_MAX / BODY_BYTES_MAX {
        let mut connection = Connection::open(node.address).await;
        let _sent_or_refused = connection.send(format!("{}{}", head(large.len()), &large[1..]).as_bytes()).await;
        unfinished.push(connection);
    }
    let refused = async { while !is_refused(&node, &large).await {} };
    tokio::time::timeout(DEADLINE, refused).await.expect("refused once the others have come");
    let answer = post(node.address, &padded(SMALL_BYTES_MAX)).await;
    assert!(answer.contains("result"), "{answer}");
    drop(unfinished);
    let again = async { while is_refused(&node, &large).await {} };
    tokio::time::timeout(DEADLINE, again).await.expect("served once they are gone");
}

#[tokio::test]
async fn a_body_has_its_time() {
    let config = ServerConfig { body_time_max: Duration::from_millis(300), ..patient(9) };
    let node = Running::start(Fake::default(), config).await;
    let mut connection = Connection::open(node.address).await;
    connection.send(format!("{}{{", head(99)).as_bytes()).await.expect("open");
    let answer = connection.receive().await.expect("an answer without the rest");
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("did not arrive within 0.3 s"), "{}", answer.body);
}

#[tokio::test]
async fn who_is_at_work_is_not_sent_away() {
    let fake = Fake { never_settles: true, ..Fake::default() };
    let config = ServerConfig { request_time_max: Duration::from_millis(2_500), ..patient(1) };
    let node = Running::start(fake, config).await;
    let wait = r#"{"jsonrpc":"2.0","id":1,"method":"theta.BroadcastRawTransaction","params":{"tx_bytes":"01"}}"#;
    let mut at_work = Connection::open(node.address).await;
    at_work.send(&request("POST", "/rpc", JSON, wait.as_bytes())).await.expect("open");
    is_served(&node).await;
    let answer = at_work.receive().await.expect("its answer came before it had to go");
    assert!(answer.body.contains("Timed out waiting"), "{}", answer.body);
}

#[tokio::test]
async fn idle_websockets_make_room_and_are_told_so() {
    let node = Running::start(Fake::default(), patient(1)).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/ws", node.address)).await.expect("open");
    is_served(&node).await;
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Again),
        other => panic!("{other:?}"),
    }
}

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: n\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A socket that speaks WebSocket by hand.
async fn raw_websocket(node: &Running) -> tokio::net::TcpStream {
    let mut socket = tokio::net::TcpStream::connect(node.address).await.expect("open");
    socket.write_all(UPGRADE.as_bytes()).await.expect("open");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.expect("open"));
    }
    socket
}

/// A frame, masked with zeros. `first`: its opcode, and 0x80 if it is the last of a message.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_be_bytes();
    [&[first, 0xff], length.as_slice(), &[0; 4], payload].concat()
}

#[tokio::test]
async fn unfinished_websocket_messages_count_as_bodies() {
    let node = Running::start(Fake::default(), patient(200)).await;
    let mut unfinished = Vec::new();
    for _ in 0..=BODIES_BYTES_MAX / (4 * FRAME_BYTES_MAX) {
        let mut socket = raw_websocket(&node).await;
        for opcode in [2, 0, 0, 0] {
            let _sent_or_closed = socket.write_all(&frame(opcode, &[b' '; FRAME_BYTES_MAX])).await;
        }
        unfinished.push(socket);
    }
    let large = padded(BODY_BYTES_MAX);
    let refused = async { while !is_refused(&node, &large).await {} };
    tokio::time::timeout(DEADLINE, refused).await.expect("refused once the others have come");
    is_served(&node).await;
}

#[tokio::test]
async fn a_websocket_message_has_its_time_whatever_comes_between() {
    let config = ServerConfig { body_time_max: Duration::from_millis(300), ..patient(9) };
    let node = Running::start(Fake::default(), config).await;
    let (mut reader, mut writer) = raw_websocket(&node).await.into_split();
    writer.write_all(&frame(2, b"begun")).await.expect("open");
    let mut received = Vec::new();
    let pongs = async {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        while writer.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.is_ok() {
            pace.tick().await;
        }
    };
    let closed = async {
        let _closed_or_reset = reader.read_to_end(&mut received).await;
    };
    let both = async { tokio::join!(pongs, closed) };
    tokio::time::timeout(DEADLINE, both).await.expect("closed long before");
    let text = String::from_utf8_lossy(&received);
    assert!(text.contains("a message did not arrive within 0.3 s"), "{text}");
}

#[tokio::test]
async fn half_open_websockets_are_closed_and_silent_ones_are_not() {
    let config = ServerConfig { idle_time_max: Duration::from_millis(300), ..patient(9) };
    let node = Running::start(Fake::default(), config).await;
    let mut vanished = tokio::net::TcpStream::connect(node.address).await.expect("open");
    vanished.write_all(UPGRADE.as_bytes()).await.expect("open");
    let (mut silent, _) = tokio_tungstenite::connect_async(format!("ws://{}/ws", node.address)).await.expect("open");
    // Reading answers the pings: this one outlives several of them.
    for _ in 0..4 {
        assert!(matches!(silent.next().await, Some(Ok(Message::Ping(_)))));
    }
    let mut received = Vec::new();
    let closed = tokio::time::timeout(DEADLINE, vanished.read_to_end(&mut received)).await;
    closed.expect("closed long before").expect("closed in order");
    assert!(received.starts_with(b"HTTP/1.1 101"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_do_not_fill_the_memory() {
    let fake = Fake { padding: 1024 * 1024, ..Fake::default() };
    let node = Running::start(fake, patient(100)).await;
    let mut unread = Vec::new();
    for _ in 0..RESPONSES_BYTES_MAX / (24 << 20) {
        let mut connection = Connection::open(node.address).await;
        connection.send(&request("POST", "/rpc", JSON, LARGE.as_bytes())).await.expect("open");
        connection.begins().await;
        unread.push(connection);
    }
    assert!(post(node.address, LARGE).await.contains("busy with large answers"));
    is_served(&node).await;
    drop(unread);
    let again = async { while post(node.address, LARGE).await.contains("busy") {} };
    tokio::time::timeout(DEADLINE, again).await.expect("served once they are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_answers_of_a_websocket_count_until_it_closes() {
    let fake = Fake { padding: 1024 * 1024, ..Fake::default() };
    let node = Running::start(fake, patient(100)).await;
    let mut unread = Vec::new();
    for _ in 0..RESPONSES_BYTES_MAX / (24 << 20) {
        let mut socket = raw_websocket(&node).await;
        socket.write_all(&frame(0x81, LARGE.as_bytes())).await.expect("open");
        socket.read_u8().await.expect("the beginning of an answer");
        unread.push(socket);
    }
    assert!(post(node.address, LARGE).await.contains("busy with large answers"));
    is_served(&node).await;
    for socket in &mut unread {
        assert_eq!(socket.read_u8().await.expect("a length"), 127, "eight bytes follow");
        let length = socket.read_u64().await.expect("a length");
        let read = tokio::io::copy(&mut socket.take(length), &mut tokio::io::sink()).await.expect("the answer");
        assert_eq!(read, length);
    }
    // The library keeps a buffer of that size for as long as the socket lives.
    assert!(post(node.address, LARGE).await.contains("busy with large answers"));
    drop(unread);
    let again = async { while post(node.address, LARGE).await.contains("busy") {} };
    tokio::time::timeout(DEADLINE, again).await.expect("served once they are gone");
}

#[tokio::test]
async fn answers_full_of_errors_count_like_others() {
    let node = Running::plain().await;
    let long = "<".repeat(1_000);
    let one = format!(r#"{{"jsonrpc":"2.0","method":"{long}","id":"{long}"}}"#);
    let errors = format!("[{}]", vec![one.as_str(); 1_000].join(","));
    let answer = post(node.address, &errors).await;
    assert!(answer.len() < 1_000 * (6_000 + 6 * METHOD_BYTES_MAX + 200), "{} bytes", answer.len());
    let mut unread = Vec::new();
    for _ in 0..=RESPONSES_BYTES_MAX / answer.len() {
        let mut connection = Connection::open(node.address).await;
        connection.send(&request("POST", "/rpc", JSON, errors.as_bytes())).await.expect("open");
        connection.begins().await;
        unread.push(connection);
    }
    let refused = post(node.address, &errors).await;
    let busy = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"the node is busy with large answers: try again"}}"#;
    assert!(refused.len() < answer.len() / 10 && refused.contains(busy), "{} bytes", refused.len());
    is_served(&node).await;
}

#[tokio::test]
async fn errors_repeat_only_the_beginning_of_what_was_sent() {
    let node = Running::plain().await;
    let long = "<".repeat(1 << 20);
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"theta.GetBlockByHeight","params":{{"height":"{long}"}}}}"#);
    let answer = post(node.address, &body).await;
    assert!(answer.contains("strconv.ParseUint") && answer.len() < 7 * ERROR_CHARS_MAX, "{} bytes", answer.len());
}
