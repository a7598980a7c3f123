//! Slash: reports a fault and takes the offender's stake (`docs/decisions/0011-slashing.md`).

use super::{Context, check_input, count};
use crate::error::{ApplyError, StateError};
use crate::finality::last_reset;
use crate::keys;
use crate::rules::BASIS_POINTS;
use crate::slashing::{self, Moment};
use crate::view::View;
use vigil_primitives::{Coins, Evidence, Slash, U256};

/// Most in a block: evidence is dear to check and costs no fee.
pub(crate) const SLASHES_MAX: usize = 4;
/// The reporter's part of the stake, in hundredths of a per cent.
const REPORTER_BASIS_POINTS: u64 = 500;

pub(super) fn apply(view: &mut View, context: &Context, tx: &Slash) -> Result<(), ApplyError> {
    let reporter = tx.proposer.address;
    let account = view.account(&reporter)?;
    let unknown = || ApplyError::generic(format!("Failed to get the reporter account: {reporter}"));
    let mut account = account.ok_or_else(unknown)?;
    check_input(context, &account, &tx.proposer, 0)?;
    if tx.proposer.coins != Coins::ZERO || tx.reserve_sequence != 0 {
        return Err(ApplyError::generic("a report has zero coins and reserve sequence 0"));
    }
    if view.slashes() >= SLASHES_MAX {
        return Err(ApplyError::generic(format!("a block has at most {SLASHES_MAX} slash transactions")));
    }
    let evidence = Evidence::from_bytes(&tx.slash_proof).map_err(|e| ApplyError::generic(e.to_string()))?;
    let (offender, role) = (evidence.offender(), evidence.role());
    if offender != tx.slashed_address {
        let text = format!("the evidence is against {offender}, the report against {}", tx.slashed_address);
        return Err(ApplyError::generic(text));
    }
    slashing::convict(view, context.params, context.proofs, &evidence)?;

    let taken = slashing::confiscate(view, role, &offender)?;
    let share = taken.checked_mul(U256::from(REPORTER_BASIS_POINTS)).ok_or(StateError::Overflow("stake"))?;
    let share = share / U256::from(BASIS_POINTS);
    let sum = account.balance.checked_add(&Coins::theta(share));
    account.balance = sum.map_err(|_| StateError::Overflow("balance after a report"))?;
    view.burn(&Coins::theta(taken.saturating_sub(share)))?;
    let paid = Moment { resets: last_reset(view)?.number, height: context.height };
    view.set(keys::slashed(role, &offender), &paid);
    view.note_slash();
    count(&mut account)?;
    view.set_account(account);
    Ok(())
}
