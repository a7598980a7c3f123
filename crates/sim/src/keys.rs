//! Signatures cheap enough for a thousand networks: a keyed mix of the digest. Only [`Signer`] holds a secret, so that a
//! liar can sign with its own keys and no others.

use std::collections::HashMap;
use std::sync::Arc;
use vigil_primitives::{Address, Hash, Signature, keccak256};

type Secret = [u64; 2];

/// Address of a node of a seed.
pub fn address_of(seed: u64, node: usize) -> Address {
    Address::from_slice(&seal(seed, node, b"address")[12..])
}

fn seal(seed: u64, node: usize, what: &[u8]) -> Hash {
    let mut preimage = what.to_vec();
    preimage.extend_from_slice(&seed.to_be_bytes());
    preimage.extend_from_slice(&(node as u64).to_be_bytes());
    keccak256(preimage)
}

fn mix(secret: &Secret, digest: &Hash) -> [u8; 65] {
    let (mut a, mut b) = (secret[0], secret[1]);
    for word in digest.chunks_exact(8) {
        a = (a ^ u64::from_le_bytes(word.try_into().expect("8 bytes"))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        b = (b ^ a.rotate_left(31)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }
    let mut signature = [0u8; 65];
    signature[..8].copy_from_slice(&a.to_be_bytes());
    signature[8..16].copy_from_slice(&b.to_be_bytes());
    signature
}

/// Checks signatures of all, makes none.
#[derive(Clone)]
pub struct Notary(Arc<HashMap<Address, Secret>>);

impl Notary {
    /// Keys of `count` nodes of a seed, one signer each.
    pub fn with_signers(seed: u64, count: usize) -> (Self, Vec<Signer>) {
        let secret = |node| {
            let bytes = seal(seed, node, b"secret");
            crate::trace::words_of(&bytes)
        };
        let secrets: HashMap<_, _> = (0..count).map(|node| (address_of(seed, node), secret(node))).collect();
        let notary = Self(Arc::new(secrets));
        let signer = |node| Signer { address: address_of(seed, node), secret: secret(node), notary: notary.clone() };
        let signers = (0..count).map(signer).collect();
        (notary, signers)
    }

    /// True if `signer` signed `digest`.
    pub fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.0.get(signer).is_some_and(|secret| signature.as_array() == Some(&mix(secret, digest)))
    }
}

/// The key of one node.
#[derive(Clone)]
pub struct Signer {
    address: Address,
    secret: Secret,
    notary: Notary,
}

impl Signer {
    /// Whose key it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs.
    pub fn sign(&self, digest: &Hash) -> Signature {
        mix(&self.secret, digest).into()
    }
}

impl vigil_consensus::Keys for Signer {
    fn sign(&self, digest: &Hash) -> Signature {
        Signer::sign(self, digest)
    }

    fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.notary.verify(signer, digest, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_of_a_key_makes_its_signatures() {
        let (notary, signers) = Notary::with_signers(7, 2);
        let digest = keccak256(b"x");
        let signature = signers[0].sign(&digest);
        assert!(notary.verify(&signers[0].address(), &digest, &signature));
        assert!(!notary.verify(&signers[1].address(), &digest, &signature));
        assert!(!notary.verify(&signers[0].address(), &keccak256(b"y"), &signature));
        assert!(!notary.verify(&signers[0].address(), &digest, &Signature::none()));
    }
}
