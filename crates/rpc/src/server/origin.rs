//! Which web pages may ask where CORS is closed: those that this very address served.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use std::net::IpAddr;

/// True if a web page of another origin asks, or one that knows us by a name: a page that lets its own name point to us
/// (DNS rebinding) is of any origin it likes. Programs send no `Origin` (the Go node wants one; we do not).
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or("?"));
    let Some(origin) = text(header::ORIGIN) else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none_or(|host| Some(host) != text(header::HOST) || !is_address(host))
}

/// True for an IP address and for `localhost`, with or without a port.
fn is_address(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a header"));
        origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().expect("a header")));
        is_foreign(&headers)
    }

    #[test]
    fn pages_of_this_address_and_programs() {
        assert!(!foreign(None, "any.example"));
        for host in ["127.0.0.1:16888", "[::1]:16888", "localhost:16888", "LocalHost", "203.0.113.7"] {
            assert!(!foreign(Some(&format!("http://{host}")), host), "{host}");
        }
    }

    #[test]
    fn pages_of_others_and_of_names() {
        assert!(foreign(Some("http://evil.example"), "127.0.0.1:16888"));
        assert!(foreign(Some("http://127.0.0.1:1"), "127.0.0.1:16888"));
        assert!(foreign(Some("null"), "127.0.0.1:16888"));
        for rebound in ["evil.example", "evil.example:16888", "127.0.0.1.evil.example", "localhost.evil.example"] {
            assert!(foreign(Some(&format!("http://{rebound}")), rebound), "{rebound}");
        }
    }
}
