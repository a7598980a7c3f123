//! Arguments of a method, read as Go reads them into a struct (`spec/rpc.md` §1, §2).

use super::RpcError;
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use vigil_primitives::{Address, Hash};

/// The one object of arguments. Unknown keys are ignored, keys match without regard to case, the last one wins.
pub(crate) struct Args<'a> {
    /// `GetAccount`.
    method: &'a str,
    /// The object stood in an array: errors then have another text.
    in_array: bool,
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Args<'a> {
    /// Reads `params`: an object, an array whose first element is one, or nothing.
    ///
    /// # Errors
    /// -32602 if the array holds something else.
    pub(crate) fn read(method: &'a str, params: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let mut args = Self { method, in_array: false, fields: Vec::new() };
        let Some(mut params) = params else { return Ok(args) };
        if params.get().starts_with('[') {
            args.in_array = true;
            let elements: Vec<&RawValue> = serde_json::from_str(params.get()).map_err(|_| args.wrong(""))?;
            match elements.first() {
                None => return Ok(args),
                Some(first) if first.get() == "null" => return Ok(args),
                Some(first) => params = first,
            }
        }
        let Fields(fields) = serde_json::from_str(params.get()).map_err(|_| args.wrong(""))?;
        args.fields = fields;
        Ok(args)
    }

    /// A text argument; empty if absent or null.
    pub(crate) fn text(&self, key: &str) -> Result<Cow<'a, str>, RpcError> {
        match self.find(key) {
            None => Ok(Cow::Borrowed("")),
            Some(raw) => self.string(raw).ok_or_else(|| self.wrong_kind(raw, key, "string")),
        }
    }

    /// A yes or no; no if absent or null.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, RpcError> {
        match self.find(key) {
            None => Ok(false),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| self.wrong_kind(raw, key, "bool")),
        }
    }

    /// A "u64s"; 0 if absent.
    pub(crate) fn u64s(&self, key: &str) -> Result<u64, RpcError> {
        let Some(raw) = self.find_any(key) else { return Ok(0) };
        let text = self.string(raw).ok_or_else(|| self.wrong("Uint64 must be formatted as string"))?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| {
            let why = if digits { "value out of range" } else { "invalid syntax" };
            self.wrong(format!("strconv.ParseUint: parsing {text:?}: {why}"))
        })
    }

    /// A typed hash; `None` if absent, null or zero.
    pub(crate) fn hash(&self, key: &str) -> Result<Option<Hash>, RpcError> {
        let hash = self.fixed(key, "common.Hash")?.map(Hash::new);
        Ok(hash.filter(|hash| !hash.is_zero()))
    }

    /// A typed address; zero if absent or null.
    pub(crate) fn typed_address(&self, key: &str) -> Result<Address, RpcError> {
        Ok(self.fixed(key, "common.Address")?.map(Address::new).unwrap_or_default())
    }

    fn fixed<const N: usize>(&self, key: &str, go_type: &str) -> Result<Option<[u8; N]>, RpcError> {
        let Some(raw) = self.find(key) else { return Ok(None) };
        let not = |what: &str| self.wrong(format!("json: cannot unmarshal {what} into Go value of type {go_type}"));
        let text = self.string(raw).ok_or_else(|| not("non-string"))?;
        let digits = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => digits,
            None if text.is_empty() => "",
            None => return Err(not("hex string without 0x prefix")),
        };
        if digits.len() != 2 * N {
            let (got, want) = (digits.len(), 2 * N);
            return Err(self.wrong(format!("hex string has length {got}, want {want} for {go_type}")));
        }
        let mut bytes = [0; N];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| not("invalid hex string"))?;
        Ok(Some(bytes))
    }

    /// The value of a key, unless it is null: Go leaves most fields alone then.
    fn find(&self, key: &str) -> Option<&'a RawValue> {
        self.find_any(key).filter(|raw| raw.get() != "null")
    }

    fn find_any(&self, key: &str) -> Option<&'a RawValue> {
        self.fields.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, raw)| *raw)
    }

    fn string(&self, raw: &'a RawValue) -> Option<Cow<'a, str>> {
        let text = raw.get();
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str(text).ok().map(Cow::Owned)
    }

    fn wrong_kind(&self, raw: &RawValue, key: &str, want: &str) -> RpcError {
        let got = match raw.get().as_bytes().first() {
            Some(b'"') => "string",
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b't' | b'f') => "bool",
            _ => "number",
        };
        let method = self.method;
        self.wrong(format!("json: cannot unmarshal {got} into Go struct field {method}Args.{key} of type {want}"))
    }

    fn wrong(&self, reason: impl Into<String>) -> RpcError {
        if self.in_array {
            let method = self.method;
            return RpcError::params(format!("json: cannot unmarshal array into Go value of type rpc.{method}Args"));
        }
        RpcError::params(reason.into())
    }
}

struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if fields.len() < FIELDS_MAX {
                        fields.push(entry);
                    }
                }
                Ok(fields)
            }
        }
        d.deserialize_map(V).map(Fields)
    }
}

/// Most keys that are looked at; no method has more than six.
const FIELDS_MAX: usize = 64;

/// Bytes of hex text as Go's `common.FromHex` reads it: `0x` optional, odd lengths padded, and at a digit that is none
/// what came before it is used.
fn lenient_hex(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text).as_bytes();
    let nibble = |d: &u8| (*d as char).to_digit(16).map(|n| n as u8);
    let odd = digits.len() % 2;
    let (first, pairs) = digits.split_at(odd);
    let mut bytes = Vec::with_capacity(digits.len() / 2 + 1);
    if let [digit] = first {
        match nibble(digit) {
            Some(n) => bytes.push(n),
            None => return bytes,
        }
    }
    for pair in pairs.chunks_exact(2) {
        match (nibble(&pair[0]), nibble(&pair[1])) {
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => return bytes,
        }
    }
    bytes
}

/// The last `N` bytes of hex text, padded on the left.
fn lenient<const N: usize>(text: &str) -> [u8; N] {
    let bytes = lenient_hex(text);
    let kept = &bytes[bytes.len().saturating_sub(N)..];
    let mut out = [0; N];
    out[N - kept.len()..].copy_from_slice(kept);
    out
}

/// An address given as text: with or without `0x`, any case, too long or too short (`spec/rpc.md` §2).
pub(crate) fn lenient_address(text: &str) -> Address {
    Address::new(lenient(text))
}

/// A hash given as text, as [`lenient_address`].
pub(crate) fn lenient_hash(text: &str) -> Hash {
    Hash::new(lenient(text))
}

/// Strict hex, `0x` optional; the error texts are Go's.
pub(crate) fn strict_hex(text: &str) -> Result<Vec<u8>, RpcError> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    hex::decode(digits).map_err(|_| {
        let bad = digits.bytes().find(|b| !b.is_ascii_hexdigit());
        RpcError::method(match bad {
            Some(byte @ 0x21..=0x7e) => format!("encoding/hex: invalid byte: U+{byte:04X} '{}'", byte as char),
            Some(byte) => format!("encoding/hex: invalid byte: U+{byte:04X}"),
            None => "encoding/hex: odd length hex string".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(json: &str) -> Result<Args<'_>, RpcError> {
        Args::read("GetAccount", Some(serde_json::from_str(json).expect("JSON")))
    }

    #[test]
    fn objects_and_arrays_of_one_object_are_the_same() {
        for json in [r#"{"address":"ab","HEIGHT":"7"}"#, r#"[{"Address":"ab","height":"7","x":[1]}]"#] {
            let args = args(json).expect("arguments");
            assert_eq!(args.text("address").expect("text"), "ab");
            assert_eq!(args.u64s("height").expect("number"), 7);
            assert!(!args.flag("preview").expect("absent"));
        }
        for json in ["[]", "{}", "[null]", r#"{"address":null,"preview":null}"#] {
            assert_eq!(args(json).expect("defaults").text("address").expect("absent"), "");
        }
    }

    #[test]
    fn wrong_kinds_have_gos_texts() {
        let object = args(r#"{"height":5,"address":1,"preview":"x"}"#).expect("an object");
        assert_eq!(object.u64s("height").expect_err("number").message, "Uint64 must be formatted as string");
        let text = "json: cannot unmarshal number into Go struct field GetAccountArgs.address of type string";
        assert_eq!(object.text("address").expect_err("number").message, text);
        let text = "json: cannot unmarshal string into Go struct field GetAccountArgs.preview of type bool";
        assert_eq!(object.flag("preview").expect_err("text").message, text);
        let in_array = "json: cannot unmarshal array into Go value of type rpc.GetAccountArgs";
        assert_eq!(args(r#"[{"height":5}]"#).expect("an object").u64s("height").expect_err("number").message, in_array);
        assert_eq!(args(r#"["x"]"#).err().expect("no object").message, in_array);
        for bad in ["", "x", "-1", "+1", "18446744073709551616"] {
            assert!(args(&format!(r#"{{"height":"{bad}"}}"#)).expect("an object").u64s("height").is_err(), "{bad}");
        }
    }

    #[test]
    fn typed_hashes_are_strict() {
        let hash = format!("0x{}", "ab".repeat(32));
        let read = |text: &str| args(&format!(r#"{{"hash":"{text}"}}"#)).expect("an object").hash("hash");
        assert_eq!(read(&hash), Ok(Some(Hash::repeat_byte(0xab))));
        assert_eq!(read(&format!("0x{}", "00".repeat(32))), Ok(None));
        for bad in ["ab", &hash[2..], "0xab", &hash.replace('a', "g"), ""] {
            assert_eq!(read(bad).expect_err(bad).code, -32602);
        }
    }

    #[test]
    fn text_addresses_are_lenient() {
        let full = "2E833968E5bB786Ae419c4d13189fB081Cc43bab";
        let address: Address = full.parse().expect("an address");
        assert_eq!(lenient_address(full), address);
        assert_eq!(lenient_address(&format!("0X{full}")), address);
        assert_eq!(lenient_address(&format!("ffff{full}")), address);
        assert_eq!(lenient_address("0x1"), Address::with_last_byte(1));
        assert_eq!(lenient_address("abzz11"), Address::with_last_byte(0xab));
        assert_eq!(lenient_address("é"), Address::ZERO);
    }

    #[test]
    fn hex_errors_are_gos() {
        assert_eq!(strict_hex("0xAb01").expect("hex"), [0xab, 1]);
        assert_eq!(strict_hex("abc").expect_err("odd").message, "encoding/hex: odd length hex string");
        assert_eq!(strict_hex("abg").expect_err("bad").message, "encoding/hex: invalid byte: U+0067 'g'");
        assert_eq!(strict_hex("é").expect_err("bad").message, "encoding/hex: invalid byte: U+00C3");
    }
}
