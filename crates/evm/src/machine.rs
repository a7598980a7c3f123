//! Running transactions.

use crate::db::{AnyWorld, Db, Failed, apart};
use crate::handler::ChainHandler;
use crate::outcome::{Executed, Failure, Invalid, Status};
use crate::precompiles::{Precompiles, addresses, is_reserved};
use crate::rules::{BlockContext, Lenience, Message, Rules};
use crate::stake_token;
use crate::world::{Change, Code, EvmAccount, World};
use revm::bytecode::opcode::CHAINID;
use revm::context::journal::JournalInner;
use revm::context::result::{EVMError, ExecutionResult, Output};
use revm::context::{
    BlockEnv, CfgEnv, Context, ContextTr, Evm, FrameStack, Journal, JournalEntry, LocalContext, TxEnv,
};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::context_interface::transaction::{AccessList, AccessListItem};
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, Handler};
use revm::inspector::{Inspector, InspectorHandler};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::RuntimeFlag;
use revm::interpreter::{Instruction, InstructionContext, InstructionExecResult, InstructionResult};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{AddressSet, TxKind};
use revm::state::{Account, EvmState};
use std::rc::Rc;
use vigil_primitives::{Address, U256};

/// What CHAINID gives: numbers of chains have 256 bits here.
pub(crate) struct ChainNumber(U256);

pub(crate) type Ctx<'w> = Context<BlockEnv, TxEnv, CfgEnv, Db<'w>, Journal<Db<'w>>, ChainNumber, LocalContext>;

pub(crate) type RevmEvm<'w, I> =
    Evm<Ctx<'w>, I, EthInstructions<EthInterpreter, Ctx<'w>>, Precompiles, EthFrame<EthInterpreter>>;

/// Runs transactions of a block, one after the other, each on whatever world it is given. What revm allocates is kept from
/// one to the next.
pub struct Machine {
    rules: Rules,
    block: BlockEnv,
    cfg: CfgEnv,
    precompiles: Rc<AddressSet>,
    journal: JournalInner<JournalEntry>,
    local: LocalContext,
    frames: FrameStack<EthFrame<EthInterpreter>>,
}

impl Machine {
    /// For transactions of a block.
    pub fn new(rules: Rules, block: &BlockContext) -> Self {
        let spec = rules.fork.0;
        let mut cfg = CfgEnv::new_with_spec(spec);
        cfg.tx_chain_id_check = false; // who verified the signature did
        cfg.tx_gas_limit_cap = Some(rules.tx_gas_max);
        cfg.max_blobs_per_tx = Some(if rules.fork.includes("prague") { 9 } else { 6 });
        let precompiles = Rc::new(addresses(spec, rules.stake_token));
        let (block, journal) = (block_env(block, &cfg), JournalInner::new());
        let (local, frames) = (LocalContext::default(), FrameStack::new_prealloc(8));
        Self { rules, block, cfg, precompiles, journal, local, frames }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Leaves out checks that make no sense for what nobody signed.
    pub fn be_lenient(&mut self, lenience: Lenience) {
        let cfg = &mut self.cfg;
        cfg.disable_nonce_check = lenience.nonce;
        cfg.disable_balance_check = lenience.balance;
        cfg.disable_base_fee = lenience.base_fee;
        cfg.disable_eip3607 = lenience.sender;
        cfg.disable_block_gas_limit = true;
        cfg.memory_limit = lenience.memory_max.unwrap_or(u64::from(u32::MAX));
    }

    /// Runs a transaction. The world is only read; its changes are the answer's. Stake operations are left on its stack if
    /// the transaction succeeds.
    ///
    /// # Errors
    /// [`Failure::Invalid`]: it cannot be in a block. [`Failure::World`]: the world's error.
    pub fn run<W: World>(&mut self, world: &mut W, message: Message) -> Result<Executed, Failure<W::Error>> {
        apart(world, |world| self.run_any(world, message))
    }

    fn run_any(&mut self, world: &mut AnyWorld<'_>, message: Message) -> Result<Executed, Failure<Failed>> {
        let (ran, ()) = self.drive(world, message, (), |handler, evm| handler.run(evm));
        ran.map(|ran| self.executed(ran))
    }

    /// Runs a transaction, watched by an inspector, which is given back.
    pub(crate) fn inspect<'w, I: Inspector<Ctx<'w>, EthInterpreter>>(
        &mut self,
        world: &'w mut AnyWorld<'w>,
        message: Message,
        inspector: I,
    ) -> (Result<Ran, Failure<Failed>>, I) {
        self.drive(world, message, inspector, |handler, evm| handler.inspect_run(evm))
    }

    fn drive<'w, I>(
        &mut self,
        world: &'w mut AnyWorld<'w>,
        message: Message,
        inspector: I,
        run: impl FnOnce(&mut ChainHandler<'w, I>, &mut RevmEvm<'w, I>) -> Result<ExecutionResult, EVMError<Failed>>,
    ) -> (Result<Ran, Failure<Failed>>, I) {
        let mut handler = ChainHandler::new(self.rules.fees, message.stake_token);
        let mut evm = self.assemble(world, message, inspector);
        let result = run(&mut handler, &mut evm).and_then(|result| {
            evm.precompiles.settle(&mut evm.ctx)?;
            Ok(result)
        });
        let Evm { ctx, inspector, frame_stack, .. } = evm;
        (self.journal, self.local, self.frames) = (ctx.journaled_state.inner, ctx.local, frame_stack);
        let state = self.journal.finalize();
        (result.map(|result| Ran { result, state, tx: ctx.tx }).map_err(failure), inspector)
    }

    /// What a run means for the accounts.
    pub(crate) fn executed(&self, ran: Ran) -> Executed {
        executed(ran.result, ran.state, self.rules.stake_token)
    }

    /// The block of the transactions.
    pub(crate) fn block(&self) -> &BlockEnv {
        &self.block
    }

    fn assemble<'w, I>(&mut self, world: &'w mut AnyWorld<'w>, message: Message, inspector: I) -> RevmEvm<'w, I> {
        let spec = self.cfg.spec;
        let mut instruction = EthInstructions::new_mainnet_with_spec(spec);
        instruction.insert_instruction(CHAINID, Instruction::new(chain_number), CHAINID_GAS);
        let database = Db::new(world, self.rules.stake_token);
        let journaled_state = Journal { database, inner: std::mem::take(&mut self.journal) };
        let ctx = Context {
            block: self.block.clone(),
            tx: tx_env(message),
            cfg: self.cfg.clone(),
            journaled_state,
            chain: ChainNumber(self.rules.chain_number),
            local: std::mem::take(&mut self.local),
            error: Ok(()),
        };
        let precompiles = Precompiles::new(spec, Rc::clone(&self.precompiles), self.rules.stake_token);
        Evm { ctx, inspector, instruction, precompiles, frame_stack: std::mem::take(&mut self.frames) }
    }
}

/// A run, in revm's words.
pub(crate) struct Ran {
    pub(crate) result: ExecutionResult,
    pub(crate) state: EvmState,
    pub(crate) tx: TxEnv,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Static gas of CHAINID (EIP-1344).
const CHAINID_GAS: u16 = 2;

fn chain_number(context: InstructionContext<'_, Ctx<'_>, EthInterpreter>) -> InstructionExecResult {
    if !context.interpreter.runtime_flag.spec_id().is_enabled_in(SpecId::ISTANBUL) {
        return Err(InstructionResult::NotActivated);
    }
    let number = context.host.chain().0;
    if context.interpreter.stack.push(number) { Ok(()) } else { Err(InstructionResult::StackOverflow) }
}

fn block_env(block: &BlockContext, cfg: &CfgEnv) -> BlockEnv {
    let fraction = cfg.blob_base_fee_update_fraction();
    BlockEnv {
        number: U256::from(block.height),
        beneficiary: block.proposer,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_max,
        basefee: block.base_fee,
        difficulty: block.difficulty,
        prevrandao: Some(block.randomness),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new(block.excess_blob_gas, fraction)),
        ..BlockEnv::default()
    }
}

fn tx_env(message: Message) -> TxEnv {
    let tx_type = match &message {
        Message { blobs: Some(_), .. } => 3,
        Message { max_priority_fee_per_gas: Some(_), .. } => 2,
        Message { access_list: Some(_), .. } => 1,
        _ => 0,
    };
    let access = message.access_list.unwrap_or_default();
    let access = access.into_iter().map(|item| AccessListItem { address: item.address, storage_keys: item.slots });
    let (blob_hashes, max_fee_per_blob_gas) = message.blobs.unwrap_or_default();
    TxEnv {
        tx_type,
        caller: message.from,
        gas_limit: message.gas_limit,
        gas_price: message.max_fee_per_gas,
        kind: message.to.map_or(TxKind::Create, TxKind::Call),
        value: message.value,
        data: message.data,
        nonce: message.nonce,
        chain_id: None,
        access_list: AccessList(access.collect()),
        gas_priority_fee: message.max_priority_fee_per_gas,
        blob_hashes,
        max_fee_per_blob_gas,
        authorization_list: Vec::new(),
    }
}

fn executed(result: ExecutionResult, state: EvmState, stake_token: bool) -> Executed {
    let gas = *result.gas();
    let (status, logs, output, created) = match result {
        ExecutionResult::Success { logs, output: Output::Call(output), .. } => (Status::Success, logs, output, None),
        ExecutionResult::Success { logs, output: Output::Create(output, created), .. } => {
            (Status::Success, logs, output, created)
        }
        ExecutionResult::Revert { output, .. } => (Status::Reverted, Vec::new(), output, None),
        ExecutionResult::Halt { reason, .. } => (Status::Halted(reason.into()), Vec::new(), Default::default(), None),
    };
    let (mut changes, mut stake_tokens) = (Vec::with_capacity(state.len()), Vec::new());
    for (address, account) in state {
        if stake_token && is_reserved(&address) {
            stake_tokens = balances(&account);
        }
        if account.is_touched() {
            changes.push(change(address, account, stake_token));
        }
    }
    let (gas_used, gas_refunded) = (gas.tx_gas_used(), gas.final_refunded());
    Executed { status, gas_used, gas_refunded, logs, output, created, changes, stake_tokens }
}

/// The stake token's balances that were written.
fn balances(reserved: &Account) -> Vec<(Address, U256)> {
    let changed = reserved.storage.iter().filter(|(_, slot)| slot.is_changed());
    changed.filter_map(|(slot, value)| Some((stake_token::account_of(slot)?, value.present_value))).collect()
}

fn change(address: Address, account: Account, stake_token: bool) -> Change {
    let (is_created, is_destroyed) = (account.is_created(), account.is_selfdestructed());
    let info = account.info;
    let code = info.code.filter(|_| is_created).map(Code);
    let changed = account.storage.into_iter().filter(|(_, slot)| slot.is_changed());
    let storage = if stake_token && is_reserved(&address) {
        Vec::new()
    } else {
        changed.map(|(slot, value)| (slot, value.present_value)).collect()
    };
    let account = EvmAccount { balance: info.balance, nonce: info.nonce, code_hash: info.code_hash };
    Change { address, account, code, is_created, is_destroyed, storage }
}

fn failure(error: EVMError<Failed>) -> Failure<Failed> {
    match error {
        EVMError::Database(failed) => Failure::World(failed),
        EVMError::Transaction(invalid) => Failure::Invalid(Invalid::from(invalid)),
        EVMError::Custom(why) => Failure::Stopped(why),
        other => Failure::Invalid(Invalid::Other(other.to_string())),
    }
}
