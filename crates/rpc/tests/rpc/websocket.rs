//! `/ws`.

use crate::fake::Fake;
use crate::running::Running;
use futures::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use vigil_rpc::ServerConfig;
use vigil_rpc::limits::{BODY_BYTES_MAX, FRAME_BYTES_MAX};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(address: SocketAddr, origin: Option<&str>) -> Result<Socket, Error> {
    let mut request = format!("ws://{address}/ws").into_client_request().expect("a URL");
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn ask(socket: &mut Socket, body: &str) -> String {
    socket.send(Message::text(body)).await.expect("open");
    socket.next().await.expect("open").expect("a frame").into_text().expect("text").to_string()
}

const VERSION: &str = r#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":3}"#;

#[tokio::test]
async fn carries_requests_without_an_origin() {
    let node = Running::plain().await;
    let mut socket = open(node.address, None).await.expect("lenient");
    let want = "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"version\":\"0.1.0\",\"git_hash\":\"abc\",\"timestamp\":\"now\"}}\n";
    assert_eq!(ask(&mut socket, VERSION).await, want);
    assert!(ask(&mut socket, "{").await.contains("-32700"));
    assert!(ask(&mut socket, &format!("[{VERSION}]")).await.starts_with('['));
    // A notification has no answer: the next frame answers the next request.
    socket.send(Message::text(r#"{"jsonrpc":"2.0","method":"theta.GetVersion"}"#)).await.expect("open");
    assert_eq!(ask(&mut socket, VERSION).await, want);
}

/// Sends `body` in frames that are as large as may be.
async fn send_in_frames(socket: &mut Socket, body: &str) -> Result<(), Error> {
    let frames = body.as_bytes().chunks(FRAME_BYTES_MAX);
    let last = frames.len() - 1;
    for (at, bytes) in frames.enumerate() {
        let kind = if at == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(bytes.to_vec(), OpCode::Data(kind), at == last);
        socket.send(Message::Frame(frame)).await?;
    }
    Ok(())
}

fn padded(length: usize) -> String {
    format!("{VERSION}{}", " ".repeat(length - VERSION.len()))
}

#[tokio::test]
async fn messages_up_to_the_limit_in_frames_up_to_theirs() {
    let node = Running::plain().await;
    let mut socket = open(node.address, None).await.expect("lenient");
    assert!(ask(&mut socket, &padded(FRAME_BYTES_MAX)).await.contains("result"));
    send_in_frames(&mut socket, &padded(BODY_BYTES_MAX)).await.expect("open");
    let answer = socket.next().await.expect("open").expect("a frame").into_text().expect("text");
    assert!(answer.contains("result"), "{answer}");
}

#[tokio::test]
async fn a_message_or_a_frame_over_the_limit_ends_the_socket() {
    let node = Running::plain().await;
    let mut socket = open(node.address, None).await.expect("lenient");
    let _sent_or_reset = send_in_frames(&mut socket, &padded(BODY_BYTES_MAX + 1)).await;
    assert!(matches!(socket.next().await, None | Some(Err(_) | Ok(Message::Close(_)))));
    let mut socket = open(node.address, None).await.expect("lenient");
    let _sent_or_reset = socket.send(Message::text(padded(FRAME_BYTES_MAX + 1))).await;
    assert!(matches!(socket.next().await, None | Some(Err(_) | Ok(Message::Close(_)))));
}

#[tokio::test]
async fn other_origins_only_where_cors_is_open() {
    let node = Running::plain().await;
    let same = format!("http://{}", node.address);
    assert!(open(node.address, Some(&same)).await.is_ok());
    for foreign in ["http://evil.example", "null", "https://127.0.0.1"] {
        let refused = open(node.address, Some(foreign)).await.expect_err("refused");
        assert!(matches!(refused, Error::Http(answer) if answer.status() == 403), "{foreign}");
    }
    let node = Running::start(Fake::default(), ServerConfig { cors: true, ..ServerConfig::default() }).await;
    assert!(open(node.address, Some("http://any.example")).await.is_ok());
}

#[tokio::test]
async fn a_waiting_request_does_not_hold_up_the_next() {
    let node = Running::start(Fake { never_settles: true, ..Fake::default() }, ServerConfig::default()).await;
    let mut socket = open(node.address, None).await.expect("lenient");
    let wait = r#"{"jsonrpc":"2.0","id":1,"method":"theta.BroadcastRawTransaction","params":{"tx_bytes":"01"}}"#;
    socket.send(Message::text(wait)).await.expect("open");
    assert!(ask(&mut socket, VERSION).await.contains(r#""id":3"#));
}

#[tokio::test]
async fn the_server_ends_with_sockets_open() {
    let node = Running::plain().await;
    let mut socket = open(node.address, None).await.expect("lenient");
    ask(&mut socket, VERSION).await;
    node.stop().await;
    assert!(matches!(socket.next().await, None | Some(Err(_) | Ok(Message::Close(_)))));
}
