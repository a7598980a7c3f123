//! HTTP by hand, so that tests see the very bytes.

use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lower-case names.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(address).await.expect("a listening server")) }
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes).await
    }

    /// Reads one answer; `None` if the server closed.
    pub(crate) async fn receive(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).expect("a status line").parse().expect("a status");
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").map_or(0, |text| text.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).expect("answers are UTF-8");
        Some(answer)
    }

    /// Waits for the beginning of an answer: it is made by then.
    pub(crate) async fn begins(&mut self) {
        self.stream.fill_buf().await.expect("an answer");
    }

    /// POSTs a body to `/rpc`.
    pub(crate) async fn post(&mut self, body: &[u8]) -> Answer {
        self.send(&request("POST", "/rpc", "content-type: application/json\r\n", body))
            .await
            .expect("an open connection");
        self.receive().await.expect("an answer")
    }
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: node\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// One request on a connection of its own.
pub(crate) async fn once(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut connection = Connection::open(address).await;
    connection.send(&request(method, path, headers, body.as_bytes())).await.expect("an open connection");
    connection.receive().await.expect("an answer")
}

/// POSTs JSON on a connection of its own; the body of the answer.
pub(crate) async fn post(address: SocketAddr, body: &str) -> String {
    Connection::open(address).await.post(body.as_bytes()).await.body
}
