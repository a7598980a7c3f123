//! Access lists of Ethereum transactions (EIP-2930): `[[address, [key...]]...]`.

use crate::{Address, Hash};
use alloy_rlp::{Decodable, Error, Header};

/// Bytes of the shortest item: its header, an address, no keys.
const ITEM_BYTES_MIN: usize = 1 + ADDRESS_BYTES + 1;
/// An address as an item.
const ADDRESS_BYTES: usize = 1 + 20;
/// A storage key as an item.
const KEY_BYTES: usize = 1 + 32;

/// An account that a transaction says it will touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessListItem {
    /// The account.
    pub address: Address,
    /// Its storage slots.
    pub storage_keys: Box<[Hash]>,
}

impl Decodable for AccessListItem {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut payload = Header::decode_bytes(buf, true)?;
        let address = Address::decode(&mut payload)?;
        let mut keys = Header::decode_bytes(&mut payload, true)?;
        if !payload.is_empty() {
            return Err(Error::Custom("an access list's item is an address and a list of keys"));
        }
        // Anything but whole keys fails below; the capacity is never more than the bytes that are there.
        let mut storage_keys = Vec::with_capacity(keys.len() / KEY_BYTES);
        while !keys.is_empty() {
            if keys.len() < KEY_BYTES {
                return Err(Error::InputTooShort);
            }
            storage_keys.push(Hash::decode(&mut keys)?);
        }
        Ok(Self { address, storage_keys: storage_keys.into() })
    }
}

/// Decodes a list. It is walked first, so that memory is asked for once and is at most twice the bytes that are read.
pub(super) fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Box<[AccessListItem]>> {
    let mut payload = Header::decode_bytes(buf, true)?;
    let (mut walk, mut count) = (payload, 0);
    while !walk.is_empty() {
        let before = walk.len();
        Header::decode_bytes(&mut walk, true)?;
        if before - walk.len() < ITEM_BYTES_MIN {
            return Err(Error::InputTooShort);
        }
        count += 1;
    }
    let mut items = Vec::with_capacity(count);
    while !payload.is_empty() {
        items.push(AccessListItem::decode(&mut payload)?);
    }
    Ok(items.into())
}

const _: () = assert!(size_of::<AccessListItem>() <= 2 * ITEM_BYTES_MIN);
