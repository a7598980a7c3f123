//! `vigil gpu`, on any machine: with a card, with none, with a driver in software.

use crate::{Ended, Home};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {ended:?}"))
}

/// A server whose n-th page is `page(n)`, and where it is.
fn server(page: impl Fn(usize) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("bound"));
    let asked = AtomicUsize::new(0);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 1024];
            let length = stream.read(&mut request).expect("a request");
            assert!(request[..length].starts_with(b"GET /metrics HTTP/1.0\r\n"));
            let _closed = stream.write_all(page(asked.fetch_add(1, Ordering::SeqCst)).as_bytes());
        }
    });
    url
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn what_is_there_is_listed_and_none_is_no_error() {
    let home = Home::new();
    let ended = home.vigil(&["gpu", "list", "--json"], "");
    assert_eq!(ended.code, 0, "{ended:?}");
    let value = json(&ended);
    for card in value["cards"].as_array().expect("cards") {
        assert_eq!(card["ready"] == true, card["why_not"].is_null(), "{card}");
        assert!(["cuda", "wgpu"].iter().any(|name| card["backend"] == *name), "{card}");
    }
    let words = home.vigil(&["gpu", "list"], "");
    assert_eq!(words.code, 0, "{words:?}");
    assert_eq!(words.stdout.contains("No graphics card can be used"), value["ready"] == "", "{words:?}");
    let doctor = json(&home.vigil(&["doctor", "--json"], ""));
    assert_eq!(doctor["cards"], value["cards"]);
    assert!(home.vigil(&["doctor"], "").stdout.contains("Graphics cards (`vigil gpu list`):\n  "));
}

#[test]
fn a_selftest_says_what_was_tested_and_what_is_missing() {
    let home = Home::new();
    let ended = home.vigil(&["gpu", "selftest", "--software", "--json"], "");
    assert_eq!(ended.code, 0, "{ended:?}");
    let value = json(&ended);
    let software = value["cards"].as_array().and_then(|cards| cards.last()).expect("the software driver");
    assert_eq!((&software["backend"], &value["failed"]), (&"wgpu (software)".into(), &0.into()));
    match software["outcome"].as_str() {
        Some("passed") => assert!(software["milliseconds"].as_f64().is_some_and(|took| took > 0.0), "{software}"),
        Some("absent") => assert!(software["why"].as_str().is_some_and(|why| why.contains("lavapipe")), "{software}"),
        other => panic!("{other:?}: {software}"),
    }
    let words = home.vigil(&["gpu", "selftest"], "").stdout;
    assert!(words.contains("passed in") || words.contains("nothing was tested"), "{words}");
}

#[test]
fn a_node_s_rates_are_shown() {
    let home = Home::new();
    let labels = "{op=\"recover\",backend=\"avx2\"}";
    let url = server(move |time| {
        let (items, seconds, calls) = (1_000 * (time + 1), 0.001 * (time + 1) as f64, 10 * (time + 1));
        ok(&format!(
            "vigil_accel_items_total{labels} {items}\nvigil_accel_seconds_sum{labels} {seconds}\n\
             vigil_accel_seconds_count{labels} {calls}\nvigil_accel_gpu_up{{card=\"H\"}} 1\n"
        ))
    });
    let top = ["gpu", "top", "--once", "--interval", "100ms", "--url", &url];
    let words = home.vigil(&top, "");
    assert_eq!(words.code, 0, "{words:?}");
    assert!(
        words.stdout.contains("avx2        recover") && words.stdout.contains("card H: in use; faults 0"),
        "{words:?}"
    );
    let value = json(&home.vigil(&[top.as_slice(), &["--json"]].concat(), ""));
    assert_eq!(value["operations"][0]["items_per_batch"], 100.0, "{value}");
    assert!(value["operations"][0]["items_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{value}");
}

#[test]
fn what_is_no_node_s_page_is_refused_with_advice() {
    let home = Home::new();
    let top = |url: &str, interval: &str| {
        let ended = home.vigil(&["gpu", "top", "--once", "--url", url, "--interval", interval], "");
        assert_eq!(ended.stdout, "", "{ended:?}");
        (ended.code, ended.stderr)
    };
    let strange = server(|_| ok("up 1\n"));
    let missing = server(|_| "HTTP/1.1 404 Not Found\r\n\r\n".to_owned());
    let silent = server(|_| String::new());
    for (url, says) in [
        ("http://127.0.0.1:1/metrics", "metrics.port"),
        (&strange, "no metrics of a Vigil node"),
        (&missing, "answered `HTTP/1.1 404 Not Found`"),
        (&silent, "not a page of metrics"),
    ] {
        let (code, stderr) = top(url, "100ms");
        assert!(code == 1 && stderr.contains(url) && stderr.contains(says), "{code} {stderr}");
    }
    for (url, interval, says) in [("127.0.0.1:1", "1s", "http://host:port/metrics"), (&strange, "0s", "100ms to 1h")] {
        let (code, stderr) = top(url, interval);
        assert!(code == 2 && stderr.contains(says), "{code} {stderr}");
    }
    assert_eq!(home.vigil(&["gpu"], "").code, 2);
}
