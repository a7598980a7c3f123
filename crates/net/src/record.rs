//! Signed address records: where a validator can be reached, by its own word.
//!
//! A record on the wire is the RLP list `[validator: 20 bytes, peer id: bytes, addresses: [bytes, ..], time: integer,
//! signature: 65 bytes]`. The peer id and the addresses are in libp2p's binary forms; `time` is in Unix seconds. The
//! signature is the consensus key's over `keccak(rlp(["vigil/addresses/1", chain id, genesis hash, [validator, peer id,
//! addresses, time]]))`. Records travel on the protocol `/vigil/<chain id>/<genesis>/addresses/1` as an RLP list of 1 to
//! [`RECORDS_MAX`] of them, acknowledged by an empty answer.

use crate::WireError;
use crate::address::is_plain;
use crate::bans::UnixSeconds;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use libp2p::{Multiaddr, PeerId};
use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::{Address, Bytes, Hash, SignDomain, Signature};

/// Most addresses of a record.
pub const ADDRESSES_MAX: usize = 4;
/// Most records of one message.
pub const RECORDS_MAX: usize = 64;
/// Largest message. A record of four IPv6 addresses over QUIC and an Ed25519 identity has 236 bytes.
pub const RECORDS_BYTES_MAX: usize = RECORDS_MAX * 256;

/// Where a validator can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressRecord {
    pub(crate) place: Place,
    /// The validator's, over [`Place::digest`].
    pub(crate) signature: Signature,
}

/// What a validator says of itself in an [`AddressRecord`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) validator: Address,
    pub(crate) peer: PeerId,
    /// 1 to [`ADDRESSES_MAX`], each an IP address and a port ([`is_plain`]): names could lead anywhere.
    pub(crate) addresses: Vec<Multiaddr>,
    /// When it was said; of two records the later one counts.
    pub(crate) time: UnixSeconds,
}

#[derive(RlpEncodable)]
struct SignedFields {
    validator: Address,
    peer: Bytes,
    addresses: Vec<Bytes>,
    time: u64,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    validator: Address,
    peer: Bytes,
    addresses: Vec<Bytes>,
    time: u64,
    signature: Signature,
}

impl Place {
    /// What the validator signs.
    pub(crate) fn digest(&self, chain: &SignDomain) -> Hash {
        let (validator, time) = (self.validator, self.time);
        let (peer, addresses) = self.bytes();
        chain.digest("vigil/addresses/1", &SignedFields { validator, peer, addresses, time })
    }

    fn bytes(&self) -> (Bytes, Vec<Bytes>) {
        (self.peer.to_bytes().into(), self.addresses.iter().map(|address| address.to_vec().into()).collect())
    }
}

impl AddressRecord {
    /// The bytes of one record, as the address book keeps them.
    pub(crate) fn encode(&self) -> Vec<u8> {
        rlp::encode(&self.wire())
    }

    /// Decodes one record strictly.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        Self::read(rlp::decode_exact("address record", bytes, RECORDS_BYTES_MAX)?)
    }

    fn wire(&self) -> Wire {
        let Place { validator, time, .. } = self.place;
        let (peer, addresses) = self.place.bytes();
        Wire { validator, peer, addresses, time, signature: self.signature.clone() }
    }

    fn read(wire: Wire) -> Result<Self, WireError> {
        let Wire { validator, peer, addresses, time, signature } = wire;
        let peer = PeerId::from_bytes(&peer).map_err(|_| bad("the peer id of an address record"))?;
        count("addresses of a record", addresses.len(), ADDRESSES_MAX)?;
        let addresses = addresses.into_iter().map(read_address).collect::<Result<_, _>>()?;
        signature.as_array().ok_or_else(|| bad("the signature of an address record"))?;
        Ok(Self { place: Place { validator, peer, addresses, time }, signature })
    }
}

/// The bytes of a message.
pub(crate) fn encode_records<'a>(records: impl Iterator<Item = &'a AddressRecord>) -> Bytes {
    rlp::encode(&records.map(AddressRecord::wire).collect::<Vec<_>>()).into()
}

/// Decodes a message strictly.
pub(crate) fn decode_records(bytes: &[u8]) -> Result<Vec<AddressRecord>, WireError> {
    let records: Vec<Wire> = rlp::decode_exact("address records", bytes, RECORDS_BYTES_MAX)?;
    count("address records", records.len(), RECORDS_MAX)?;
    records.into_iter().map(AddressRecord::read).collect()
}

fn read_address(bytes: Bytes) -> Result<Multiaddr, WireError> {
    let address = Multiaddr::try_from(bytes.to_vec()).ok().filter(is_plain);
    address.ok_or_else(|| bad("an address of an address record"))
}

fn bad(what: &'static str) -> WireError {
    RlpError::Item { what, source: alloy_rlp::Error::Custom("not in its binary form") }.into()
}

/// 1 to `max`.
fn count(what: &'static str, got: usize, max: usize) -> Result<(), WireError> {
    match got {
        0 => Err(WireError::Empty(what)),
        _ if got > max => Err(WireError::Limit { what, got: got as u64, max: max as u64 }),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
