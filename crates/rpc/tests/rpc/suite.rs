//! The JSON torture files (`vectors/json-test-suite`): each as a body, and as `params` of a good request.

use crate::http::Connection;
use crate::running::Running;
use vigil_rpc::limits::NESTING_MAX;
use vigil_testkit::vectors;

/// Deepest nesting, brackets in strings ignored: a plain second count.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut skip) = (0usize, 0, false, false);
    for &byte in bytes {
        if skip {
            skip = false;
        } else if quoted {
            skip = byte == b'\\';
            quoted = byte != b'"';
        } else {
            quoted = byte == b'"';
            depth += usize::from(matches!(byte, b'[' | b'{'));
            deepest = deepest.max(depth);
            depth -= usize::from(matches!(byte, b']' | b'}')).min(depth);
        }
    }
    deepest
}

#[tokio::test]
async fn every_file_is_answered_and_the_connection_lives_on() {
    let node = Running::plain().await;
    let mut connection = Connection::open(node.address).await;
    let mut count = 0;
    for folder in ["json-test-suite/test_parsing", "json-test-suite/test_transform"] {
        for file in vectors::files(folder).unwrap_or_default() {
            let name = file.file_name().expect("a file").to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).expect("readable");
            let head: &[u8] = br#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1,"params":"#;
            for body in [bytes.clone(), [head, &bytes, b"}"].concat()] {
                let answer = connection.post(&body).await;
                let as_params = body.len() > bytes.len();
                check(&name, &body, as_params, answer.status, &answer.body);
            }
            count += 1;
        }
    }
    assert!(count == 0 || count >= 217, "only {count} files");
    let alive = connection.post(br#"{"jsonrpc":"2.0","method":"theta.GetVersion","id":1}"#).await;
    assert!(alive.body.contains("result"));
}

fn check(name: &str, body: &[u8], as_params: bool, status: u16, answer: &str) {
    let parse_error = answer.contains(r#""id":null,"error":{"code":-32700"#);
    assert!(status == 200 || status == 204, "{name}: HTTP {status}");
    match name.get(..2) {
        Some("n_") => {
            // Some broken values become whole when a request stands around them.
            let mended = as_params && serde_json::from_slice::<serde_json::Value>(body).is_ok();
            assert!(parse_error || mended, "{name} (as params: {as_params}): {answer}");
        }
        Some("y_") => {
            let refused = parse_error && depth(body) <= NESTING_MAX;
            assert!(!refused, "{name} (as params: {as_params}): {answer}");
        }
        _ => assert!(!answer.is_empty(), "{name}"),
    }
}
