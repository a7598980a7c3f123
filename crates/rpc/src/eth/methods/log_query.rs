//! Which logs are asked for.

use crate::eth::EthBackend;
use crate::eth::EthError;
use crate::eth::tags::Tag;
use crate::jsonrpc::{Positional, RpcError, invalid};
use crate::limits::{FILTER_VALUES_MAX, LOG_BLOCKS_MAX};
use alloy_rpc_types_eth::Filter;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use vigil_primitives::{Address, Hash, Height};

/// Topics of a log.
const TOPICS_MAX: usize = 4;

/// Addresses and topics, and the blocks to search.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogQuery {
    /// Addresses and topics.
    pub(super) filter: Filter,
    /// First block.
    pub(super) from: Option<Tag>,
    /// Last block.
    pub(super) to: Option<Tag>,
    /// The one block, instead.
    pub(super) block: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    from_block: Option<String>,
    to_block: Option<String>,
    block_hash: Option<Hash>,
    #[serde(borrow)]
    address: Option<&'a RawValue>,
    #[serde(borrow)]
    topics: Option<&'a RawValue>,
}

impl LogQuery {
    /// Reads the argument at `at`. Positions at the end that take any topic do not ask for one to be there, as in reth.
    ///
    /// # Errors
    /// -32602.
    pub(super) fn read(args: &Positional<'_>, at: usize) -> Result<Self, RpcError> {
        Self::from_json(args.required(at)?.get()).map_err(|why| invalid(at, why))
    }

    fn from_json(json: &str) -> Result<Self, String> {
        let fields: Fields<'_> = serde_json::from_str(json).map_err(plain)?;
        let tag = |text: Option<String>| text.map(|text| Tag::number_or_name(&text)).transpose();
        let (from, to, block) = (tag(fields.from_block)?, tag(fields.to_block)?, fields.block_hash);
        if block.is_some() && (from.is_some() || to.is_some()) {
            return Err("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other".to_owned());
        }
        Ok(Self { filter: filter(fields.address, fields.topics)?, from, to, block })
    }

    /// The settled blocks of the range; empty if it begins above them.
    ///
    /// # Errors
    /// If it is reversed or longer than [`LOG_BLOCKS_MAX`], or nothing is finalized.
    pub(super) fn range(&self, backend: &dyn EthBackend) -> Result<RangeInclusive<Height>, RpcError> {
        let height = |tag: Option<Tag>| {
            let height = tag.unwrap_or(Tag::Settled).height(backend);
            height.ok_or_else(|| RpcError::from(EthError::new("finalized block not found")))
        };
        let (from, to) = (height(self.from)?, height(self.to)?);
        if from > to && self.to.is_some() {
            return Err(RpcError::params("invalid block range params"));
        }
        let to = to.min(backend.heads().settled.0);
        if to.saturating_sub(from) >= LOG_BLOCKS_MAX {
            return Err(RpcError::params(format!("query exceeds max block range {LOG_BLOCKS_MAX}")));
        }
        Ok(from..=to)
    }

    /// Heights that a number names at either end of the range.
    pub(super) fn bounds(&self) -> (Height, Height) {
        let number = |tag| match tag {
            Some(Tag::Number(height)) => Some(height),
            _ => None,
        };
        (number(self.from).unwrap_or(0), number(self.to).unwrap_or(Height::MAX))
    }
}

fn filter(address: Option<&RawValue>, topics: Option<&RawValue>) -> Result<Filter, String> {
    let mut left = FILTER_VALUES_MAX;
    let mut filter = Filter::new();
    if let Some(address) = address {
        filter.address = any_of::<Address>(address, &mut left)?.into();
    }
    if let Some(topics) = topics {
        let Few(positions) = serde_json::from_str::<Few<Option<&RawValue>, TOPICS_MAX>>(topics.get()).map_err(plain)?;
        if positions.len() > TOPICS_MAX {
            return Err("exceed max topics".to_owned());
        }
        for (position, topics) in filter.topics.iter_mut().zip(positions) {
            if let Some(topics) = topics {
                *position = any_of::<Hash>(topics, &mut left)?.into();
            }
        }
    }
    Ok(filter)
}

/// One value or a list of them; a `null` among them stands for any value, which is what an empty list means.
fn any_of<T: DeserializeOwned>(raw: &RawValue, left: &mut usize) -> Result<Vec<T>, String> {
    if !raw.get().starts_with('[') {
        let value: Option<T> = serde_json::from_str(raw.get()).map_err(plain)?;
        return Ok(value.into_iter().collect());
    }
    let Few(values) = serde_json::from_str::<Few<Option<T>, FILTER_VALUES_MAX>>(raw.get()).map_err(plain)?;
    *left = left
        .checked_sub(values.len())
        .ok_or_else(|| format!("exceed max addresses and topics: {FILTER_VALUES_MAX} together"))?;
    Ok(values.into_iter().collect::<Option<_>>().unwrap_or_default())
}

/// Where in the argument is of no use: it was cut out of the request.
fn plain(why: serde_json::Error) -> String {
    let why = why.to_string();
    why.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A list; of one longer than `MAX` one element more.
struct Few<T, const MAX: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for V<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() <= MAX {
                    match seq.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(elements),
                    }
                }
                while seq.next_element::<de::IgnoredAny>()?.is_some() {}
                Ok(elements)
            }
        }
        d.deserialize_seq(V::<T, MAX>(PhantomData)).map(Few)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Filter, String> {
        LogQuery::from_json(json).map(|query| query.filter)
    }

    fn topic(byte: u8) -> String {
        format!("\"{}\"", Hash::repeat_byte(byte))
    }

    fn matches(filter: &Filter, topics: &[u8]) -> bool {
        filter.matches_topics(&topics.iter().map(|byte| Hash::repeat_byte(*byte)).collect::<Vec<_>>())
    }

    #[test]
    fn positions_and_wildcards() {
        let (a, b) = (topic(1), topic(2));
        let exact = read(&format!(r#"{{"topics":[{a},[{b},{a}]]}}"#)).expect("good");
        assert!(matches(&exact, &[1, 2]) && matches(&exact, &[1, 1, 7]) && !matches(&exact, &[2, 2]));
        assert!(!matches(&exact, &[1]), "a log with fewer topics does not match");
        for wildcard in ["null", "[]", "[null]", &format!("[null,{a}]")] {
            let filter = read(&format!(r#"{{"topics":[{wildcard},{b}]}}"#)).expect("good");
            assert!(matches(&filter, &[9, 2]) && !matches(&filter, &[2, 9]), "{wildcard}");
        }
        for any in ["{}", r#"{"topics":[]}"#, r#"{"topics":null,"address":null,"extra":1}"#] {
            let filter = read(any).expect("good");
            assert!(matches(&filter, &[]) && matches(&filter, &[1]) && filter.matches_address(Address::ZERO), "{any}");
        }
        let one = read(&format!(r#"{{"address":"{}"}}"#, Address::repeat_byte(7))).expect("good");
        assert!(one.matches_address(Address::repeat_byte(7)) && !one.matches_address(Address::ZERO));
    }

    #[test]
    fn bad_filters() {
        let hash = topic(1);
        for (bad, why) in [
            (format!(r#"{{"topics":[{hash},{hash},{hash},{hash},{hash}]}}"#), "exceed max topics"),
            (format!(r#"{{"topics":[{}null]}}"#, "null,".repeat(100_000)), "exceed max topics"),
            (format!(r#"{{"blockHash":{hash},"toBlock":"latest"}}"#), "cannot specify both BlockHash"),
            (r#"{"address":"0x12"}"#.to_owned(), "invalid"),
            (r#"{"topics":"0x12"}"#.to_owned(), "expected an array"),
            (r#"{"topics":[["0x12"]]}"#.to_owned(), "invalid"),
            (r#"{"fromBlock":"soon"}"#.to_owned(), "hex string without 0x prefix"),
            (r#"{"fromBlock":7}"#.to_owned(), "expected a string"),
            ("7".to_owned(), "invalid type"),
        ] {
            let got = read(&bad).expect_err(why);
            assert!(got.contains(why), "{got}");
        }
    }

    #[test]
    fn a_filter_has_a_limit() {
        let values = |addresses: usize, topics: usize| {
            let addresses = vec![format!("\"{}\"", Address::ZERO); addresses].join(",");
            let topics = vec![topic(1); topics].join(",");
            read(&format!(r#"{{"address":[{addresses}],"topics":[null,[{topics}]]}}"#)).map(|_| ())
        };
        assert_eq!(values(FILTER_VALUES_MAX - 1, 0), Ok(()));
        assert_eq!(values(FILTER_VALUES_MAX - 400, 400), Ok(()));
        assert!(values(FILTER_VALUES_MAX - 400, 401).expect_err("too many").contains("exceed max addresses"));
        assert!(values(FILTER_VALUES_MAX + 1, 0).is_err() && values(10 * FILTER_VALUES_MAX, 0).is_err());
    }
}
