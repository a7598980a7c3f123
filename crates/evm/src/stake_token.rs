//! The stake token inside the EVM.
//!
//! Its balances, and how many stake operations of the transaction stand, are storage of a reserved address in revm's journal.
//! What a frame did to them is thus taken back with the frame, exactly as its other storage.

use revm::context_interface::{ContextTr, Database, JournalTr};
use vigil_primitives::{Address, U256};

/// The address whose storage it is: that of the precompile that moves the token, so no code is ever there.
pub(crate) const RESERVED: Address = crate::precompiles::address_of(crate::precompiles::TRANSFER);

/// Slot of an account's balance: the address as a number.
fn balance_slot(address: &Address) -> U256 {
    U256::from_be_slice(address.as_slice())
}

/// The account whose balance a slot holds; `None` for the other slots.
pub(crate) fn account_of(slot: &U256) -> Option<Address> {
    (slot.bit_len() <= 160).then(|| Address::from_slice(&slot.to_be_bytes::<32>()[12..]))
}

/// Slot of the number of stake operations that stand.
const OPS: U256 = U256::from_limbs([0, 0, 1 << 32, 0]);

type DbError<C> = <<C as ContextTr>::Db as Database>::Error;

fn load<C: ContextTr>(context: &mut C, slot: U256) -> Result<U256, DbError<C>> {
    let journal = context.journal_mut();
    journal.load_account(RESERVED)?;
    Ok(journal.sload(RESERVED, slot)?.data)
}

fn store<C: ContextTr>(context: &mut C, slot: U256, value: U256) -> Result<(), DbError<C>> {
    let journal = context.journal_mut();
    journal.load_account(RESERVED)?;
    journal.sstore(RESERVED, slot, value).map(drop)
}

/// What an account has, in wei.
pub(crate) fn balance<C: ContextTr>(context: &mut C, address: &Address) -> Result<U256, DbError<C>> {
    load(context, balance_slot(address))
}

/// Moves `amount` wei. False: the sender has less, or the receiver would have too much; nothing changed.
pub(crate) fn transfer<C: ContextTr>(
    context: &mut C,
    from: &Address,
    to: &Address,
    amount: U256,
) -> Result<bool, DbError<C>> {
    if !debit(context, from, amount)? {
        return Ok(false);
    }
    let before = balance(context, to)?;
    // The supply is bounded far below 256 bits.
    let after = before.saturating_add(amount);
    store(context, balance_slot(to), after)?;
    Ok(true)
}

/// Takes `amount` wei from an account. False: it has less, nothing changed.
pub(crate) fn debit<C: ContextTr>(context: &mut C, from: &Address, amount: U256) -> Result<bool, DbError<C>> {
    let Some(left) = balance(context, from)?.checked_sub(amount) else { return Ok(false) };
    store(context, balance_slot(from), left)?;
    Ok(true)
}

/// How many stake operations of the transaction stand.
pub(crate) fn standing<C: ContextTr>(context: &mut C) -> Result<usize, DbError<C>> {
    Ok(load(context, OPS)?.saturating_to())
}

/// Notes that so many operations stand.
pub(crate) fn stand<C: ContextTr>(context: &mut C, count: usize) -> Result<(), DbError<C>> {
    store(context, OPS, U256::from(count))
}
