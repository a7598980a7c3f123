//! The state that a reset begins with (`spec/consensus.md` §A.1; `docs/decisions/0012-reset.md`).

use crate::block::{BlockOutcome, Parent, finish};
use crate::env::Env;
use crate::error::{ApplyError, StateError, TxError};
use crate::finality::{Finalized, LastReset, last_reset, remember_checkpoint};
use crate::keys;
use crate::slashing::{self, Moment};
use crate::view::View;
use vigil_primitives::{Checkpoint, Coins, Evidence, Height, Offences, Reset, committee_hash};

/// Why there is no such reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The number was used before the checkpoint.
    #[error("reset {got}: there were {before} until the checkpoint")]
    Number {
        /// As asked for.
        got: u64,
        /// That of the checkpoint's state.
        before: u64,
    },
    /// The state is not the checkpoint's.
    #[error("the checkpoint has height {checkpoint}, the state is of height {state}")]
    Height {
        /// As asked for.
        checkpoint: Height,
        /// Of the state.
        state: Height,
    },
    /// A piece of evidence is worth nothing.
    #[error("offence {index}: {error}")]
    Offence {
        /// Its place in the list.
        index: usize,
        /// What is wrong.
        error: TxError,
    },
    /// Everybody who stakes is an offender.
    #[error("nobody is left who stakes as a validator")]
    Nobody,
    /// Ours.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The reset of that number from a final checkpoint, and the outcome of its reset block: offenders have lost their whole
/// stake in the role of the offence (burned: nobody reported them on chain), and the committee is whom the rest elects.
/// Whoever has the same checkpoint and offences gets the same; to judge a reset is to make it and to compare.
///
/// `base`: the checkpoint's block. `env`: [`crate::Proofs`] of the segment that ends.
///
/// # Errors
/// [`ResetError`]; the offences are judged in order, as in slash transactions, but for faults above the checkpoint.
pub fn make_reset(
    env: &Env,
    base: &Parent,
    number: u64,
    checkpoint: Checkpoint,
    offences: &Offences,
) -> Result<(Reset, BlockOutcome), ResetError> {
    if checkpoint.height != base.height {
        return Err(ResetError::Height { checkpoint: checkpoint.height, state: base.height });
    }
    let mut view = View::new(base.state.clone(), base.height);
    let before = last_reset(&view)?.number;
    if number <= before {
        return Err(ResetError::Number { got: number, before });
    }
    remember_checkpoint(&mut view, env.params, checkpoint.block_hash)?;
    view.keep()?;
    for (index, evidence) in offences.evidence().iter().enumerate() {
        punish(&mut view, env, number, evidence).map_err(|error| match error {
            ApplyError::Refused(error) => ResetError::Offence { index, error },
            ApplyError::State(error) => ResetError::State(error),
        })?;
    }
    // All that is below the checkpoint is final by it.
    view.delete(keys::CHECKPOINTS.to_vec());
    view.set(keys::FINALIZED.to_vec(), &Finalized { height: checkpoint.height, hash: checkpoint.block_hash });
    view.set(keys::RESET.to_vec(), &LastReset { number, height: checkpoint.height });
    view.keep()?;
    let outcome = finish(env, base, view)?;
    if outcome.validators.is_empty() {
        return Err(ResetError::Nobody);
    }
    let committee = committee_hash(&outcome.validators);
    Ok((Reset { number, checkpoint, offences: offences.root(), committee }, outcome))
}

fn punish(view: &mut View, env: &Env, number: u64, evidence: &Evidence) -> Result<(), ApplyError> {
    let (role, offender) = (evidence.role(), evidence.offender());
    slashing::convict_whenever(view, env.params, env.proofs, evidence)?;
    let taken = slashing::confiscate(view, role, &offender)?;
    view.burn(&Coins::theta(taken))?;
    let paid = Moment { resets: number, height: view.height() };
    view.set(keys::slashed(role, &offender), &paid);
    view.keep()?;
    Ok(())
}
