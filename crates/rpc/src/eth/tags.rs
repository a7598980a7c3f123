//! Which block an argument means.

use super::EthBackend;
use super::error::EthError;
use super::values::EthAt;
use crate::jsonrpc::{Positional, RpcError, invalid, quantity};
use serde::Deserialize;
use vigil_primitives::{Hash, Height};

/// A block as it is named in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `latest` and `safe`.
    Settled,
    /// `pending`.
    Tip,
    /// `finalized`.
    Finalized,
    /// A number, or `earliest`.
    Number(Height),
    /// A hash.
    Hash(Hash),
}

impl Tag {
    /// A tag or a number.
    pub(super) fn number_or_name(text: &str) -> Result<Self, String> {
        Ok(match text {
            "latest" | "safe" => Self::Settled,
            "pending" => Self::Tip,
            "finalized" => Self::Finalized,
            "earliest" => Self::Number(0),
            number => Self::Number(height(number)?),
        })
    }

    /// A tag, a number or a hash.
    fn any(text: &str) -> Result<Self, String> {
        match text.len() {
            66 => text.parse().map(Self::Hash).map_err(|_| "invalid hex string".to_owned()),
            _ => Self::number_or_name(text),
        }
    }

    /// The block an optional argument names: a tag, a number, a hash, or an object of EIP-1898. Settled if it is missing.
    pub(super) fn read(args: &Positional<'_>, at: usize) -> Result<Self, RpcError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Eip1898 {
            block_number: Option<String>,
            block_hash: Option<Hash>,
        }
        let Some(raw) = args.raw(at) else { return Ok(Self::Settled) };
        if raw.get().starts_with('"') {
            return args.text(at, Self::any);
        }
        match args.json(at)? {
            Eip1898 { block_number: Some(number), block_hash: None } => {
                Self::number_or_name(&number).map_err(|why| invalid(at, why))
            }
            Eip1898 { block_number: None, block_hash: Some(hash) } => Ok(Self::Hash(hash)),
            _ => Err(invalid(at, "cannot specify both blockHash and blockNumber, choose one or the other")),
        }
    }

    /// What it means now. `None`: nothing is finalized yet.
    pub(super) fn resolve(self, backend: &dyn EthBackend) -> Option<EthAt> {
        Some(match self {
            Self::Settled => EthAt::Settled,
            Self::Tip => EthAt::Tip,
            Self::Finalized => EthAt::Hash(backend.heads().finalized?.1),
            Self::Number(height) => EthAt::Number(height),
            Self::Hash(hash) => EthAt::Hash(hash),
        })
    }

    /// The same, for reads of the state.
    ///
    /// # Errors
    /// `finalized block not found`.
    pub(super) fn state(self, backend: &dyn EthBackend) -> Result<EthAt, RpcError> {
        self.resolve(backend).ok_or_else(|| EthError::new("finalized block not found").into())
    }

    /// The height it means in a range of settled blocks; `pending` ends with the last settled one.
    pub(super) fn height(self, backend: &dyn EthBackend) -> Option<Height> {
        let heads = backend.heads();
        match self {
            Self::Settled | Self::Tip => Some(heads.settled.0),
            Self::Finalized => heads.finalized.map(|(height, _)| height),
            Self::Number(height) => Some(height),
            Self::Hash(_) => None,
        }
    }
}

/// A height in hex.
pub(super) fn height(text: &str) -> Result<Height, String> {
    Height::try_from(quantity(text)?).map_err(|_| "hex number > 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Tag, RpcError> {
        Tag::read(&Positional::read(Some(serde_json::from_str(json).expect("JSON")), 1).expect("one"), 0)
    }

    #[test]
    fn names_numbers_and_hashes() {
        let hash = format!("0x{}", "ab".repeat(32));
        for (json, tag) in [
            ("[]".to_owned(), Tag::Settled),
            ("[null]".to_owned(), Tag::Settled),
            (r#"["latest"]"#.to_owned(), Tag::Settled),
            (r#"["safe"]"#.to_owned(), Tag::Settled),
            (r#"["pending"]"#.to_owned(), Tag::Tip),
            (r#"["finalized"]"#.to_owned(), Tag::Finalized),
            (r#"["earliest"]"#.to_owned(), Tag::Number(0)),
            (r#"["0x1b"]"#.to_owned(), Tag::Number(27)),
            (r#"["0xffffffffffffffff"]"#.to_owned(), Tag::Number(u64::MAX)),
            (format!(r#"["{hash}"]"#), Tag::Hash(Hash::repeat_byte(0xab))),
            (format!(r#"[{{"blockHash":"{hash}","requireCanonical":true}}]"#), Tag::Hash(Hash::repeat_byte(0xab))),
            (r#"[{"blockNumber":"0x5"}]"#.to_owned(), Tag::Number(5)),
            (r#"[{"blockNumber":"pending"}]"#.to_owned(), Tag::Tip),
        ] {
            assert_eq!(read(&json), Ok(tag), "{json}");
        }
        let both = format!(r#"[{{"blockHash":"{hash}","blockNumber":"0x5"}}]"#);
        let long = format!(r#"["0x{}"]"#, "g".repeat(64));
        for bad in
            [r#"["Latest"]"#, r#"["0x10000000000000000"]"#, r#"["0x05"]"#, r#"["5"]"#, "[5]", "[{}]", &both, &long]
        {
            assert_eq!(read(bad).expect_err(bad).code, -32602, "{bad}");
        }
    }
}
