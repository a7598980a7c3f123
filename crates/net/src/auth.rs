//! Proof that a peer signs for a validator address.

use libp2p::PeerId;
use vigil_primitives::{Address, Hash, SignDomain, Signature};

/// The node's consensus key as the network sees it: it can prove who we are and check who others are.
pub trait PeerAuth: Send + Sync + 'static {
    /// Our validator address and its signature over `digest` ([`proof_digest`]); `None` if we hold no key.
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)>;
    /// True if `signature` over `digest` is `address`'s.
    fn verify(&self, address: &Address, digest: &Hash, signature: &Signature) -> bool;
}

/// For nodes without a key that take nobody for a validator.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl PeerAuth for NoAuth {
    fn prove(&self, _digest: &Hash) -> Option<(Address, Signature)> {
        None
    }

    fn verify(&self, _address: &Address, _digest: &Hash, _signature: &Signature) -> bool {
        false
    }
}

/// What a validator signs to prove that the libp2p identity `peer` is its own: the chain's domain, tag
/// `vigil/peer/1`, the peer id's bytes. Useless to anyone who does not hold that identity's key.
pub fn proof_digest(domain: &SignDomain, peer: &PeerId) -> Hash {
    domain.digest("vigil/peer/1", peer.to_bytes().as_slice())
}
