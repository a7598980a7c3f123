//! Signatures whose signers are known already: votes, headers and certificates are seen more than once.

use crate::ops::Signed;
use std::collections::HashMap;
use vigil_primitives::{Address, Hash, SIGNATURE_BYTES};

/// Most signatures of one generation; twice as many are remembered at most (about 8 MiB in all).
const GENERATION_MAX: usize = 16_384;

type Key = (Hash, [u8; SIGNATURE_BYTES]);

/// Signers by digest and signature, bounded. Found by a keyed hash, compared exactly.
///
/// Two generations: what is used moves into the young one; when that is full, the old one is forgotten.
#[derive(Debug)]
pub(crate) struct RecentSigners {
    young: HashMap<Key, Address>,
    old: HashMap<Key, Address>,
    generation_max: usize,
}

impl Default for RecentSigners {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation_max: GENERATION_MAX }
    }
}

impl RecentSigners {
    /// Who made this signature, if it was seen lately.
    pub(crate) fn signer(&mut self, digest: &Hash, signature: &[u8; SIGNATURE_BYTES]) -> Option<Address> {
        let key = (*digest, *signature);
        if let Some(signer) = self.young.get(&key) {
            return Some(*signer);
        }
        let signer = self.old.remove(&key)?;
        self.insert(key, signer);
        Some(signer)
    }

    /// `signer` made it.
    pub(crate) fn remember(&mut self, signed: &Signed, signer: Address) {
        self.insert((signed.digest, signed.signature), signer);
    }

    fn insert(&mut self, key: Key, signer: Address) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, signer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(n: u8) -> Signed {
        Signed { digest: Hash::repeat_byte(n), signature: [n; SIGNATURE_BYTES] }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut recent = RecentSigners { generation_max: 2, ..RecentSigners::default() };
        let signer = |n| Address::repeat_byte(n);
        let look = |recent: &mut RecentSigners, n| recent.signer(&signed(n).digest, &signed(n).signature);
        for n in 0..20 {
            recent.remember(&signed(n), signer(n));
            assert_eq!(look(&mut recent, 0), Some(signer(0)), "used every time");
            assert!(recent.young.len() + recent.old.len() <= 4, "bounded");
        }
        assert_eq!(look(&mut recent, 19), Some(signer(19)));
        assert_eq!(look(&mut recent, 3), None);
    }

    #[test]
    fn another_digest_or_signature_is_another_entry() {
        let mut recent = RecentSigners::default();
        recent.remember(&signed(1), Address::repeat_byte(9));
        assert_eq!(recent.signer(&signed(2).digest, &signed(1).signature), None);
        assert_eq!(recent.signer(&signed(1).digest, &signed(2).signature), None);
        assert_eq!(recent.signer(&signed(1).digest, &signed(1).signature), Some(Address::repeat_byte(9)));
    }
}
