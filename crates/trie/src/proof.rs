//! Proofs that a key has a value, or none, under a root.

use crate::node::{Link, LinkRef, Node, Step};
use crate::{Bytes, EMPTY_ROOT, Hash, NodeReader, ProofError, Trie, TrieError, codec, nibbles};
use alloy_primitives::keccak256;

impl Trie {
    /// The nodes from the root to `key`, as RLP: what [`verify_proof`] needs to tell its value, or that it has none.
    /// Nodes inside their parents are not listed. The proof from an empty trie is empty.
    ///
    /// # Errors
    /// As [`Trie::get`]; [`TrieError::Uncommitted`] if there are changes that are not hashed.
    pub fn prove(&self, reader: &dyn NodeReader, key: &[u8]) -> Result<Vec<Bytes>, TrieError> {
        self.root().ok_or(TrieError::Uncommitted)?;
        let nibbles = nibbles::from_key(key);
        let (mut link, mut path) = (self.root.clone(), &nibbles[..]);
        let mut proof = Vec::new();
        loop {
            let node = match &link {
                Link::Empty => return Ok(proof),
                Link::Fresh(inline) => inline.clone(),
                Link::Stored(stored) => {
                    let node = stored.peek(reader)?;
                    proof.push(codec::encode(&node).into());
                    node
                }
            };
            match node.step(path) {
                Step::Down(child, rest) => (link, path) = (child.to_link(), rest),
                Step::Here(_) => return Ok(proof),
            }
        }
    }
}

/// What `proof` says about `key` under `root`: its value, or `None` if it has none.
///
/// # Errors
/// The first node that does not fit. Every node must be needed: a proof has one form.
pub fn verify_proof(root: &Hash, key: &[u8], proof: &[Bytes]) -> Result<Option<Bytes>, ProofError> {
    let nibbles = nibbles::from_key(key);
    let mut used = 0;
    let value = if *root == EMPTY_ROOT { None } else { follow(root, &nibbles, proof, &mut used)? };
    if used < proof.len() {
        return Err(ProofError::TooLong { have: proof.len(), used });
    }
    Ok(value)
}

fn follow(root: &Hash, path: &[u8], proof: &[Bytes], used: &mut usize) -> Result<Option<Bytes>, ProofError> {
    let (mut node, mut path) = (next_node(root, proof, used)?, path);
    loop {
        let below = match node.step(path) {
            Step::Here(value) => return Ok(value.map(Bytes::copy_from_slice)),
            Step::Down(LinkRef::Empty, _) => return Ok(None),
            Step::Down(LinkRef::Fresh(inline), rest) => (inline.clone(), rest),
            Step::Down(LinkRef::Stored(hash, _), rest) => (next_node(hash, proof, used)?, rest),
        };
        (node, path) = below;
    }
}

/// Checks and decodes the next node of the proof.
fn next_node(expected: &Hash, proof: &[Bytes], used: &mut usize) -> Result<Node, ProofError> {
    let index = *used;
    let raw = proof.get(index).ok_or(ProofError::TooShort { have: proof.len(), hash: *expected })?;
    let got = keccak256(raw);
    if got != *expected {
        return Err(ProofError::WrongHash { index, expected: *expected, got });
    }
    *used += 1;
    codec::decode(raw).map_err(|what| ProofError::Malformed { index, what })
}
