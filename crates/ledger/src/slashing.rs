//! Who may be punished for what (`spec/consensus.md` §3.4; `docs/decisions/0011-slashing.md`).

use crate::env::Proofs;
use crate::error::{ApplyError, StateError, TxError, code};
use crate::finality::{guardian_set, guardian_set_of, last_reset, unpack};
use crate::keys;
use crate::state::State;
use crate::view::View;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::collections::BTreeSet;
use vigil_primitives::{
    Address, AggregatedVotes, ChainParams, Evidence, EvidenceError, GuardianSet, Height, SignDomain, StakeHolder,
    StakePurpose, U256,
};

/// What can be said of evidence before its signatures are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Punishable {
    /// If the signatures are right, the offender loses its stake.
    Yes,
    /// Not before the chain has reached the height of the fault.
    Later,
    /// Never, and why.
    Never(TxError),
}

/// When something was, on a chain that may have been reset: then heights come again, and what was before is before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, RlpEncodable, RlpDecodable)]
pub(crate) struct Moment {
    /// How often the chain was reset before.
    pub(crate) resets: u64,
    /// Height of the block.
    pub(crate) height: Height,
}

/// Judges evidence against somebody of the chain of `domain` on a state whose block has `parent_height`, but for its
/// signatures.
///
/// # Errors
/// [`StateError`] if the state cannot be read.
pub fn punishable(
    state: &State,
    params: &ChainParams,
    domain: &SignDomain,
    parent_height: Height,
    evidence: &Evidence,
) -> Result<Punishable, StateError> {
    judge(&mut View::new(state.clone(), parent_height), params, domain, evidence)
}

/// Evidence against each guardian that is among the signers of both votes, by address ascending. `None`: a state does not
/// remember their sets; that of a checkpoint is known two blocks after it.
///
/// # Errors
/// [`StateError`] if the state cannot be read.
pub fn double_voters(
    state: &State,
    votes: &(AggregatedVotes, AggregatedVotes),
) -> Result<Option<Vec<Evidence>>, StateError> {
    let signers = |votes: &AggregatedVotes| -> Result<Option<BTreeSet<Address>>, StateError> {
        let Some(set) = guardian_set_of(state, &votes.checkpoint.set_hash)? else { return Ok(None) };
        let entries = unpack(&set, votes).unwrap_or_default();
        let signed = set.members().iter().zip(entries).filter(|(_, entry)| *entry > 0);
        Ok(Some(signed.map(|(member, _)| member.address).collect()))
    };
    let (Some(a), Some(b)) = (signers(&votes.0)?, signers(&votes.1)?) else { return Ok(None) };
    let against = |guardian: &Address| Evidence::GuardianDoubleVote(*guardian, Box::new(votes.clone()));
    Ok(Some(a.intersection(&b).map(against).collect()))
}

/// Checks that evidence proves a fault that is still to be punished. Signatures come last: they are dear.
pub(crate) fn convict(
    view: &mut View,
    params: &ChainParams,
    proofs: &dyn Proofs,
    evidence: &Evidence,
) -> Result<(), ApplyError> {
    match judge(view, params, proofs.domain(), evidence)? {
        Punishable::Yes => prove(view, proofs, evidence),
        Punishable::Later => {
            let (fault, block) = (evidence.height(), view.height());
            Err(ApplyError::generic(format!("the fault is of height {fault}, above this block's {block}")))
        }
        Punishable::Never(error) => Err(error.into()),
    }
}

/// [`convict`], of faults above the block's height too: those that a reset takes out of the chain.
pub(crate) fn convict_whenever(
    view: &mut View,
    params: &ChainParams,
    proofs: &dyn Proofs,
    evidence: &Evidence,
) -> Result<(), ApplyError> {
    match judge(view, params, proofs.domain(), evidence)? {
        Punishable::Yes | Punishable::Later => prove(view, proofs, evidence),
        Punishable::Never(error) => Err(error.into()),
    }
}

/// Checks the signatures.
fn prove(view: &View, proofs: &dyn Proofs, evidence: &Evidence) -> Result<(), ApplyError> {
    match evidence {
        Evidence::GuardianDoubleVote(guardian, votes) => {
            let positions = [locate(view, guardian, &votes.0)?, locate(view, guardian, &votes.1)?];
            let holds =
                [&votes.0, &votes.1].into_iter().zip(&positions).all(|(votes, found)| found.holds(proofs, votes));
            if holds { Ok(()) } else { Err(forged("votes of guardians: the signature is not that of the signers")) }
        }
        _ => evidence
            .verify(proofs.domain(), |signer, digest, signature| proofs.is_signed(signer, digest, signature))
            .map_err(|error| match error {
                EvidenceError::Signature(_) => forged(&error.to_string()),
                _ => refused(error.to_string()).into(),
            }),
    }
}

fn judge(
    view: &mut View,
    params: &ChainParams,
    domain: &SignDomain,
    evidence: &Evidence,
) -> Result<Punishable, StateError> {
    let never = |text: String| Ok(Punishable::Never(refused(text)));
    if let Err(error) = evidence.check_contradiction(domain) {
        return never(error.to_string());
    }
    let (offender, role, block, last) = (evidence.offender(), evidence.role(), view.height(), last_reset(view)?);
    let resets = evidence.resets().unwrap_or(last.number);
    if resets > last.number {
        return never(format!("the fault is of reset {resets}, the chain had {}", last.number));
    }
    let moment = Moment { resets, height: evidence.height() };
    // Heights above the checkpoint of a later reset are of blocks that are void: the fault is as old as that.
    let fault = if resets < last.number { moment.height.min(last.height) } else { moment.height };
    if stake_of(view, role, &offender)?.is_none() {
        return never(format!("{offender} has no stake as a {}", name(role)));
    }
    let oldest = block.saturating_sub(params.return_locking_period);
    if fault < oldest {
        return never(format!("the fault is of height {fault}, too long ago: {oldest} is the oldest"));
    }
    let done: Option<Moment> = view.get(&keys::slashed(role, &offender))?;
    if let Some(Moment { height, .. }) = done.filter(|done| moment <= *done) {
        return never(format!("{offender} was slashed at height {height}, for all faults up to it"));
    }
    Ok(if fault > block { Punishable::Later } else { Punishable::Yes })
}

/// What a node has staked in a role, withdrawn stake that has not returned included. `None`: nothing.
fn stake_of(view: &mut View, role: StakePurpose, node: &Address) -> Result<Option<U256>, StateError> {
    let holder = match role {
        StakePurpose::Validator => view.candidates()?.get(node),
        StakePurpose::Guardian => view.guardians()?.get(node).map(|guardian| &guardian.holder),
        StakePurpose::EdgeNode => None,
    };
    holder.map(locked).transpose()
}

/// Takes the whole stake of a node out of its pool, in wei of the stake token. It returns to nobody.
pub(crate) fn confiscate(view: &mut View, role: StakePurpose, node: &Address) -> Result<U256, StateError> {
    match role {
        StakePurpose::Validator => {
            let Some(mut candidate) = view.candidates()?.get(node).cloned() else { return Ok(U256::ZERO) };
            let taken = locked(&candidate)?;
            candidate.stakes.clear();
            view.note_stake_change();
            view.set_candidate(candidate)?;
            Ok(taken)
        }
        StakePurpose::Guardian => {
            let Some(mut guardian) = view.guardians()?.get(node).cloned() else { return Ok(U256::ZERO) };
            let taken = locked(&guardian.holder)?;
            guardian.holder.stakes.clear();
            view.set_guardian(guardian)?;
            Ok(taken)
        }
        StakePurpose::EdgeNode => Ok(U256::ZERO),
    }
}

fn locked(node: &StakeHolder) -> Result<U256, StateError> {
    let sum = node.stakes.iter().try_fold(U256::ZERO, |sum, stake| sum.checked_add(stake.amount));
    sum.ok_or(StateError::Overflow("stake"))
}

/// Votes with the set that they are of.
struct Located {
    set: GuardianSet,
    signers: Vec<u8>,
}

impl Located {
    fn holds(&self, proofs: &dyn Proofs, votes: &AggregatedVotes) -> bool {
        proofs.votes_hold(&self.set, votes, &self.signers)
    }
}

/// Finds the set of votes and the guardian among their signers.
fn locate(view: &View, guardian: &Address, votes: &AggregatedVotes) -> Result<Located, ApplyError> {
    let hash = votes.checkpoint.set_hash;
    let set = guardian_set(view, &hash)?;
    let set = set.ok_or_else(|| refused(format!("guardian set {hash} is not remembered")))?;
    let signers = unpack(&set, votes).map_err(|e| refused(format!("votes of guardians: {e}")))?;
    let place = set.position(guardian).and_then(|at| signers.get(at));
    if place.is_none_or(|entry| *entry == 0) {
        return Err(refused(format!("{guardian} is not among the signers of both")).into());
    }
    Ok(Located { set, signers })
}

fn name(role: StakePurpose) -> &'static str {
    match role {
        StakePurpose::Validator => "validator",
        StakePurpose::Guardian => "guardian",
        StakePurpose::EdgeNode => "edge node",
    }
}

fn refused(text: String) -> TxError {
    TxError::generic(format!("Invalid evidence: {text}"))
}

/// No honest node passes it on: whoever does can be blamed.
fn forged(text: &str) -> ApplyError {
    ApplyError::refuse(code::INVALID_SIGNATURE, format!("Invalid evidence: {text}"))
}
