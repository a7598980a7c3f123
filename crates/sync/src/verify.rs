//! Certificates under the validator sets that are known.

use std::sync::Arc;
use vigil_consensus::ValidatorSet;
use vigil_primitives::{Hcc, Vote};

/// What [`verify`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// So many of the certificates, from the first up, prove their blocks.
    pub good: usize,
    /// What is wrong with the next one, if there is one.
    pub fault: Option<CertFault>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertFault {
    /// A vote is not its voter's: wrong under any set.
    Signature,
    /// The votes are not a quorum of any set given: wrong, or of a set that is not known yet.
    Quorum,
}

/// Checks certificates of blocks of one chain, ascending, each with distinct voters and one body
/// ([`crate::SyncEffect::Verify`]).
///
/// A quorum voted for a block only after its ancestors were executed, so the votes for the last block prove all the
/// others too: where they are good, nothing else is looked at. Cost then: one call of `are_signed` with one quorum, else at
/// most one a certificate.
///
/// - `sets`: those that may count above our settled head.
/// - `are_signed`: true if each vote's signature is its voter's.
pub fn verify(certs: &[Arc<Hcc>], sets: &[ValidatorSet], are_signed: impl Fn(&[Vote]) -> bool) -> Verdict {
    let fault = |cert: &Arc<Hcc>| {
        if !sets.iter().any(|set| is_quorum(set, &cert.votes)) {
            return Some(CertFault::Quorum);
        }
        (!are_signed(&cert.votes)).then_some(CertFault::Signature)
    };
    if certs.last().is_none_or(|last| fault(last).is_none()) {
        return Verdict { good: certs.len(), fault: None };
    }
    let first = certs.iter().enumerate().find_map(|(good, cert)| fault(cert).map(|fault| (good, fault)));
    first.map_or(Verdict { good: certs.len(), fault: None }, |(good, fault)| Verdict { good, fault: Some(fault) })
}

/// All voters are members and together a quorum, as consensus has it.
fn is_quorum(set: &ValidatorSet, votes: &[Vote]) -> bool {
    votes.iter().all(|vote| set.contains(&vote.voter))
        && set.is_quorum(set.weight_of(votes.iter().map(|vote| &vote.voter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use vigil_primitives::{Address, Signature};

    /// A certificate by these voters; a forged vote has source height 1.
    fn cert(voters: &[u8], forged: bool) -> Arc<Hcc> {
        let vote = |id: &u8| Vote {
            height: 9,
            block_hash: Default::default(),
            block_epoch: 9,
            source_set: 0,
            source_height: u64::from(forged),
            source_hash: Default::default(),
            voter: Address::repeat_byte(*id),
            signature: Signature::none(),
        };
        Arc::new(Hcc { votes: voters.iter().map(vote).collect(), block_hash: Default::default() })
    }

    fn set(ids: [u8; 4]) -> ValidatorSet {
        ValidatorSet::new(ids.map(|id| (Address::repeat_byte(id), 1))).unwrap()
    }

    /// The verdict, and how many signatures it cost.
    fn found(certs: &[Arc<Hcc>]) -> (usize, Option<CertFault>, u32) {
        let checked = Cell::new(0);
        let are_signed = |votes: &[Vote]| {
            checked.set(checked.get() + votes.len() as u32);
            votes.iter().all(|vote| vote.source_height == 0)
        };
        let Verdict { good, fault } = verify(certs, &[set([1, 2, 3, 4]), set([5, 6, 7, 8])], are_signed);
        (good, fault, checked.get())
    }

    #[test]
    fn the_last_certificate_vouches_for_all() {
        let good = || cert(&[1, 2, 3], false);
        assert_eq!(found(&[]), (0, None, 0));
        assert_eq!(found(&[good(), good(), good(), good()]), (4, None, 3));
        assert_eq!(found(&[good(), cert(&[9], true), cert(&[5, 6, 7, 8], false)]), (3, None, 4));
    }

    #[test]
    fn the_first_bad_certificate_is_named() {
        let (good, forged) = (|| cert(&[1, 2, 3], false), cert(&[1, 2, 3], true));
        let quorum = Some(CertFault::Quorum);
        assert_eq!(found(&[good(), forged.clone(), forged]).1, Some(CertFault::Signature));
        for (case, few) in [(1, &[1, 2][..]), (2, &[1, 2, 9]), (3, &[1, 2, 3, 9]), (4, &[1, 2, 5, 6]), (5, &[])] {
            assert_eq!(
                found(&[good(), cert(few, false)]),
                (1, quorum, 3),
                "case {case}: signatures of no quorum cost nothing"
            );
        }
    }
}
