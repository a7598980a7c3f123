//! The node's key where consensus and the network need it.

use vigil_accel::Engine;
use vigil_consensus::Keys;
use vigil_crypto::{Check, SecretKey};
use vigil_net::PeerAuth;
use vigil_primitives::{Address, Hash, Signature};

/// Signs with the node's key and checks anybody's signature on the engine.
#[derive(Clone, Debug)]
pub struct NodeKeys {
    key: SecretKey,
    address: Address,
    engine: Engine,
}

impl NodeKeys {
    /// With this key.
    pub fn new(key: SecretKey, engine: Engine) -> Self {
        Self { address: key.address(), key, engine }
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
        self.verify_all(&[(*signer, *digest, signature.clone())])[0]
    }

    fn verify_all(&self, signed: &[(Address, Hash, Signature)]) -> Vec<bool> {
        are_signed(&self.engine, signed)
    }
}

/// Whether each signer made the signature over the digest, in order. For what is seen more than once, such as votes.
pub(crate) fn are_signed(engine: &Engine, signed: &[(Address, Hash, Signature)]) -> Vec<bool> {
    let check = |(signer, digest, signature): &(Address, Hash, Signature)| {
        Some(Check { digest: *digest, signature: *signature.as_array()?, signer: *signer })
    };
    let checks: Vec<Option<Check>> = signed.iter().map(check).collect();
    let whole: Vec<Check> = checks.iter().flatten().copied().collect();
    let mut answers = engine.verify_signers_once(&whole).into_iter();
    checks.iter().map(|check| check.is_some() && answers.next().expect("an answer for each check")).collect()
}

impl PeerAuth for NodeKeys {
    fn prove(&self, digest: &Hash) -> Option<(Address, Signature)> {
        Some((self.address, self.key.sign(digest)))
    }

    fn verify(&self, address: &Address, digest: &Hash, signature: &Signature) -> bool {
        are_signed(&self.engine, &[(*address, *digest, signature.clone())])[0]
    }
}
