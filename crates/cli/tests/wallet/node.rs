//! A node that gives canned answers and remembers what it was asked.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// It listens until the test ends.
pub(crate) struct Node {
    /// Its RPC.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Node {
    /// Answers each request with what `answer` makes of method and first parameter.
    pub(crate) fn new(answer: impl Fn(&str, &Value) -> Result<Value, Value> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/rpc", listener.local_addr().expect("bound"));
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                converse(stream.expect("a connection"), &answer, &log);
            }
        });
        Self { url, asked }
    }

    /// What was asked since the last time: `[method, params]`.
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        let requests = std::mem::take(&mut *self.asked.lock().expect("not poisoned"));
        let method = |request: &Value| request["method"].as_str().expect("a method").to_owned();
        requests.iter().map(|request| (method(request), request["params"].clone())).collect()
    }
}

fn converse(stream: TcpStream, answer: &impl Fn(&str, &Value) -> Result<Value, Value>, log: &Mutex<Vec<Value>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.trim_end().to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            }
            if lower.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("a body");
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        log.lock().expect("not poisoned").push(request.clone());
        let id = &request["id"];
        let body = match answer(request["method"].as_str().unwrap_or_default(), &request["params"][0]) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        };
        let body = body.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.get_mut().write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}
