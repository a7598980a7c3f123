//! revm's view of a [`World`].

use crate::stake_token::{RESERVED, account_of};
use crate::world::{Code, World};
use revm::bytecode::Bytecode;
use revm::context::{ContextTr, JournalTr};
use revm::database_interface::{DBErrorMarker, Database, DatabaseRef};
use revm::state::AccountInfo;
use std::cell::RefCell;
use vigil_primitives::{Address, EMPTY_CODE_HASH, Hash, U256};

/// The world failed; its error is kept aside ([`Db::take_error`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state cannot be read")]
pub(crate) struct Failed;

impl DBErrorMarker for Failed {}

/// A world for the time of one transaction.
pub(crate) struct Db<'w, W: World> {
    world: &'w mut W,
    stake_token: bool,
    error: Option<W::Error>,
}

impl<'w, W: World> Db<'w, W> {
    pub(crate) fn new(world: &'w mut W, stake_token: bool) -> Self {
        Self { world, stake_token, error: None }
    }

    pub(crate) fn world(&mut self) -> &mut W {
        self.world
    }

    pub(crate) fn take_error(&mut self) -> Option<W::Error> {
        self.error.take()
    }

    fn keep<T>(&mut self, result: Result<T, W::Error>) -> Result<T, Failed> {
        result.map_err(|error| {
            self.error = Some(error);
            Failed
        })
    }

    /// Asks the world behind a context.
    pub(crate) fn ask<C: ContextTr<Db = Self>, T>(
        context: &mut C,
        ask: impl FnOnce(&mut W) -> Result<T, W::Error>,
    ) -> Result<T, Failed> {
        let db = context.journal_mut().db_mut();
        let result = ask(db.world);
        db.keep(result)
    }
}

impl<W: World> Database for Db<'_, W> {
    type Error = Failed;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Failed> {
        let account = self.world.account(&address);
        let info = self.keep(account)?.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            // That of the others is asked for when it runs.
            code: (account.code_hash == EMPTY_CODE_HASH).then(Bytecode::default),
            ..AccountInfo::default()
        });
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: Hash) -> Result<Bytecode, Failed> {
        let code = self.world.code(&code_hash);
        self.keep(code).map(|Code(code)| code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Failed> {
        let value = if self.stake_token && address == RESERVED {
            account_of(&slot).map_or(Ok(U256::ZERO), |account| self.world.stake_token(&account))
        } else {
            self.world.slot(&address, &slot)
        };
        self.keep(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<Hash, Failed> {
        let hash = self.world.block_hash(number);
        self.keep(hash)
    }
}

/// A world that is read once more after an execution, for tracers that tell what was before.
pub(crate) struct Reader<'w, W: World>(RefCell<Db<'w, W>>);

impl<'w, W: World> Reader<'w, W> {
    pub(crate) fn new(world: &'w mut W, stake_token: bool) -> Self {
        Self(RefCell::new(Db::new(world, stake_token)))
    }
}

impl<W: World> DatabaseRef for Reader<'_, W> {
    type Error = Failed;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Failed> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, code_hash: Hash) -> Result<Bytecode, Failed> {
        self.0.borrow_mut().code_by_hash(code_hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Failed> {
        self.0.borrow_mut().storage(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<Hash, Failed> {
        self.0.borrow_mut().block_hash(number)
    }
}
