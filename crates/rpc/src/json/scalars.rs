//! Numbers, addresses and bytes (`spec/rpc.md` §2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use vigil_primitives::{Address, Coins, Signature, U256};

/// "u64s": a decimal string.
pub(crate) struct U64s(pub(crate) u64);

impl Serialize for U64s {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// "big": a decimal string.
pub(crate) struct Big(pub(crate) U256);

impl Serialize for Big {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// An integer of any size as a plain JSON number.
pub(crate) struct Plain(pub(crate) U256);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_string()).expect("decimal digits are a number");
        digits.serialize(s)
    }
}

/// An address with the EIP-55 checksum.
pub(crate) struct Checksum(pub(crate) Address);

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.0.to_checksum_buffer(None).as_str())
    }
}

/// Coins.
#[derive(Serialize)]
pub(crate) struct CoinsJson {
    thetawei: Big,
    tfuelwei: Big,
}

impl From<&Coins> for CoinsJson {
    fn from(coins: &Coins) -> Self {
        Self { thetawei: Big(coins.theta), tfuelwei: Big(coins.tfuel) }
    }
}

/// A secp256k1 signature: `null` when unset.
pub(crate) struct SignatureJson<'a>(pub(crate) &'a Signature);

impl Serialize for SignatureJson<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_none() {
            return s.serialize_none();
        }
        let digits = 2 * self.0.0.len();
        let mut text = vec![b'0'; 2 + digits];
        text[1] = b'x';
        hex::encode_to_slice(&self.0.0, &mut text[2..]).expect("two digits a byte");
        s.serialize_str(str::from_utf8(&text).expect("hex is ASCII"))
    }
}

/// Bytes in base64.
pub(crate) struct Base64<'a>(pub(crate) &'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(self.0))
    }
}

/// A BLS key or signature: `{}` when set, `null` when not.
pub(crate) struct BlsJson<'a>(pub(crate) &'a [u8]);

impl Serialize for BlsJson<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        if self.0.is_empty() { s.serialize_none() } else { s.serialize_map(Some(0))?.end() }
    }
}

/// A list that is `null` when empty (never set, in the reference).
pub(crate) fn null_if_empty<T: Serialize, S: Serializer>(list: &[T], s: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() { s.serialize_none() } else { s.collect_seq(list) }
}
