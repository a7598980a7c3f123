//! What each signature of a transaction covers, and putting one there.
//!
//! Slots number a transaction's signatures: a send has one an input; a service payment source 0 and target 1; a deposit
//! of version 2 source 0 and holder 1; every other type one, slot 0. (That of a type 12 is Ethereum's and not put there here.)

use crate::{SecretKey, keccak256};
use vigil_primitives::{DepositStake, DepositStakeV2, Hash, SignBytes, Signature, Tx, TxInput, TxWrapper};

/// A transaction has no such slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this transaction has {slots} signatures, there is no slot {slot}")]
pub struct SignError {
    /// Asked for.
    pub slot: usize,
    /// Number of slots.
    pub slots: usize,
}

/// What slot `slot` of `tx` signs; all slots share it but those of a service payment. Slot 1 of a version 2 deposit signs
/// [`holder_bytes`] instead.
pub(crate) fn sign_bytes(chain_id: &str, tx: &Tx, slot: usize) -> SignBytes {
    match tx {
        Tx::ServicePayment(t) if slot == 0 => SignBytes::of_payment_source(chain_id, t),
        Tx::DepositStake(t) => SignBytes::of(chain_id, &Tx::DepositStakeV2(as_v2(t))),
        _ => SignBytes::of(chain_id, tx),
    }
}

/// A deposit is checked as its second version with an empty tail, so a type 8 transaction of purpose 1 or 2 signs the
/// type 10 form (`spec/ledger.md` §2.3).
fn as_v2(t: &DepositStake) -> DepositStakeV2 {
    DepositStakeV2 {
        fee: t.fee,
        source: t.source.clone(),
        holder: t.holder.clone(),
        purpose: t.purpose,
        bls_pubkey: Default::default(),
        bls_pop: Default::default(),
        holder_sig: Signature::none(),
    }
}

/// What the holder of a deposit signs: the proof of possession.
pub(crate) fn holder_bytes(tx: &DepositStakeV2) -> &[u8] {
    &tx.bls_pop
}

/// The inputs that sign, by slot; without the holder of a version 2 deposit, which is no input. An Ethereum transaction has
/// none: it is signed before it is one of ours.
pub(crate) fn inputs(tx: &Tx) -> Vec<&TxInput> {
    match tx {
        Tx::Coinbase(t) => vec![&t.proposer],
        Tx::Slash(t) => vec![&t.proposer],
        Tx::Send(t) => t.inputs.iter().collect(),
        Tx::ReserveFund(t) => vec![&t.source],
        Tx::ReleaseFund(t) => vec![&t.source],
        Tx::ServicePayment(t) => vec![&t.source, &t.target],
        Tx::SplitRule(t) => vec![&t.initiator],
        Tx::SmartContract(t) => vec![&t.from],
        Tx::DepositStake(t) => vec![&t.source],
        Tx::WithdrawStake(t) => vec![&t.source],
        Tx::DepositStakeV2(t) => vec![&t.source],
        Tx::StakeRewardDistribution(t) => vec![&t.holder],
        Tx::Ethereum(_) => Vec::new(),
    }
}

fn signature_mut(tx: &mut Tx, slot: usize) -> Option<&mut Signature> {
    let only = |signature| if slot == 0 { Some(signature) } else { None };
    match tx {
        Tx::Coinbase(t) => only(&mut t.proposer.signature),
        Tx::Slash(t) => only(&mut t.proposer.signature),
        Tx::Send(t) => t.inputs.get_mut(slot).map(|input| &mut input.signature),
        Tx::ReserveFund(t) => only(&mut t.source.signature),
        Tx::ReleaseFund(t) => only(&mut t.source.signature),
        Tx::ServicePayment(t) => match slot {
            0 => Some(&mut t.source.signature),
            1 => Some(&mut t.target.signature),
            _ => None,
        },
        Tx::SplitRule(t) => only(&mut t.initiator.signature),
        Tx::SmartContract(t) => only(&mut t.from.signature),
        Tx::DepositStake(t) => only(&mut t.source.signature),
        Tx::WithdrawStake(t) => only(&mut t.source.signature),
        Tx::DepositStakeV2(t) => match slot {
            0 => Some(&mut t.source.signature),
            1 => Some(&mut t.holder_sig),
            _ => None,
        },
        Tx::StakeRewardDistribution(t) => only(&mut t.holder.signature),
        Tx::Ethereum(_) => None,
    }
}

/// The digest that slot `slot` of `tx` signs, in the six-field wrapper, which every verifier accepts.
///
/// The target of a service payment covers the source's signature, the source of a deposit the holder's: sign those first.
///
/// # Errors
/// [`SignError`] if there is no such slot.
pub fn sign_digest(chain_id: &str, tx: &Tx, slot: usize) -> Result<Hash, SignError> {
    let slots = inputs(tx).len() + usize::from(matches!(tx, Tx::DepositStakeV2(_)));
    if slot >= slots {
        return Err(SignError { slot, slots });
    }
    Ok(match tx {
        Tx::DepositStakeV2(t) if slot == 1 => keccak256(holder_bytes(t)),
        _ => keccak256(sign_bytes(chain_id, tx, slot).wrapped(TxWrapper::V1)),
    })
}

/// Signs slot `slot` of `tx` with `key`; see [`sign_digest`] for the order.
///
/// # Errors
/// [`SignError`] if there is no such slot.
pub fn sign_tx(chain_id: &str, tx: &mut Tx, slot: usize, key: &SecretKey) -> Result<(), SignError> {
    let signature = key.sign(&sign_digest(chain_id, tx, slot)?);
    if let Some(place) = signature_mut(tx, slot) {
        *place = signature;
    }
    Ok(())
}
