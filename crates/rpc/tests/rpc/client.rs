//! [`vigil_rpc::Client`], and the health port.

use crate::fake::Fake;
use crate::http::once;
use crate::running::Running;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;
use vigil_rpc::{Client, ClientError, RpcRefusal, health_router, serve_health};

#[tokio::test]
async fn calls_and_refusals() {
    let node = Running::plain().await;
    let client = Client::new(&node.url()).expect("a URL");
    let status: Value = client.call("theta.GetStatus", json!({})).await.expect("an answer");
    assert_eq!(status["chain_id"], "privatenet");
    let refused =
        client.call::<Value>("theta.GetAccount", json!([{"address": "22"}])).await.expect_err("unknown account");
    assert!(matches!(&refused, ClientError::Rpc(RpcRefusal { code: -32000, .. })), "{refused}");
    let address = "0x0000000000000000000000000000000000000022";
    let text = format!("Server returned error: -32000:Account with address {address} is not found");
    assert_eq!(refused.to_string(), text);
}

#[tokio::test]
async fn batches_keep_their_order() {
    let node = Running::plain().await;
    let client = Client::new(&node.url()).expect("a URL");
    let params: Vec<Value> = (0..100).map(|i| json!({"tx_bytes": format!("{i:02x}")})).collect();
    let params = [vec![json!({"tx_bytes": "zz"})], params].concat();
    let outcomes = client.batch::<Value>("theta.BroadcastRawTransactionAsync", &params).await.expect("answers");
    assert_eq!(outcomes.len(), 101);
    assert!(outcomes[0].as_ref().is_err_and(|refusal| refusal.message.contains("invalid byte")));
    for (i, outcome) in outcomes[1..].iter().enumerate() {
        let want = format!("{}", vigil_primitives::keccak256([i as u8]));
        assert_eq!(outcome.as_ref().expect("taken")["hash"], want);
    }
    assert!(client.batch::<Value>("theta.GetVersion", &[]).await.expect("nothing to do").is_empty());
}

#[tokio::test]
async fn nobody_there_is_another_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let client = Client::new(&format!("http://{address}/rpc")).expect("a URL");
    let error = client.call::<Value>("theta.GetVersion", json!([])).await.expect_err("nobody listens");
    assert!(matches!(error, ClientError::Transport { .. }), "{error}");
    for bad in ["", "localhost:16888", "https://node/rpc", "ftp://node", "/rpc"] {
        assert!(matches!(Client::new(bad), Err(ClientError::Endpoint(_))), "{bad}");
    }
    let node = Running::plain().await;
    let wrong_path = Client::new(&format!("http://{}/", node.address)).expect("a URL");
    let error = wrong_path.call::<Value>("theta.GetVersion", json!([])).await.expect_err("no JSON there");
    assert!(matches!(error, ClientError::Answer { .. }), "{error}");
}

#[tokio::test]
async fn health_and_metrics() {
    let warns =
        r#","warnings":["the graphics card cuda 1: H is not used: a digest is wrong; the processor does its work"]}"#;
    let well = r#"{"ready":true}"#;
    for (reason, has_cards, status, body) in [
        (None, false, 200, well.to_owned()),
        (None, true, 200, well.replace('}', warns)),
        (
            Some("syncing: at height 5 of 900"),
            false,
            503,
            r#"{"ready":false,"reason":"syncing: at height 5 of 900"}"#.into(),
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let fake = Arc::new(Fake { reason: reason.map(str::to_owned), has_cards, ..Fake::default() });
        let router = health_router(fake, Arc::new(|| "vigil_height 5\n".to_owned()));
        let server = tokio::spawn(serve_health(listener, router, std::future::pending()));
        let ready = once(address, "GET", "/health/ready", "", "").await;
        assert_eq!((ready.status, ready.body), (status, body));
        assert_eq!(once(address, "GET", "/health/live", "", "").await.status, 200);
        let metrics = once(address, "GET", "/metrics", "", "").await;
        assert_eq!(metrics.body, "vigil_height 5\n");
        assert!(metrics.header("content-type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4")));
        server.abort();
    }
}
