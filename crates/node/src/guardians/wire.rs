//! What hosts of guardians tell each other: one byte of kind, then strict RLP.

use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_net::limits::GUARDIAN_BYTES_MAX;
use vigil_primitives::rlp::{self, RlpError};
use vigil_primitives::{AGGREGATED_VOTES_BYTES_MAX, Address, AggregatedVotes, BlsSignatureBytes, Bytes};

/// Guardians that one process may host: their names must fit one message.
pub const HOSTED_MAX: usize = 1_024;

/// Pairs of neighbours in one message.
pub(crate) const PAIRS_MAX: usize = 512;
/// Neighbours to whom one message brings votes.
pub(crate) const TO_MAX: usize = 64;

const _: () = assert!(HOSTED_MAX * 21 + 128 <= GUARDIAN_BYTES_MAX);
const _: () = assert!(PAIRS_MAX * 43 + 8 <= GUARDIAN_BYTES_MAX);
const _: () = assert!(AGGREGATED_VOTES_BYTES_MAX + TO_MAX * 21 + 64 <= GUARDIAN_BYTES_MAX);

/// A message. Guardians are named by their addresses; who votes for nobody by that of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Who is hosted here.
    Here(Here),
    /// These are neighbours now.
    Link(Vec<Pair>),
    /// These are no neighbours, or no more.
    Apart(Vec<Pair>),
    /// Votes of the sender's `from` for its neighbours `to` at the receiver.
    Votes { from: Address, to: Vec<Address>, votes: Box<AggregatedVotes> },
}

/// Who is hosted by a process.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct Here {
    /// Guardians of the newest set that the sender knows.
    pub(crate) members: Vec<Address>,
    /// Whoever is in no set, as far as the sender knows.
    pub(crate) others: Vec<Address>,
    /// Proof that the members are there: the sum of what they signed (`proofs.rs`). Zero without members.
    pub(crate) signature: BlsSignatureBytes,
}

/// Two guardians.
#[derive(Clone, Copy, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct Pair {
    /// At the sender.
    pub(crate) from: Address,
    /// At the receiver.
    pub(crate) to: Address,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireVotes {
    from: Address,
    to: Vec<Address>,
    votes: AggregatedVotes,
}

impl Told {
    pub(crate) fn encode(self) -> Bytes {
        let (kind, body) = match self {
            Self::Here(here) => (1, rlp::encode(&here)),
            Self::Link(pairs) => (2, rlp::encode(&pairs)),
            Self::Votes { from, to, votes } => (3, rlp::encode(&WireVotes { from, to, votes: *votes })),
            Self::Apart(pairs) => (4, rlp::encode(&pairs)),
        };
        std::iter::once(kind).chain(body).collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, RlpError> {
        match bytes.split_first() {
            Some((1, body)) => {
                let here: Here = rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX)?;
                match here.members.len() + here.others.len() {
                    got if got > HOSTED_MAX => {
                        Err(RlpError::TooMany { what: "guardians of a host", got, max: HOSTED_MAX })
                    }
                    _ => Ok(Self::Here(here)),
                }
            }
            Some((2, body)) => list("new neighbours", body, PAIRS_MAX).map(Self::Link),
            Some((3, body)) => {
                let WireVotes { from, to, votes } = rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX)?;
                Ok(Self::Votes { from, to: at_most("receivers of votes", to, TO_MAX)?, votes: Box::new(votes) })
            }
            Some((4, body)) => list("lost neighbours", body, PAIRS_MAX).map(Self::Apart),
            _ => Err(RlpError::Item { what: WHAT, source: alloy_rlp::Error::Custom("unknown kind") }),
        }
    }

    /// Takes in what `other` says, if both are of links and there is room. False: it does not.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link(pairs), Self::Link(more)) | (Self::Apart(pairs), Self::Apart(more))
                if pairs.len() + more.len() <= PAIRS_MAX =>
            {
                pairs.extend(more);
                true
            }
            _ => false,
        }
    }
}

const WHAT: &str = "guardian message";

fn list<T: alloy_rlp::Decodable>(what: &'static str, body: &[u8], max: usize) -> Result<Vec<T>, RlpError> {
    at_most(what, rlp::decode_exact(WHAT, body, GUARDIAN_BYTES_MAX)?, max)
}

fn at_most<T>(what: &'static str, items: Vec<T>, max: usize) -> Result<Vec<T>, RlpError> {
    if items.len() > max { Err(RlpError::TooMany { what, got: items.len(), max }) } else { Ok(items) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_primitives::{BlsSignatureBytes, Checkpoint, SIGNER_VECTOR_BYTES_MAX};

    fn votes(signers: usize) -> AggregatedVotes {
        let signature = BlsSignatureBytes::repeat_byte(9);
        AggregatedVotes {
            checkpoint: Checkpoint { height: 100, ..Checkpoint::default() },
            signers: vec![1; signers].into(),
            signature,
        }
    }

    fn here(members: usize, others: usize) -> Told {
        let who = Address::repeat_byte(1);
        let signature = BlsSignatureBytes::repeat_byte(9);
        Told::Here(Here { members: vec![who; members], others: vec![who; others], signature })
    }

    #[test]
    fn messages_survive_the_wire_and_fit() {
        let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
        for told in [
            here(0, 0),
            here(HOSTED_MAX - 1, 1),
            Told::Link(vec![]),
            Told::Link(vec![Pair { from, to }; PAIRS_MAX]),
            Told::Apart(vec![Pair { from, to }; PAIRS_MAX]),
            Told::Votes { from, to: vec![to; TO_MAX], votes: Box::new(votes(SIGNER_VECTOR_BYTES_MAX)) },
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
        let (from, to) = (Address::ZERO, Address::ZERO);
        for many in [
            here(HOSTED_MAX, 1),
            Told::Link(vec![Pair { from, to }; PAIRS_MAX + 1]),
            Told::Apart(vec![Pair { from, to }; PAIRS_MAX + 1]),
            Told::Votes { from, to: vec![to; TO_MAX + 1], votes: Box::new(votes(1)) },
        ] {
            assert!(matches!(Told::decode(&many.encode()), Err(RlpError::TooMany { .. })));
        }
        let long = Told::Votes { from, to: vec![to], votes: Box::new(votes(2 * AGGREGATED_VOTES_BYTES_MAX)) }.encode();
        assert!(Told::decode(&long).is_err());
        for bytes in [&[][..], &[0], &[0, 0xc0], &[5, 0xc0], &[4, 0xc1], &[1], &[1, 0x80], &[3, 0xc0]] {
            assert!(Told::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn links_are_said_together() {
        let pair = |n: u8| Pair { from: Address::repeat_byte(n), to: Address::ZERO };
        let mut told = Told::Link(vec![pair(1)]);
        assert!(told.join(&Told::Link(vec![pair(2), pair(3)])) && !told.join(&Told::Apart(vec![pair(4)])));
        assert_eq!(told, Told::Link((1..=3).map(pair).collect()));
        assert!(!told.join(&Told::Link(vec![pair(0); PAIRS_MAX - 2])), "no room");
    }
}
