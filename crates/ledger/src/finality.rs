//! Checkpoints and guardian sets that a state remembers, and certificates in headers
//! (`spec/consensus.md` §2.3; `docs/decisions/0010-guardian-rewards.md`).
//!
//! The block after a checkpoint block writes down that block's hash and the guardians of its post-state. So whether a
//! certificate is right is a question to the state and to signatures alone.

use crate::env::Env;
use crate::error::{CertificateError, FinalityError, StateError};
use crate::keys;
use crate::rewards::is_reward_height;
use crate::state::{State, corrupt, decode};
use crate::view::View;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use vigil_crypto::signer_vectors;
use vigil_primitives::{
    AggregatedVotes, Bytes, ChainParams, Checkpoint, FinalityCert, GuardianMember, GuardianSet, Hash, Height, rlp,
};

/// Checkpoints without certificate that are remembered: a certificate of an older one is refused.
pub(crate) const CHECKPOINTS_MAX: usize = 64;

/// The highest checkpoint whose certificate this branch includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Finalized {
    /// Its height.
    pub height: Height,
    /// Its block.
    pub hash: Hash,
}

/// A guardian set and the last checkpoint that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
struct SetUse {
    hash: Hash,
    last: Height,
}

/// A certificate that holds, with what it names.
pub(crate) struct Certified {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) set: GuardianSet,
    /// How often each guardian of the set is in it.
    pub(crate) signers: Vec<u8>,
}

/// The last reset (`spec/consensus.md` §A.1); number 0: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct LastReset {
    /// How often the chain was reset.
    pub(crate) number: u64,
    /// Height of the checkpoint that it went on from.
    pub(crate) height: Height,
}

/// The last reset before the block being made.
pub(crate) fn last_reset(view: &View) -> Result<LastReset, StateError> {
    Ok(view.get(keys::RESET)?.unwrap_or_default())
}

/// If the parent is a checkpoint block and there are guardians, remembers both. `parent_hash`: of the parent.
pub(crate) fn remember_checkpoint(view: &mut View, params: &ChainParams, parent_hash: Hash) -> Result<(), StateError> {
    let height = view.parent_height();
    if !is_reward_height(params, height) {
        return Ok(());
    }
    let set = parent_set(view)?;
    if set.is_empty() {
        return Ok(());
    }
    let checkpoint =
        Checkpoint { resets: last_reset(view)?.number, height, block_hash: parent_hash, set_hash: set.hash() };
    let mut pending = checkpoints(view)?;
    pending.push(checkpoint);
    pending.drain(..pending.len().saturating_sub(CHECKPOINTS_MAX));
    let set_key = keys::guardian_set(&set.hash());
    if view.get_raw(&set_key)?.is_none() {
        view.set_raw(set_key, set_bytes(&set));
    }
    forget_sets(view, params, &checkpoint, &pending)?;
    set_checkpoints(view, &pending);
    Ok(())
}

/// The guardians of the parent's post-state.
pub(crate) fn parent_set(view: &mut View) -> Result<GuardianSet, StateError> {
    Ok(view.parent_guardians()?.as_deref().map(GuardianSet::of_pool).unwrap_or_default())
}

/// A remembered set.
pub(crate) fn guardian_set(view: &View, hash: &Hash) -> Result<Option<GuardianSet>, StateError> {
    let key = keys::guardian_set(hash);
    view.get_raw(&key)?.map(|bytes| decode_set(&key, &bytes, hash)).transpose()
}

/// A set that a state remembers.
pub(crate) fn guardian_set_of(state: &State, hash: &Hash) -> Result<Option<GuardianSet>, StateError> {
    let key = keys::guardian_set(hash);
    state.value(&key)?.map(|bytes| decode_set(&key, &bytes, hash)).transpose()
}

/// How often each guardian of `set` signed; `Err`: the vector is none for this set.
pub(crate) fn unpack(set: &GuardianSet, votes: &AggregatedVotes) -> Result<Vec<u8>, signer_vectors::UnpackError> {
    signer_vectors::unpack(set.len(), &votes.signers)
}

/// Judges the certificate of a header on the view's branch and makes it the highest one. Cheap checks come first.
pub(crate) fn include(view: &mut View, env: &Env, cert: &FinalityCert) -> Result<Certified, FinalityError> {
    let mut pending = checkpoints(view)?;
    let checkpoint = cert.checkpoint;
    check_place(view, env.params, &checkpoint, &pending)?;
    let missing = || corrupt(&keys::guardian_set(&checkpoint.set_hash), "missing");
    let set = guardian_set(view, &checkpoint.set_hash)?.ok_or_else(missing)?;
    let signers = unpack(&set, cert).map_err(|e| CertificateError::Signers(e.to_string()))?;
    let weight = set.weight_of(&signers);
    if !set.is_quorum(weight) {
        return Err(CertificateError::Weight { got: weight, total: set.total() }.into());
    }
    if !env.proofs.votes_hold(&set, cert, &signers) {
        return Err(CertificateError::Signature.into());
    }
    pending.retain(|other| other.height > checkpoint.height);
    set_checkpoints(view, &pending);
    view.set(keys::FINALIZED.to_vec(), &Finalized { height: checkpoint.height, hash: checkpoint.block_hash });
    Ok(Certified { checkpoint, set, signers })
}

fn check_place(
    view: &View,
    params: &ChainParams,
    checkpoint: &Checkpoint,
    pending: &[Checkpoint],
) -> Result<(), FinalityError> {
    let (block, got) = (view.height(), checkpoint.height);
    if !is_reward_height(params, block) {
        return Err(CertificateError::Place { block, interval: params.checkpoint_interval }.into());
    }
    let LastReset { number: expected, .. } = last_reset(view)?;
    if checkpoint.resets != expected {
        return Err(CertificateError::Resets { got: checkpoint.resets, expected }.into());
    }
    if !is_reward_height(params, got) || got >= block {
        return Err(CertificateError::Height { got, block, interval: params.checkpoint_interval }.into());
    }
    let last = view.get::<Finalized>(keys::FINALIZED)?.unwrap_or_default();
    if got <= last.height {
        return Err(CertificateError::Repeated { got, last: last.height }.into());
    }
    let Some(known) = pending.iter().find(|known| known.height == got) else {
        return Err(CertificateError::Forgotten { got }.into());
    };
    for (what, got, expected) in
        [("block", checkpoint.block_hash, known.block_hash), ("guardian set", checkpoint.set_hash, known.set_hash)]
    {
        if got != expected {
            return Err(CertificateError::Other { what, height: known.height, got, expected }.into());
        }
    }
    Ok(())
}

/// Notes that the newest checkpoint has its set, and forgets sets that evidence can no longer need.
fn forget_sets(
    view: &mut View,
    params: &ChainParams,
    newest: &Checkpoint,
    pending: &[Checkpoint],
) -> Result<(), StateError> {
    let mut uses: Vec<SetUse> = view.get(keys::GUARDIAN_SETS)?.unwrap_or_default();
    uses.retain(|set| set.hash != newest.set_hash);
    uses.push(SetUse { hash: newest.set_hash, last: newest.height });
    let (block, period) = (view.height(), params.return_locking_period);
    let needed = |set: &SetUse| {
        set.last.saturating_add(period) >= block || pending.iter().any(|checkpoint| checkpoint.set_hash == set.hash)
    };
    for forgotten in uses.extract_if(.., |set| !needed(set)) {
        view.delete(keys::guardian_set(&forgotten.hash));
    }
    view.set(keys::GUARDIAN_SETS.to_vec(), &uses);
    Ok(())
}

/// Checkpoints of this branch above the highest certificate, ascending; the last [`CHECKPOINTS_MAX`].
fn checkpoints(view: &View) -> Result<Vec<Checkpoint>, StateError> {
    Ok(view.get(keys::CHECKPOINTS)?.unwrap_or_default())
}

fn set_checkpoints(view: &mut View, pending: &[Checkpoint]) {
    let key = keys::CHECKPOINTS.to_vec();
    if pending.is_empty() { view.delete(key) } else { view.set(key, &pending.to_vec()) }
}

fn set_bytes(set: &GuardianSet) -> Bytes {
    rlp::encode(&set.members().to_vec()).into()
}

fn decode_set(key: &[u8], bytes: &[u8], hash: &Hash) -> Result<GuardianSet, StateError> {
    let members: Vec<GuardianMember> = decode(key, bytes)?;
    if !members.is_sorted_by(|a, b| a.address < b.address) {
        return Err(corrupt(key, "guardians are not in order"));
    }
    let set = GuardianSet::new(members);
    if set.hash() == *hash { Ok(set) } else { Err(corrupt(key, "not the set of that hash")) }
}
