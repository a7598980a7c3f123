//! The Ethereum side around a fake node, on a loopback port.

use super::fake::FakeEth;
use crate::http::Connection;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use vigil_rpc::eth::EthRpc;
use vigil_rpc::{ServerConfig, serve_eth};

/// Longest wait; reached only when a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A running server; ends when dropped.
pub(crate) struct Eth {
    pub(crate) address: SocketAddr,
    pub(crate) fake: Arc<FakeEth>,
    pub(crate) rpc: EthRpc,
    _end: oneshot::Sender<()>,
}

impl Eth {
    pub(crate) async fn start(fake: FakeEth, config: ServerConfig) -> Self {
        let fake = Arc::new(fake);
        let rpc = EthRpc::new(fake.clone());
        Self::serve(fake, rpc, config).await
    }

    /// Another port of the same.
    pub(crate) async fn serve(fake: Arc<FakeEth>, rpc: EthRpc, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (end, ended) = oneshot::channel::<()>();
        let shutdown = async {
            let _dropped = ended.await;
        };
        tokio::spawn(serve_eth(listener, rpc.clone(), config, shutdown));
        Self { address, fake, rpc, _end: end }
    }

    pub(crate) async fn small() -> Self {
        Self::start(FakeEth::small(), ServerConfig::default()).await
    }

    /// The whole answer to a body.
    pub(crate) async fn post(&self, body: &str) -> Value {
        let answer = Connection::open(self.address).await.post(body.as_bytes()).await;
        serde_json::from_str(&answer.body).unwrap_or_else(|why| panic!("{why}: {}", answer.body))
    }

    /// The whole answer to a request.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        self.post(&request(method, params)).await
    }

    /// The result of a request.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Code and text of an error.
    pub(crate) async fn error(&self, method: &str, params: Value) -> (i64, String) {
        let answer = self.ask(method, params).await;
        let error = answer.get("error").unwrap_or_else(|| panic!("{method}: {answer}"));
        (error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a text").to_owned())
    }

    pub(crate) async fn socket(&self) -> Socket {
        Socket(connect_async(format!("ws://{}/any", self.address)).await.expect("open").0)
    }
}

pub(crate) fn request(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// A WebSocket.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, method: &str, params: Value) {
        self.0.send(Message::text(request(method, params))).await.expect("open");
    }

    /// The next message; `None` if the socket is closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(DEADLINE, self.0.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    /// Sends a request and takes the next message as its answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(method, params).await;
        self.next().await.expect("an answer")
    }

    /// Subscribes; the name of the subscription.
    pub(crate) async fn subscribe(&mut self, params: Value) -> String {
        let answer = self.ask("eth_subscribe", params).await;
        answer["result"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The next event and whose it is.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let message = self.next().await.expect("an event");
        assert_eq!((message["jsonrpc"].as_str(), message["method"].as_str()), (Some("2.0"), Some("eth_subscription")));
        let name = message["params"]["subscription"].as_str().expect("a name").to_owned();
        (name, message["params"]["result"].clone())
    }
}
