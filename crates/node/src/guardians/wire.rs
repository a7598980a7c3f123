//! What hosts of guardians tell each other: one byte of kind, then strict RLP.

use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_net::limits::GUARDIAN_BYTES_MAX;
use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::{Address, AggregatedVotes, Bytes};

/// Guardians that one process may host.
pub(crate) const HOSTED_MAX: usize = 1_024;

const _: () = assert!(HOSTED_MAX * 21 + 8 <= GUARDIAN_BYTES_MAX);

/// A message. Guardians are named by their addresses; who votes for nobody by that of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Who is hosted here.
    Here(Vec<Address>),
    /// The sender's `from` takes the receiver's `to` as a neighbour.
    Link { from: Address, to: Address },
    /// The sender's `from` and the receiver's `to` are no neighbours, or not any more.
    Part { from: Address, to: Address },
    /// Votes from neighbour to neighbour.
    Votes { from: Address, to: Address, votes: Box<AggregatedVotes> },
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireLink {
    from: Address,
    to: Address,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireVotes {
    from: Address,
    to: Address,
    votes: AggregatedVotes,
}

impl Told {
    pub(crate) fn encode(self) -> Bytes {
        let (kind, body) = match self {
            Self::Here(guardians) => (1, rlp::encode(&guardians)),
            Self::Link { from, to } => (2, rlp::encode(&WireLink { from, to })),
            Self::Part { from, to } => (4, rlp::encode(&WireLink { from, to })),
            Self::Votes { from, to, votes } => (3, rlp::encode(&WireVotes { from, to, votes: *votes })),
        };
        std::iter::once(kind).chain(body).collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, RlpError> {
        const WHAT: &str = "guardian message";
        match bytes.split_first() {
            Some((1, body)) => {
                let guardians: Vec<Address> = rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX)?;
                match guardians.len() {
                    got if got > HOSTED_MAX => {
                        Err(RlpError::TooMany { what: "guardians of a host", got, max: HOSTED_MAX })
                    }
                    _ => Ok(Self::Here(guardians)),
                }
            }
            Some((2, body)) => {
                rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX).map(|WireLink { from, to }| Self::Link { from, to })
            }
            Some((3, body)) => rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX)
                .map(|WireVotes { from, to, votes }| Self::Votes { from, to, votes: Box::new(votes) }),
            Some((4, body)) => {
                rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX).map(|WireLink { from, to }| Self::Part { from, to })
            }
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{AGGREGATED_VOTES_BYTES_MAX, BlsSignatureBytes, Checkpoint, SIGNER_VECTOR_BYTES_MAX};

    fn votes(signers: usize) -> AggregatedVotes {
        let signature = BlsSignatureBytes::repeat_byte(9);
        AggregatedVotes {
            checkpoint: Checkpoint { height: 100, ..Checkpoint::default() },
            signers: vec![1; signers].into(),
            signature,
        }
    }

    #[test]
    fn messages_survive_the_wire_and_fit() {
        let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
        for told in [
            Told::Here(vec![]),
            Told::Here(vec![from; HOSTED_MAX]),
            Told::Link { from, to },
            Told::Part { from, to },
            Told::Votes { from, to, votes: Box::new(votes(SIGNER_VECTOR_BYTES_MAX)) },
        ] {
            let bytes = told.clone().encode();
            assert!(bytes.len() <= GUARDIAN_BYTES_MAX, "{} bytes", bytes.len());
            assert_eq!(Told::decode(&bytes), Ok(told));
            assert!(Told::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(Told::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let many = Told::Here(vec![Address::ZERO; HOSTED_MAX + 1]).encode();
        assert!(matches!(Told::decode(&many), Err(RlpError::TooMany { .. })));
        let (from, to) = (Address::ZERO, Address::ZERO);
        let long = Told::Votes { from, to, votes: Box::new(votes(2 * AGGREGATED_VOTES_BYTES_MAX)) }.encode();
        assert!(Told::decode(&long).is_err());
        for bytes in [&[][..], &[0], &[4, 0xc0], &[5, 0xc0], &[1], &[1, 0x80], &[3, 0xc0]] {
            assert!(Told::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
