//! Arguments of a method of the Ethereum side: an array, read by position (`spec/rpc.md` §6).

use super::RpcError;
use super::request::Elements;
use alloy_primitives::U256;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::fmt::Display;
use vigil_primitives::{Address, Bytes, Hash};

/// The arguments.
pub(crate) struct Positional<'a>(Vec<&'a RawValue>);

impl<'a> Positional<'a> {
    /// Reads `params`, of which there are at most `max`.
    ///
    /// # Errors
    /// -32602 if they are no array or too many.
    pub(crate) fn read(params: Option<&'a RawValue>, max: usize) -> Result<Self, RpcError> {
        let Some(params) = params else { return Ok(Self(Vec::new())) };
        let elements: Result<Elements, _> = serde_json::from_str(params.get());
        let Elements(values) = elements.map_err(|_| RpcError::params("non-array args"))?;
        if values.len() > max {
            return Err(RpcError::params(format!("too many arguments, want at most {max}")));
        }
        Ok(Self(values))
    }

    /// The argument at `at`, unless it is missing or `null`.
    pub(crate) fn raw(&self, at: usize) -> Option<&'a RawValue> {
        self.0.get(at).copied().filter(|raw| raw.get() != "null")
    }

    /// An argument that must be there.
    pub(crate) fn required(&self, at: usize) -> Result<&'a RawValue, RpcError> {
        self.raw(at).ok_or_else(|| RpcError::params(format!("missing value for required argument {at}")))
    }

    /// A text that `read` understands.
    pub(crate) fn text<T>(&self, at: usize, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, RpcError> {
        let text: String = self.json_of(at, self.required(at)?)?;
        read(&text).map_err(|why| invalid(at, why))
    }

    /// 20 bytes.
    pub(crate) fn address(&self, at: usize) -> Result<Address, RpcError> {
        self.text(at, |text| fixed(text).map(Address::new))
    }

    /// 32 bytes.
    pub(crate) fn hash(&self, at: usize) -> Result<Hash, RpcError> {
        self.text(at, |text| fixed(text).map(Hash::new))
    }

    /// Any number of bytes.
    pub(crate) fn bytes(&self, at: usize) -> Result<Bytes, RpcError> {
        self.text(at, hex_bytes)
    }

    /// A yes or no; no if it is missing.
    pub(crate) fn flag(&self, at: usize) -> Result<bool, RpcError> {
        Ok(self.optional(at)?.unwrap_or_default())
    }

    /// A JSON form that must be there.
    pub(crate) fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T, RpcError> {
        self.json_of(at, self.required(at)?)
    }

    /// A JSON form, if it is there.
    pub(crate) fn optional<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, RpcError> {
        self.raw(at).map(|raw| self.json_of(at, raw)).transpose()
    }

    fn json_of<T: DeserializeOwned>(&self, at: usize, raw: &RawValue) -> Result<T, RpcError> {
        serde_json::from_str(raw.get()).map_err(|why| {
            // Where in the argument is of no use: it was cut out of the request.
            let why = why.to_string();
            invalid(at, why.split(" at line ").next().unwrap_or(&why))
        })
    }
}

/// What is wrong with the argument at `at`.
pub(crate) fn invalid(at: usize, why: impl Display) -> RpcError {
    RpcError::params(format!("invalid argument {at}: {why}"))
}

/// Bytes of hex text: `0x` and an even number of digits.
fn hex_bytes(text: &str) -> Result<Bytes, String> {
    hex::decode(digits(text)?).map(Into::into).map_err(|why| match why {
        hex::FromHexError::OddLength => "hex string of odd length".to_owned(),
        _ => "invalid hex string".to_owned(),
    })
}

/// A number in hex: `0x`, no leading zeros, at most 256 bits.
pub(crate) fn quantity(text: &str) -> Result<U256, String> {
    let digits = digits(text)?;
    if digits.is_empty() {
        return Err("hex string \"0x\" is no number".to_owned());
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err("hex number with leading zero digits".to_owned());
    }
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("invalid hex string".to_owned());
    }
    U256::from_str_radix(digits, 16).map_err(|_| "hex number > 256 bits".to_owned())
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits = digits(text)?;
    if digits.len() != 2 * N {
        return Err(format!("hex string has length {}, want {}", digits.len(), 2 * N));
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| "invalid hex string".to_owned())?;
    Ok(bytes)
}

fn digits(text: &str) -> Result<&str, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.ok_or_else(|| if text.is_empty() { "empty hex string" } else { "hex string without 0x prefix" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(json: &str, max: usize) -> Result<Positional<'_>, RpcError> {
        Positional::read(Some(serde_json::from_str(json).expect("JSON")), max)
    }

    #[test]
    fn counts() {
        assert_eq!(Positional::read(None, 0).map(|args| args.0.len()), Ok(0));
        assert_eq!(args("[1,2]", 2).map(|args| args.0.len()), Ok(2));
        assert_eq!(args("[1,2]", 1).err().expect("many").message, "too many arguments, want at most 1");
        let flood = format!("[{}1]", "1,".repeat(100_000));
        assert_eq!(args(&flood, 3).err().expect("many").message, "too many arguments, want at most 3");
        assert_eq!(args("{}", 1).err().expect("object").message, "non-array args");
        for missing in ["[]", "[null]"] {
            let why = args(missing, 1).expect("an array").address(0).expect_err("missing");
            assert_eq!((why.code, why.message.as_ref()), (-32602, "missing value for required argument 0"));
        }
    }

    #[test]
    fn fixed_lengths() {
        let address = format!("[\"0x{}\"]", "Ab".repeat(20));
        assert_eq!(args(&address, 1).expect("one").address(0), Ok(Address::repeat_byte(0xab)));
        for (bad, why) in [
            (r#"["ab"]"#, "hex string without 0x prefix"),
            (r#"[""]"#, "empty hex string"),
            (r#"["0xab"]"#, "hex string has length 2, want 40"),
            (r#"["0xzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"]"#, "invalid hex string"),
            ("[7]", "invalid type: integer `7`, expected a string"),
        ] {
            let error = args(bad, 1).expect("one").address(0).expect_err(bad);
            assert_eq!(error.message, format!("invalid argument 0: {why}"));
        }
    }

    #[test]
    fn quantities() {
        for (text, number) in [("0x0", 0u64), ("0xff", 255), ("0XFF", 255)] {
            assert_eq!(quantity(text), Ok(U256::from(number)), "{text}");
        }
        assert_eq!(quantity(&format!("0x{}", "f".repeat(64))), Ok(U256::MAX));
        for bad in ["", "0x", "1", "0x01", "0x00", "0x+1", "0x-1", "0xg", "0x 1", "0x1_0"] {
            assert!(quantity(bad).is_err(), "{bad}");
        }
        assert_eq!(quantity(&format!("0x1{}", "0".repeat(64))).expect_err("large"), "hex number > 256 bits");
    }

    #[test]
    fn bytes() {
        assert_eq!(hex_bytes("0x"), Ok(Bytes::new()));
        assert_eq!(hex_bytes("0xAb01"), Ok(Bytes::from(vec![0xab, 1])));
        for bad in ["", "ab", "0xa", "0xzz", "0xé"] {
            assert!(hex_bytes(bad).is_err(), "{bad}");
        }
    }
}
