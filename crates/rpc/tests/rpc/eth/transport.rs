//! Paths, ports, origins and tokens.

use super::fake::FakeEth;
use super::running::Eth;
use crate::http::{once, request as http_request};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{connect_async, tungstenite::Error};
use vigil_rpc::{JwtSecret, ServerConfig};

const JSON: &str = "content-type: application/json\r\n";
const CHAIN_ID: &str = r#"{"jsonrpc":"2.0","method":"eth_chainId","id":1}"#;

#[tokio::test]
async fn any_path() {
    let node = Eth::small().await;
    for path in ["/", "/rpc", "/a/b?c=d"] {
        let answer = once(node.address, "POST", path, JSON, CHAIN_ID).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x16e\"}\n")
        );
        assert_eq!(once(node.address, "GET", path, "", "").await.status, 405);
        assert_eq!(once(node.address, "POST", path, "", CHAIN_ID).await.status, 415);
        assert_eq!(once(node.address, "OPTIONS", path, "", "").await.status, 200);
        let (mut socket, _) = connect_async(format!("ws://{}{path}", node.address)).await.expect("open");
        socket.close(None).await.expect("open");
    }
    let half = "connection: upgrade\r\nupgrade: websocket\r\n";
    assert_eq!(once(node.address, "GET", "/", half, "").await.status, 400);
}

#[tokio::test]
async fn requests_of_any_form() {
    let node = Eth::small().await;
    for (body, status, part) in [
        (r#"{"jsonrpc":"2.0","method":"eth_chainId","params":null,"id":"a<b"}"#, 200, r#""id":"a<b","result":"0x16e""#),
        (r#"{"jsonrpc":"2.0","method":"eth_chainId","params":[],"id":null,"more":{}}"#, 200, r#""id":null,"result""#),
        (r#"{"jsonrpc":"2.0","method":"eth_chainId","params":[]}"#, 204, ""),
        (r#"{"jsonrpc":"2.0","method":"eth_chainId","params":{},"id":1}"#, 200, r#"-32602,"message":"non-array args""#),
        (r#"{"method":"eth_chainId","id":1}"#, 200, r#""code":-32600"#),
        ("{", 200, r#""code":-32700"#),
        ("", 200, r#""code":-32700"#),
        ("\u{feff}{}", 200, r#""code":-32700"#),
    ] {
        let answer = once(node.address, "POST", "/", JSON, body).await;
        assert!(answer.status == status && answer.body.contains(part), "{body}: {}", answer.body);
    }
    let batch = node.post(&format!("[{CHAIN_ID},7,{}]", CHAIN_ID.replace("eth_chainId", "net_version"))).await;
    assert_eq!((&batch[0]["result"], &batch[1]["error"]["code"]), (&json!("0x16e"), &json!(-32600)));
    assert_eq!(batch[2]["result"], "366");
}

#[tokio::test]
async fn two_ports_are_one_node() {
    let http = Eth::small().await;
    let ws = Eth::serve(http.fake.clone(), http.rpc.clone(), ServerConfig::default()).await;
    let mut socket = ws.socket().await;
    let name = socket.ask("eth_newBlockFilter", json!([])).await["result"].clone();
    assert_eq!(http.result("eth_uninstallFilter", json!([name])).await, true);
}

#[tokio::test]
async fn origins() {
    let foreign = format!("{JSON}origin: http://evil.example\r\n");
    let socket = async |node: &Eth| {
        let mut request = format!("ws://{}/", node.address).into_client_request().expect("a URL");
        request.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
        connect_async(request).await.map(|_| ())
    };
    let closed = Eth::small().await;
    let answer = once(closed.address, "POST", "/", &foreign, CHAIN_ID).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None));
    let refused = socket(&closed).await.expect_err("refused");
    assert!(matches!(refused, Error::Http(answer) if answer.status() == 403));
    let open = Eth::start(FakeEth::small(), ServerConfig { cors: true, ..ServerConfig::default() }).await;
    for (method, status) in [("OPTIONS", 200), ("POST", 200)] {
        let answer = once(open.address, method, "/", &foreign, CHAIN_ID).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, Some("*")));
    }
    socket(&open).await.expect("open");
}

#[tokio::test]
async fn tokens() {
    let secret = JwtSecret::from_hex(&"ab".repeat(32)).expect("64 digits");
    let token = secret.token(std::time::SystemTime::now());
    let config = ServerConfig { jwt_secret: Some(secret), ..ServerConfig::default() };
    let node = Eth::start(FakeEth::small(), config).await;
    assert_eq!(once(node.address, "POST", "/", JSON, CHAIN_ID).await.status, 401);
    let with_token = format!("{JSON}authorization: Bearer {token}\r\n");
    assert_eq!(once(node.address, "POST", "/", &with_token, CHAIN_ID).await.status, 200);
    assert!(connect_async(format!("ws://{}/", node.address)).await.is_err());
}

/// Answers of one connection come in the order of its requests.
#[tokio::test]
async fn pipelined() {
    let node = Eth::small().await;
    let mut connection = crate::http::Connection::open(node.address).await;
    for method in ["eth_chainId", "net_version"] {
        let body = CHAIN_ID.replace("eth_chainId", method);
        connection.send(&http_request("POST", "/", JSON, body.as_bytes())).await.expect("open");
    }
    assert!(connection.receive().await.expect("an answer").body.contains("0x16e"));
    assert!(connection.receive().await.expect("an answer").body.contains("\"366\""));
}
