//! The fingerprint of a run: everything that happened, in order, folded into 128 bits.

use vigil_primitives::{Hash, keccak256};

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A running fold. Two runs with the same fingerprint took the same steps (not a cryptographic hash: nobody attacks it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    lanes: [u64; 2],
    steps: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { lanes: [1, 2], steps: 0 }
    }
}

impl Trace {
    /// Folds words in.
    pub fn fold(&mut self, words: &[u64]) {
        for word in words {
            self.lanes[0] = (self.lanes[0] ^ word).wrapping_mul(ODD).rotate_left(29);
            self.lanes[1] = (self.lanes[1].rotate_left(17) ^ self.lanes[0]).wrapping_add(*word);
        }
        self.steps += 1;
    }

    /// Folds the first bytes of a digest in.
    pub fn fold_hash(&mut self, hash: &Hash) {
        self.fold(&words_of(hash));
    }

    /// Number of folds.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The fingerprint.
    pub fn finish(&self) -> Hash {
        let mut bytes = [0u8; 24];
        bytes[..8].copy_from_slice(&self.lanes[0].to_be_bytes());
        bytes[8..16].copy_from_slice(&self.lanes[1].to_be_bytes());
        bytes[16..].copy_from_slice(&self.steps.to_be_bytes());
        keccak256(bytes)
    }
}

/// Two words of a digest, enough to tell digests apart.
pub fn words_of(hash: &Hash) -> [u64; 2] {
    let word = |from: usize| u64::from_be_bytes(hash[from..from + 8].try_into().expect("a digest has 32 bytes"));
    [word(0), word(8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_content_matter() {
        let of = |steps: &[&[u64]]| {
            let mut trace = Trace::default();
            steps.iter().for_each(|words| trace.fold(words));
            trace.finish()
        };
        assert_eq!(of(&[&[1, 2], &[3]]), of(&[&[1, 2], &[3]]));
        assert_ne!(of(&[&[1, 2], &[3]]), of(&[&[3], &[1, 2]]));
        assert_ne!(of(&[&[1, 2], &[3]]), of(&[&[1], &[2, 3], &[]]));
    }
}
