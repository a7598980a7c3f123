//! The guardians' lottery (`spec/consensus.md` §3.1; `docs/decisions/0010-guardian-rewards.md`).
//!
//! A ticket is the hash of a guardian's key, the finalized block, the paying height and the slot. Nobody can choose any of
//! these for a better draw: which signatures are in the certificate only decides who takes part.

use super::payout::Earning;
use crate::finality::Certified;
use alloy_primitives::U512;
use vigil_primitives::{Address, ChainParams, GuardianMember, Hash, Height, U256};
use vigil_trie::BatchHasher;

/// Winners that a slot has on average.
const WINNERS: u64 = 10;
/// Most draws of one checkpoint block.
const SLOTS_MAX: u64 = 100;

const TAG: &[u8; 15] = b"vigil/lottery/1";
const TICKET_BYTES: usize = TAG.len() + 48 + 32 + 8 + 8;

/// A winning ticket.
pub(super) struct Winner {
    pub(super) guardian: Address,
    pub(super) digest: Hash,
}

/// Draws of one checkpoint block; each stands for an equal share of the blocks since the last one.
pub(super) fn slots(params: &ChainParams) -> u64 {
    params.checkpoint_interval.clamp(1, SLOTS_MAX)
}

/// The guardians that take part in the draws of one block, by address ascending: those that signed.
pub(super) struct Lottery {
    entrants: Vec<Entrant>,
    /// One an entrant; the slot, at the end, is filled in for each draw.
    tickets: Vec<[u8; TICKET_BYTES]>,
}

struct Entrant {
    guardian: Address,
    /// Digests below it win; `None`: all.
    limit: Option<U256>,
}

impl Lottery {
    /// For the block of `height`, which carries the certificate.
    pub(super) fn new(certified: &Certified, height: Height) -> Self {
        let Certified { checkpoint, set, signers } = certified;
        let signed = set.members().iter().zip(signers).filter(|(_, entry)| **entry > 0);
        let entrant = |member: &GuardianMember| {
            let entrant = Entrant { guardian: member.address, limit: limit(member.weight, set.total()) };
            (entrant, ticket(&member.key.0, &checkpoint.block_hash, height))
        };
        let (entrants, tickets) = signed.map(|(member, _)| entrant(member)).unzip();
        Self { entrants, tickets }
    }

    /// Who wins a slot: each with a probability of ten times its share of the set's weight.
    pub(super) fn draw(&mut self, hasher: &dyn BatchHasher, slot: u64) -> Vec<Winner> {
        for ticket in &mut self.tickets {
            ticket[TICKET_BYTES - 8..].copy_from_slice(&slot.to_be_bytes());
        }
        let tickets: Vec<&[u8]> = self.tickets.iter().map(<[u8; TICKET_BYTES]>::as_slice).collect();
        let digests = hasher.keccak256_batch(&tickets);
        let won = self.entrants.iter().zip(digests).filter(|(entrant, digest)| wins(digest, entrant.limit));
        won.map(|(entrant, digest)| Winner { guardian: entrant.guardian, digest }).collect()
    }
}

/// One of the stakes, each as likely as it is large: by the low half of the digest, which does not decide who wins.
/// `None` for no stakes.
pub(super) fn drawn<'a>(stakes: &'a [Earning], digest: &Hash) -> Option<&'a Earning> {
    let total = stakes.iter().fold(U256::ZERO, |sum, stake| sum.saturating_add(stake.amount));
    let low = U256::from_be_slice(&digest[16..]);
    // Amounts are below 2^128, the supply's limit.
    let mut at: U256 = low.saturating_mul(total) >> 128;
    stakes.iter().find(|stake| {
        let here = at < stake.amount;
        at = at.saturating_sub(stake.amount);
        here
    })
}

/// A ticket for slot 0.
fn ticket(key: &[u8; 48], block: &Hash, height: Height) -> [u8; TICKET_BYTES] {
    let mut ticket = [0; TICKET_BYTES];
    let parts: [&[u8]; 4] = [TAG, key, block.as_slice(), &height.to_be_bytes()];
    let mut rest = ticket.as_mut_slice();
    for part in parts {
        let (here, after) = rest.split_at_mut(part.len());
        here.copy_from_slice(part);
        rest = after;
    }
    ticket
}

/// 10 w / W * 2^256, rounded up: a digest is below it exactly if digest * W < 10 w * 2^256. `None`: every digest is.
fn limit(weight: u128, total: u128) -> Option<U256> {
    let product: U512 = (U512::from(weight) * U512::from(WINNERS)) << 256;
    let limit = product.div_ceil(U512::from(total.max(1)));
    U256::checked_from_limbs_slice(limit.as_limbs())
}

fn wins(digest: &Hash, limit: Option<U256>) -> bool {
    limit.is_none_or(|limit| U256::from_be_bytes(digest.0) < limit)
}

#[cfg(test)]
mod tests;
