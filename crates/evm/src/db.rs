//! revm's view of a [`World`].

use crate::outcome::Failure;
use crate::stake_token::{RESERVED, account_of};
use crate::world::{Code, EvmAccount, StakeOp, World};
use revm::bytecode::Bytecode;
use revm::context::{ContextTr, JournalTr};
use revm::database_interface::{DBErrorMarker, Database, DatabaseRef};
use revm::state::AccountInfo;
use std::cell::RefCell;
use vigil_primitives::{Address, EMPTY_CODE_HASH, Hash, Height, U256};

/// The world failed; its error is kept aside ([`apart`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state cannot be read")]
pub(crate) struct Failed;

impl DBErrorMarker for Failed {}

/// Any world: what runs in it is compiled once, here, and not for each caller with the caller's settings.
pub(crate) type AnyWorld<'w> = dyn World<Error = Failed> + 'w;

/// A world whose error is kept aside.
struct Apart<'w, W: World> {
    world: &'w mut W,
    error: Option<W::Error>,
}

impl<W: World> Apart<'_, W> {
    fn keep<T>(&mut self, ask: impl FnOnce(&mut W) -> Result<T, W::Error>) -> Result<T, Failed> {
        ask(self.world).map_err(|error| {
            self.error = Some(error);
            Failed
        })
    }
}

impl<W: World> World for Apart<'_, W> {
    type Error = Failed;

    fn account(&mut self, address: &Address) -> Result<Option<EvmAccount>, Failed> {
        self.keep(|world| world.account(address))
    }

    fn code(&mut self, hash: &Hash) -> Result<Code, Failed> {
        self.keep(|world| world.code(hash))
    }

    fn slot(&mut self, address: &Address, slot: &U256) -> Result<U256, Failed> {
        self.keep(|world| world.slot(address, slot))
    }

    fn block_hash(&mut self, height: Height) -> Result<Hash, Failed> {
        self.keep(|world| world.block_hash(height))
    }

    fn stake_token(&mut self, address: &Address) -> Result<U256, Failed> {
        self.keep(|world| world.stake_token(address))
    }

    fn staked(&mut self, source: &Address) -> Result<U256, Failed> {
        self.keep(|world| world.staked(source))
    }

    fn is_registered(&mut self, op: &StakeOp) -> Result<bool, Failed> {
        self.keep(|world| world.is_registered(op))
    }

    fn stake(&mut self, op: &StakeOp) -> Result<bool, Failed> {
        self.keep(|world| world.stake(op))
    }

    fn unstake(&mut self) {
        self.world.unstake();
    }
}

/// Runs `work` in any world, and answers with the world's own error.
pub(crate) fn apart<W: World, T>(
    world: &mut W,
    work: impl FnOnce(&mut AnyWorld<'_>) -> Result<T, Failure<Failed>>,
) -> Result<T, Failure<W::Error>> {
    let mut world = Apart { world, error: None };
    let result = work(&mut world);
    result.map_err(|failure| failure.of_world(world.error))
}

/// A world for the time of one transaction.
pub(crate) struct Db<'w> {
    world: &'w mut AnyWorld<'w>,
    stake_token: bool,
}

impl<'w> Db<'w> {
    pub(crate) fn new(world: &'w mut AnyWorld<'w>, stake_token: bool) -> Self {
        Self { world, stake_token }
    }

    /// The world behind a context.
    pub(crate) fn world_of<'c, C: ContextTr<Db = Self>>(context: &'c mut C) -> &'c mut AnyWorld<'w>
    where
        'w: 'c,
    {
        context.journal_mut().db_mut().world
    }
}

impl Database for Db<'_> {
    type Error = Failed;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Failed> {
        let info = self.world.account(&address)?.map(|account| AccountInfo {
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
        self.world.code(&code_hash).map(|Code(code)| code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Failed> {
        if self.stake_token && address == RESERVED {
            return account_of(&slot).map_or(Ok(U256::ZERO), |account| self.world.stake_token(&account));
        }
        self.world.slot(&address, &slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<Hash, Failed> {
        self.world.block_hash(number)
    }
}

/// A world that is read once more after an execution, for tracers that tell what was before.
pub(crate) struct Reader<'w>(RefCell<Db<'w>>);

impl<'w> Reader<'w> {
    pub(crate) fn new(world: &'w mut AnyWorld<'w>, stake_token: bool) -> Self {
        Self(RefCell::new(Db::new(world, stake_token)))
    }
}

impl DatabaseRef for Reader<'_> {
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
