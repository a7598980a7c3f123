//! The node's key where consensus and the network need it.

use vigil_consensus::Keys;
use vigil_crypto::{SecretKey, verify_digest};
use vigil_net::PeerAuth;
use vigil_primitives::{Address, Hash, Signature};

/// Signs with the node's key and checks anybody's signature.
#[derive(Clone, Debug)]
pub struct NodeKeys {
    key: SecretKey,
    address: Address,
}

impl NodeKeys {
    /// With this key.
    pub fn new(key: SecretKey) -> Self {
        Self { address: key.address(), key }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }
}

impl Keys for NodeKeys {
    fn sign(&self, digest: &Hash) -> Signature {
        self.key.sign(digest)
    }

    fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        verify_digest(signer, digest, signature)
    }
}

impl PeerAuth for NodeKeys {
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)> {
        Some((self.address, self.key.sign(digest)))
    }

    fn verify(&self, address: &Address, digest: &Hash, signature: &Signature) -> bool {
        verify_digest(address, digest, signature)
    }
}
