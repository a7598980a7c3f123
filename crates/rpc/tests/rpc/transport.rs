//! The rows of `spec/rpc.md` §1 over HTTP.

use crate::fake::Fake;
use crate::http::{Connection, once, post, request};
use crate::running::Running;
use std::time::Duration;
use vigil_rpc::{JwtSecret, ServerConfig};

const VERSION: &str = r#"{"version":"0.1.0","git_hash":"abc","timestamp":"now"}"#;
const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn a_request_and_its_line() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    let answer = connection.post(br#"{"jsonrpc":"2.0","method":"theta.GetVersion","params":[],"id":1}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{VERSION}}}\n"));
    for params in [r#","params":{}"#, r#","params":[{}]"#, "", r#","params":[null]"#, r#","params":[{"X":1},2]"#] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"theta.GetVersion"{params},"id":1}}"#);
        assert!(connection.post(body.as_bytes()).await.body.contains(VERSION), "{params}");
    }
}

#[tokio::test]
async fn ids_are_echoed_as_given() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    for (id, echo) in [
        ("0", "0"),
        ("1.50", "1.50"),
        ("-1e3", "-1e3"),
        ("null", "null"),
        (r#""a""#, r#""a""#),
        (r#""<\u00e9>""#, r#""\u003c\u00e9\u003e""#),
        ("18446744073709551616", "18446744073709551616"),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"theta.GetVersion","id":{id}}}"#);
        let answer = connection.post(body.as_bytes()).await.body;
        assert_eq!(answer, format!("{{\"jsonrpc\":\"2.0\",\"id\":{echo},\"result\":{VERSION}}}\n"));
    }
}

#[tokio::test]
async fn errors_of_the_protocol() {
    let node = Running::plain().await;
    let error = |id: &str, code: i32, text: &str| {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":\"{text}\"}}}}\n")
    };
    let call =
        |method: &str, params: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{params}}}"#);
    let array = "json: cannot unmarshal array into Go value of type rpc.GetBlockByHeightArgs";
    for (body, want) in [
        ("{".to_owned(), error("null", -32700, "parse error")),
        (String::new(), error("null", -32700, "parse error")),
        ("[]".to_owned(), error("null", -32600, "invalid request")),
        ("7".to_owned(), error("null", -32600, "invalid request")),
        (r#"{"jsonrpc":"2.0","id":7}"#.to_owned(), error("null", -32600, "invalid request")),
        (call("theta.Nope", "[]"), error("7", -32601, "rpc: can't find method theta.Nope")),
        (call("theta.getVersion", "[]"), error("7", -32601, "rpc: can't find method theta.getVersion")),
        (call("foo.Bar", "[]"), error("7", -32601, "rpc: can't find service foo.Bar")),
        (call("eth_chainId", "[]"), error("7", -32601, "rpc: service/method request ill-formed: eth_chainId")),
        (call("theta.GetBlockByHeight", r#"{"height":5}"#), error("7", -32602, "Uint64 must be formatted as string")),
        (call("theta.GetBlockByHeight", r#"[{"height":5}]"#), error("7", -32602, array)),
        (call("theta.GetBlockByHeight", "[5]"), error("7", -32602, array)),
        (call("theta.GetBlock", "[]"), error("7", -32000, "Block hash must be specified")),
    ] {
        assert_eq!(post(node.address, &body).await, want, "{body}");
    }
}

#[tokio::test]
async fn notifications_are_executed_and_get_204() {
    let node = Running::plain().await;
    let body = r#"{"jsonrpc":"2.0","method":"theta.BroadcastRawTransactionAsync","params":{"tx_bytes":"0xab01"}}"#;
    let answer = once(node.address, "POST", "/rpc", JSON, body).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(node.fake.sent.lock().expect("not poisoned").len(), 1);
    let only_notifications = format!("[{body},{body}]");
    assert_eq!(once(node.address, "POST", "/rpc", JSON, &only_notifications).await.status, 204);
    assert_eq!(node.fake.sent.lock().expect("not poisoned").len(), 3);
}

#[tokio::test]
async fn batches_are_answered_one_by_one() {
    let node = Running::plain().await;
    let send = |id: u8| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"theta.BroadcastRawTransactionAsync","params":{{"tx_bytes":"{id:02x}"}},"id":{id}}}"#
        )
    };
    let body = format!(r#"[{},7,{{"jsonrpc":"2.0","method":"theta.GetVersion"}},{}]"#, send(1), send(2));
    let answer = post(node.address, &body).await;
    let list: Vec<serde_json::Value> = serde_json::from_str(&answer).expect("an array");
    assert!(answer.ends_with("]\n"));
    let ids: Vec<_> = list.iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [1.into(), serde_json::Value::Null, 2.into()]);
    assert_eq!(list[1]["error"]["code"], -32600);
    let sent = node.fake.sent.lock().expect("not poisoned");
    assert_eq!(sent.iter().map(|raw| raw.to_vec()).collect::<Vec<_>>(), [[1], [2]], "in the order of the batch");
}

#[tokio::test]
async fn errors_are_escaped_as_go_does() {
    let node = Running::plain().await;
    let answer = post(
        node.address,
        r#"{"jsonrpc":"2.0","id":1,"method":"theta.BroadcastRawTransaction","params":{"tx_bytes":"3c3e26"}}"#,
    )
    .await;
    assert!(answer.contains(r#"{"code":-32000,"message":"a \u003cb\u003e \u0026 c"}"#), "{answer}");
}

#[tokio::test]
async fn paths_methods_and_content_types() {
    let node = Running::plain().await;
    let good = r#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#;
    for method in ["GET", "POST", "PUT"] {
        let answer = once(node.address, method, "/", "", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "Theta Node is up and running!"));
        assert_eq!(once(node.address, method, "/nothing", "", "").await.status, 404);
    }
    for (method, headers, status) in [
        ("GET", "", 405),
        ("PUT", JSON, 405),
        ("DELETE", JSON, 405),
        ("OPTIONS", "", 200),
        ("POST", "", 415),
        ("POST", "content-type: text/plain\r\n", 415),
        ("POST", "content-type: application/jsonx\r\n", 415),
        ("POST", "content-type: Application/JSON; charset=utf-8\r\n", 200),
        ("POST", JSON, 200),
        ("POST", "content-type: application/json\r\norigin: http://evil.example\r\n", 403),
        ("POST", "content-type: application/json\r\norigin: http://node\r\n", 403),
    ] {
        let answer = once(node.address, method, "/rpc", headers, good).await;
        assert_eq!(answer.status, status, "{method} {headers}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "CORS is closed by default");
    }
}

#[tokio::test]
async fn cors_is_open_where_it_is_wanted() {
    let node = Running::start(Fake::default(), ServerConfig { cors: true, ..ServerConfig::default() }).await;
    for (method, headers, status) in [("OPTIONS", "", 200), ("GET", "", 405), ("POST", "", 415), ("POST", JSON, 200)] {
        let answer = once(node.address, method, "/rpc", headers, "").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
    }
    let from_a_page = format!("{JSON}origin: http://any.example\r\n");
    assert_eq!(once(node.address, "POST", "/rpc", &from_a_page, "{}").await.status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    let mut bytes = Vec::new();
    for id in 0..50 {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"theta.GetVersion","id":{id}}}"#);
        bytes.extend(request("POST", "/rpc", JSON, body.as_bytes()));
    }
    connection.send(&bytes).await.expect("open");
    for id in 0..50 {
        let body = connection.receive().await.expect("an answer").body;
        assert!(body.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result""#)), "{body}");
    }
}

#[tokio::test]
async fn a_slow_request_gets_503_and_a_blocking_broadcast_its_text() {
    let config = ServerConfig { request_time_max: Duration::from_millis(600), ..ServerConfig::default() };
    let fake = Fake { never_settles: true, ..Fake::default() };
    let node = Running::start(fake, config).await;
    let send = r#"{"jsonrpc":"2.0","id":1,"method":"theta.BroadcastRawTransaction","params":{"tx_bytes":"01"}}"#;
    let answer = post(node.address, send).await;
    assert!(answer.contains("Timed out waiting for transaction to be included"), "{answer}");
    let mut connection = Connection::open(node.address).await;
    let head = "POST /rpc HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n";
    connection.send(head.as_bytes()).await.expect("open");
    let answer = connection.receive().await.expect("an answer without a body");
    assert_eq!((answer.status, answer.body.as_str()), (503, r#"{"error": {"message":"Timeout"}}"#));
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let config = ServerConfig { idle_time_max: Duration::from_millis(200), ..ServerConfig::default() };
    let node = Running::start(Fake::default(), config).await;
    let mut connection = Connection::open(node.address).await;
    connection.post(br#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#).await;
    let closed = tokio::time::timeout(Duration::from_secs(20), connection.receive()).await;
    assert!(closed.expect("closed long before").is_none_or(|answer| answer.status == 408));
}

#[tokio::test]
async fn the_server_ends_with_idle_connections_open() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    connection.post(br#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#).await;
    node.stop().await;
    assert!(connection.receive().await.is_none());
}

#[tokio::test]
async fn bearer_tokens_where_a_secret_is_set() {
    let secret = JwtSecret::from_hex(&"ab".repeat(32)).expect("64 digits");
    let token = secret.token(std::time::SystemTime::now());
    let config = ServerConfig { jwt_secret: Some(secret), ..ServerConfig::default() };
    let node = Running::start(Fake::default(), config).await;
    let body = r#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#;
    for (header, status) in [
        (String::new(), 401),
        ("authorization: Bearer nonsense\r\n".to_owned(), 401),
        (format!("authorization: Basic {token}\r\n"), 401),
        (format!("authorization: bearer {token}\r\n"), 200),
    ] {
        assert_eq!(
            once(node.address, "POST", "/rpc", &format!("{JSON}{header}"), body).await.status,
            status,
            "{header}"
        );
    }
    let client = vigil_rpc::Client::new(&node.url()).expect("a URL");
    assert!(client.call::<serde_json::Value>("theta.GetVersion", [(); 0]).await.is_err());
    let client = client.with_token(&token);
    client.call::<serde_json::Value>("theta.GetVersion", [(); 0]).await.expect("the token is good");
}
