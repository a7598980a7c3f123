//! From bytes to requests.

use super::{Dialect, RpcError};
use crate::limits::{BATCH_MAX, METHOD_BYTES_MAX, NAME_BYTES_MAX, NESTING_MAX};
use serde::Deserialize;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One request of a body. All parts borrow from it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// `theta.GetStatus`; of a name that is too long for a method, the beginning.
    pub(crate) method: Cow<'a, str>,
    /// An array or object as text; `None` if absent.
    pub(crate) params: Option<&'a RawValue>,
    /// As given; `None` for a notification.
    pub(crate) id: Option<&'a RawValue>,
}

/// What a body asks for. An element that is no request stands as `None` and is answered with "invalid request".
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// One request.
    Single(Option<Request<'a>>),
    /// A batch; not empty.
    Batch(Vec<Option<Request<'a>>>),
}

/// Reads a body.
///
/// # Errors
/// "parse error" if it is not JSON or nests too deep; "invalid request" for an empty or too long batch.
pub(crate) fn read_body(bytes: &[u8], dialect: Dialect) -> Result<Body<'_>, RpcError> {
    if nesting(bytes) > NESTING_MAX {
        return Err(RpcError::parse(format!("parse error: nested deeper than {NESTING_MAX}")));
    }
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|_| RpcError::parse("parse error"))?;
    if !raw.get().starts_with('[') {
        return Ok(Body::Single(read_request(raw, dialect)));
    }
    let Elements(elements) = serde_json::from_str(raw.get()).map_err(|_| RpcError::parse("parse error"))?;
    match elements.len() {
        0 => Err(RpcError::invalid("invalid request")),
        1..=BATCH_MAX => Ok(Body::Batch(elements.into_iter().map(|raw| read_request(raw, dialect)).collect())),
        _ => Err(RpcError::invalid(format!("invalid request: the limit of a batch is {BATCH_MAX} requests"))),
    }
}

fn read_request(raw: &RawValue, dialect: Dialect) -> Option<Request<'_>> {
    serde_json::from_str::<Fields>(raw.get()).ok()?.into_request(dialect)
}

/// Deepest nesting of arrays and objects, without regard to whether brackets match; brackets in strings do not count.
fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Elements of an array; keeps one more than a batch may have, so that a flood of `[0,0,...]` costs no memory.
pub(super) struct Elements<'a>(pub(super) Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() <= BATCH_MAX {
                    match seq.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(elements),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(elements)
            }
        }
        d.deserialize_seq(V).map(Elements)
    }
}

/// A request object as it stands.
#[derive(Default)]
struct Fields<'a> {
    version: Option<Text<'a>>,
    method: Option<Text<'a>>,
    params: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    /// It has a key that is none of the four, spelt exactly.
    has_others: bool,
}

impl<'a> Fields<'a> {
    /// `theta.*` takes the four keys and no other, and no `null` as parameters (`spec/rpc.md` §1).
    fn into_request(self, dialect: Dialect) -> Option<Request<'a>> {
        let starts = |raw: &RawValue, with: &[char]| raw.get().starts_with(with);
        let short = |text: &str| text.len() <= NAME_BYTES_MAX;
        let lenient = dialect == Dialect::Ethereum;
        let params = self.params.filter(|params| !(lenient && params.get() == "null"));
        let id = self.id;
        let (Text(version), Text(method)) = (self.version?, self.method?);
        let good = version == "2.0"
            && (lenient || !self.has_others)
            && short(&method)
            && id.is_none_or(|id| short(id.get()))
            && params.is_none_or(|p| starts(p, &['[', '{']))
            && id.is_none_or(|i| !starts(i, &['[', '{', 't', 'f']));
        good.then(|| Request { method: beginning(method), params, id })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a JSON-RPC request")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Text(key)) = map.next_key()? {
                    match key.as_ref() {
                        "jsonrpc" => fields.version = Some(map.next_value()?),
                        "method" => fields.method = Some(map.next_value()?),
                        "params" => fields.params = Some(map.next_value()?),
                        "id" => fields.id = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            fields.has_others = true;
                        }
                    }
                }
                Ok(fields)
            }
        }
        d.deserialize_map(V)
    }
}

/// At most [`METHOD_BYTES_MAX`] bytes.
fn beginning(method: Cow<'_, str>) -> Cow<'_, str> {
    let end = method.floor_char_boundary(METHOD_BYTES_MAX);
    match method {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(text) => Cow::Owned(text[..end].to_owned()),
    }
}

/// Text, borrowed unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        d.deserialize_str(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(body: &str) -> Option<Request<'_>> {
        match read_body(body.as_bytes(), Dialect::Theta) {
            Ok(Body::Single(request)) => request,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_four_keys_and_no_other() {
        let good = r#"{"jsonrpc":"2.0","method":"theta.A","params":[],"id":0}"#;
        let request = single(good).expect("a request");
        assert_eq!((request.method.as_ref(), request.id.map(RawValue::get)), ("theta.A", Some("0")));
        assert!(single(r#"{"jsonrpc":"2.0","method":"theta.A"}"#).is_some_and(|r| r.id.is_none()));
        for bad in [
            r#"{"jsonrpc":"2.0","method":"theta.A","id":1,"extra":1}"#,
            r#"{"method":"theta.A","id":1}"#,
            r#"{"jsonrpc":"1.0","method":"theta.A","id":1}"#,
            r#"{"jsonrpc":2.0,"method":"theta.A","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":null,"id":1}"#,
            r#"{"jsonrpc":"2.0","method":"theta.A","id":1,"params":null}"#,
            r#"{"jsonrpc":"2.0","method":"theta.A","id":1,"params":"x"}"#,
            r#"{"jsonrpc":"2.0","method":"theta.A","id":{}}"#,
            r#"{"jsonrpc":"2.0","method":"theta.A","id":true}"#,
            "1",
            r#""x""#,
            "null",
        ] {
            assert!(single(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_ethereum_side_takes_other_keys_and_null_parameters() {
        let read = |body: &str| match read_body(body.as_bytes(), Dialect::Ethereum) {
            Ok(Body::Single(request)) => request.map(|r| (r.method.into_owned(), r.params.is_some())),
            other => panic!("{body}: {other:?}"),
        };
        let some = |params| Some(("eth_a".to_owned(), params));
        assert_eq!(read(r#"{"jsonrpc":"2.0","method":"eth_a","params":null,"id":1,"extra":[1]}"#), some(false));
        assert_eq!(read(r#"{"jsonrpc":"2.0","method":"eth_a","params":[null],"id":1}"#), some(true));
        for bad in [
            r#"{"method":"eth_a","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":"eth_a","params":1}"#,
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    /// Both stand in the answer, escaped up to six times as long.
    #[test]
    fn method_names_and_ids_are_bounded() {
        let request = |method: usize, id: usize| {
            let (method, id) = ("m".repeat(method), "1".repeat(id));
            single(&format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":{id}}}"#)).is_some()
        };
        assert!(request(NAME_BYTES_MAX, NAME_BYTES_MAX));
        assert!(!request(NAME_BYTES_MAX + 1, 1) && !request(1, NAME_BYTES_MAX + 1));
        for (method, read) in [("m".repeat(64), 64), ("m".repeat(65), 64), (format!("m{}", "é".repeat(40)), 63)] {
            let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1}}"#);
            assert_eq!(single(&body).expect("a request").method, method[..read]);
        }
    }

    #[test]
    fn nesting_counts_brackets_outside_strings() {
        assert_eq!(nesting(br#"{"a":[[1]],"b":"[[[[[\"[["}"#), 3);
        assert_eq!(nesting(b"]]]["), 1);
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(matches!(read_body(deep(NESTING_MAX).as_bytes(), Dialect::Theta), Ok(Body::Batch(_))));
        assert_eq!(read_body(deep(NESTING_MAX + 1).as_bytes(), Dialect::Theta).expect_err("too deep").code, -32700);
    }

    #[test]
    fn batches_have_a_limit() {
        let batch = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        assert!(
            matches!(read_body(batch(BATCH_MAX).as_bytes(), Dialect::Theta), Ok(Body::Batch(b)) if b.len() == BATCH_MAX)
        );
        assert_eq!(read_body(batch(BATCH_MAX + 1).as_bytes(), Dialect::Theta).expect_err("too many").code, -32600);
        assert_eq!(read_body(b"[]", Dialect::Theta).expect_err("empty").code, -32600);
    }
}
