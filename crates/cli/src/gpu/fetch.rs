//! Reading a page over HTTP.

use crate::CliError;
use crate::output::plain;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// For each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than a node's page has.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    text: String,
    /// With port.
    host: String,
    path: String,
}

impl std::str::FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let must = || format!("`{text}` is not a URL of the form http://host:port/metrics");
        let rest = text.strip_prefix("http://").ok_or_else(must)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@');
        if host.is_empty() || !rest.chars().all(is_plain) {
            return Err(must());
        }
        // The colons of an IPv6 address stand in brackets.
        let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        let path = if path.is_empty() { "/metrics" } else { path };
        Ok(Self { text: text.to_owned(), host, path: path.to_owned() })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Url {
    /// The page.
    pub(super) fn fetch(&self) -> Result<String, CliError> {
        let answer = self.exchange().map_err(|why| {
            CliError::failed(format!(
                "no answer from {self}: {why}. Does a node run there, with metrics.enabled, and is this its metrics.port?"
            ))
        })?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.") && status.split(' ').nth(1) == Some("200") {
            return Ok(body.to_owned());
        }
        let status: String = plain(status).chars().take(60).collect();
        Err(CliError::failed(format!("{self} answered `{status}`, not a page of metrics: a node has it at /metrics")))
    }

    fn exchange(&self) -> std::io::Result<Vec<u8>> {
        let mut why = std::io::Error::other("it has no address");
        for address in self.host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return self.ask(stream),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn ask(&self, mut stream: TcpStream) -> std::io::Result<Vec<u8>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", self.path, self.host);
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_port_and_a_path() {
        for (text, host, path) in [
            ("http://127.0.0.1:16900/metrics", "127.0.0.1:16900", "/metrics"),
            ("http://node:16900", "node:16900", "/metrics"),
            ("http://node/a/b", "node:80", "/a/b"),
            ("http://[::1]:7/x", "[::1]:7", "/x"),
            ("http://[::1]", "[::1]:80", "/metrics"),
        ] {
            let url: Url = text.parse().expect(text);
            assert_eq!((url.host.as_str(), url.path.as_str(), url.to_string().as_str()), (host, path, text));
        }
        for bad in
            ["", "127.0.0.1:16900", "https://node/", "http://", "http:///metrics", "http://a b/", "http://a/\r\nX: y"]
        {
            assert!(bad.parse::<Url>().is_err_and(|why| why.contains("http://host:port/metrics")), "{bad}");
        }
    }
}
